"""Fixtures of these tests; what tests import by name is in `source_fixtures`."""

from source_fixtures import *  # noqa: F403 - fixtures are found by their names
