"""Fixtures of these tests; what tests import by name is in `collection_fixtures`."""

from collection_fixtures import *  # noqa: F403 - fixtures are found by their names
