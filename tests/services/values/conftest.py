from __future__ import annotations

import pytest
from values_world import World, make_world

from oneform.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime) -> World:
    return make_world(runtime)
