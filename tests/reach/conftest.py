"""Fixtures of these tests."""

from everybody_fixtures import *  # noqa: F403 - fixtures are found by their names
