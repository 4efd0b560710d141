"""Fixtures of the small tree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from small_area_tree import TODAY, small_tree

from oneform.areas.tree import Tree


@pytest.fixture
def tree() -> Tree:
    return small_tree()


@pytest.fixture
def make_tree() -> Callable[[dict[str, dt.date] | None], Tree]:
    return small_tree


@pytest.fixture
def today() -> dt.date:
    return TODAY
