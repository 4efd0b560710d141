"""Sources before people: when the sources of a request are called, how often, and what comes after."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from small_world import SmallWorld, make_field

from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.requests.commands import SubmitRequest
from oneform.requests.grants import decide_grant, list_grants
from oneform.requests.jobs import RequestJob
from oneform.requests.planner import FETCH_DELAYS_S
from oneform.requests.service import submit_request
from oneform.runtime import Runtime
from oneform.sources import fetching
from oneform.sources.service import add_source
from workers.jobs import JOBS
from workers.perform import perform_with
from workers.registry import JobRun, LeaseLost

CONDITIONAL = "test.conditional"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, allow_hosts=("127.0.0.1",))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "RETRY_PAUSES_S", ())


def offer(runtime: Runtime, code: str, *fields: str, is_down: bool) -> None:
    """A source for fields in the first county: a file that has nothing of them, or a server that is away."""
    file = runtime.settings.home / "files" / f"{code}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(",".join(("code", "year", *fields)) + "\n")
    kind, settings = ("file", {"path": str(file)})
    if is_down:
        kind, settings = ("sql", {"url": "postgresql://u@127.0.0.1:1/db", "table": "t"})
    with runtime.context(OPERATOR) as ctx:
        add_source(
            ctx,
            {
                "code": code,
                "agency": "agency0",
                "kind": kind,
                "settings": settings,
                "keys": {"subject": "code", "period": {"column": "year"}},
                "fields": {field: field for field in fields},
                "areas": ["420101000000"],
            },
            runtime.settings,
        )


def submit(runtime: Runtime, world: SmallWorld, *fields: str) -> uuid.UUID:
    with runtime.context(world.principal(1)) as ctx:
        command = SubmitRequest(
            title="年度调查",
            purpose="规划",
            legal_basis="《统计法》",
            fields=list(fields),
            areas=world.village_codes[:1],
            level="village",
            period="2026",
            due=ctx.today() + dt.timedelta(days=20),
        )
        return submit_request(ctx, command).id


def rows(runtime: Runtime, job: RequestJob) -> list[Any]:
    with runtime.context(OPERATOR) as ctx:
        return ctx.sql(
            "SELECT id, lease, args, extract(epoch FROM run_after - clock_timestamp()) AS delay_s "
            "FROM outbox WHERE job = :job ORDER BY id",
            job=job,
        ).all()


def work(runtime: Runtime, job: RequestJob) -> None:
    """Do the only job of a name, whenever it is due."""
    (row,) = rows(runtime, job)
    perform_with(runtime, row.id, row.lease)


def die_working(runtime: Runtime, job: RequestJob) -> None:
    """Do all of the only job of a name but its last unit of work."""
    (row,) = rows(runtime, job)
    with pytest.raises(LeaseLost):
        JOBS[job].body(JobRun(runtime, row.id, row.lease - 1, row.args))


def asked(runtime: Runtime) -> list[str]:
    with runtime.context(OPERATOR) as ctx:
        return list(
            ctx.sql(
                "SELECT f.code FROM ask AS a JOIN field AS f ON f.id = a.field_id ORDER BY 1"
            ).scalars()
        )


def test_request_that_is_resolved_twice_has_its_sources_tried_as_often_as_one_that_is_not(
    runtime: Runtime, world: SmallWorld
) -> None:
    offer(runtime, "away", world.field_codes[0], is_down=True)
    submit(runtime, world, world.field_codes[0])
    die_working(runtime, RequestJob.RESOLVE_REQUEST)
    work(runtime, RequestJob.RESOLVE_REQUEST)
    delays = []
    for _ in FETCH_DELAYS_S:
        work(runtime, RequestJob.FETCH_AND_RESOLVE)
        (row,) = rows(runtime, RequestJob.FETCH_AND_RESOLVE)
        delays.append(round(float(row.delay_s)))
        assert asked(runtime) == []
    assert tuple(delays) == FETCH_DELAYS_S
    work(runtime, RequestJob.FETCH_AND_RESOLVE)
    assert rows(runtime, RequestJob.FETCH_AND_RESOLVE) == []
    assert asked(runtime) == [world.field_codes[0]]


def test_request_that_is_resolved_again_between_two_tries_is_tried_by_one_job(
    runtime: Runtime, world: SmallWorld
) -> None:
    offer(runtime, "away", world.field_codes[0], is_down=True)
    submit(runtime, world, world.field_codes[0])
    die_working(runtime, RequestJob.RESOLVE_REQUEST)
    work(runtime, RequestJob.FETCH_AND_RESOLVE)
    work(runtime, RequestJob.RESOLVE_REQUEST)
    (row,) = rows(runtime, RequestJob.FETCH_AND_RESOLVE)
    assert round(float(row.delay_s)) == FETCH_DELAYS_S[0]


@dataclass(frozen=True)
class OvertakenRun(JobRun):
    """A run, during which something else happens before its last unit of work."""

    meanwhile: Callable[[], None] = lambda: None

    @contextmanager
    def last(self) -> Iterator[Context]:
        self.meanwhile()
        with JobRun.last(self) as ctx:
            yield ctx


def fetch_while(runtime: Runtime, meanwhile: Callable[[], None]) -> None:
    (row,) = rows(runtime, RequestJob.FETCH_AND_RESOLVE)
    JOBS[RequestJob.FETCH_AND_RESOLVE].body(
        OvertakenRun(runtime, row.id, row.lease, row.args, meanwhile=meanwhile)
    )


def grant(runtime: Runtime, world: SmallWorld) -> None:
    """The owner consents, and the request is resolved anew at once."""
    with runtime.context(world.principal(0)) as ctx:
        (waiting,) = list_grants(ctx).items
        decide_grant(
            ctx, waiting.id, decision="grant", reason=None, valid_until=None, conditions=None
        )
    work(runtime, RequestJob.RESOLVE_REQUEST)


@pytest.mark.parametrize("is_down", [False, True], ids=["it has nothing", "it is down"])
def test_source_of_a_field_that_is_granted_meanwhile_is_called_before_anybody_is_asked(
    runtime: Runtime, world: SmallWorld, is_down: bool
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, CONDITIONAL, world.agencies[0], category="conditional")
    offer(runtime, "here", world.field_codes[0], is_down=False)
    offer(runtime, "other", CONDITIONAL, is_down=is_down)
    submit(runtime, world, world.field_codes[0], CONDITIONAL)
    work(runtime, RequestJob.RESOLVE_REQUEST)
    fetch_while(runtime, lambda: grant(runtime, world))
    assert asked(runtime) == []
    work(runtime, RequestJob.FETCH_AND_RESOLVE)
    with runtime.context(OPERATOR) as ctx:
        called = ctx.sql(
            "SELECT DISTINCT s.code FROM source_run AS r JOIN source AS s ON s.id = r.source_id "
            "ORDER BY 1"
        ).scalars()
        assert list(called) == ["here", "other"]
    assert asked(runtime) == ([] if is_down else [CONDITIONAL, world.field_codes[0]])


def test_grant_that_is_decided_while_a_job_finds_nothing_to_fetch_is_not_lost(
    runtime: Runtime, world: SmallWorld
) -> None:
    """The region was resolved by the second run of its job, when its only source was switched off."""
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, CONDITIONAL, world.agencies[0], category="conditional")
    offer(runtime, "here", world.field_codes[0], CONDITIONAL, is_down=False)
    request = submit(runtime, world, world.field_codes[0], CONDITIONAL)
    die_working(runtime, RequestJob.RESOLVE_REQUEST)
    switch(runtime, "false")
    work(runtime, RequestJob.RESOLVE_REQUEST)
    assert asked(runtime) == [world.field_codes[0]]

    def meanwhile() -> None:
        switch(runtime, "true")
        grant(runtime, world)

    fetch_while(runtime, meanwhile)
    work(runtime, RequestJob.FETCH_AND_RESOLVE)
    assert asked(runtime) == [CONDITIONAL, world.field_codes[0]]
    with runtime.context(OPERATOR) as ctx:
        state = ctx.sql("SELECT state FROM request WHERE id = :id", id=request).scalar_one()
    assert state == "collecting"


def switch(runtime: Runtime, enabled: str) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(f"UPDATE source SET enabled = {enabled}")
