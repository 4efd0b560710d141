from __future__ import annotations

import pytest
from small_world import SmallWorld, make_world

from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime) -> SmallWorld:
    with runtime.context(OPERATOR) as ctx:
        return make_world(ctx)
