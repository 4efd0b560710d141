"""Fixtures of these tests; what tests import by name is in `api_fixtures`."""

from api_fixtures import *  # noqa: F403 - fixtures are found by their names
