"""Live asks, counted for /metrics: one by one while few, from what the database knows of them when many."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from small_world import SmallWorld
from test_resolving import submit

from oneform.requests.withdrawal import cancel_request
from oneform.runtime import Runtime
from oneform.runtime.gauges import GAUGES, MANY

QUERIES = {gauge.name: gauge.query for gauge in GAUGES}


@pytest.mark.parametrize("many", [MANY, -1], ids=["counted", "estimated"])
def test_asks_and_units(runtime: Runtime, world: SmallWorld, many: int) -> None:
    submit(runtime, world, 0, fields=(0, 1), villages=(0, 1, 2))
    ended = submit(runtime, world, 1, fields=(2,), villages=(0,))
    with runtime.context(world.principal(1)) as ctx:
        cancel_request(ctx, ended)
    with runtime.engine.connect() as connection:
        connection.execute(sa.text("ANALYZE ask"))
        found = [
            connection.execute(
                sa.text(QUERIES[name].replace(f"> {MANY}", f"> {many}"))
            ).scalar_one()
            for name in ("oneform_asks_live", "oneform_units_asked")
        ]
    assert found == [6, 3]
