from __future__ import annotations

import pytest
from sharing_world import Sharing, make_sharing
from small_world import SmallWorld, make_world

from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime) -> SmallWorld:
    with runtime.context(OPERATOR) as ctx:
        return make_world(ctx)


@pytest.fixture
def sharing(runtime: Runtime) -> Sharing:
    return make_sharing(runtime)
