"""PostgreSQL itself is killed, with all its processes, in the middle of a submission and right
after it: whatever was answered 2xx is there when it has started again, and once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from boundaries import Boundary, Walk
from doings import Answer, Program
from factories import COUNTY, assert_balanced
from fault_world import MEN, OLD, PEOPLE, SOURCED, World, make_world

from oneform import migrations
from oneform.app import create_app
from oneform.config import Settings
from oneform.engines import PostgresServer
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One of its own, that forces to disk what it commits."""
    with PostgresServer(tmp_path_factory.mktemp("killed"), durable=True) as server:
        yield server


@pytest.fixture(scope="module")
def asks(world: World) -> dict[str, str]:
    return world.ask(PEOPLE, OLD, MEN, SOURCED, areas=[COUNTY])


@pytest.fixture(scope="module")
def world(server: PostgresServer, module_clock: FixedClock) -> Iterator[World]:
    migrations.upgrade(server.url)
    settings = Settings(
        home=Path("/nonexistent"), database_url=server.url, secret_key="k" * 40, rate_limit=1000
    )
    runtime = Runtime(settings, clock=module_clock)
    yield make_world(runtime, create_app(runtime))
    runtime.close()


MOMENTS = {
    "in the middle": lambda step: step.name.startswith("after WITH"),
    "before it is committed": lambda step: step.name == "before COMMIT",
    "when it is committed": lambda step: step.name == "after COMMIT",
    "when it is answered": lambda step: step.name == "answered",
}


@pytest.mark.parametrize(
    ("field", "moment"),
    [
        pytest.param(MEN, "in the middle", marks=pytest.mark.soak),
        (PEOPLE, "before it is committed"),
        pytest.param(SOURCED, "when it is committed", marks=pytest.mark.soak),
        (OLD, "when it is answered"),
    ],
)
def test_what_was_answered_is_there(
    server: PostgresServer,
    world: World,
    asks: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    moment: str,
) -> None:
    call = world.submission({"ask": asks[field], "value": 12}, key=moment.replace(" ", "-"))
    program = Program(world.runtime, world.app)
    killed = []

    def tell(step: Boundary) -> None:
        if not killed and MOMENTS[moment](step):
            killed.append(step)
            server.kill()

    with monkeypatch.context() as patch:
        walk = Walk(tell)
        walk.begin(patch.setattr)
        first = call.do(program)
        walk.reach("answered")
    assert killed
    server.start()
    again = call.do(program)
    assert again.status == 201
    if moment in ("when it is committed", "when it is answered"):
        assert again.replayed
    if first.status == 201:
        assert again.body == first.body
    else:
        assert first.status == 503
    assert_sent_once(world, again, asks[field])


def assert_sent_once(world: World, answer: Answer, ask: str) -> None:
    number = json.loads(answer.body)["id"]
    rows = world.sql(
        "SELECT submission_id, state FROM answer WHERE region_id || '-' || ask_id = :ask", ask=ask
    )
    assert [(str(row.submission_id), row.state) for row in rows] == [(number, "recorded")]
    [value] = world.sql(
        "SELECT v.value, p.kind, p.ref FROM cell_value AS v JOIN ask AS a "
        "USING (region_id, field_id, period, subject_id) "
        "JOIN provenance AS p ON p.id = v.provenance_id "
        "WHERE a.region_id || '-' || a.id = :ask AND a.state = 'answered'",
        ask=ask,
    )
    assert (value.value, value.kind, str(value.ref)) == (12, "submission", number)
    with world.runtime.context(OPERATOR) as ctx:
        assert_balanced(ctx)
