"""Fixtures of these tests; what tests import by name is in `fault_fixtures`."""

from fault_fixtures import *  # noqa: F403 - fixtures are found by their names
