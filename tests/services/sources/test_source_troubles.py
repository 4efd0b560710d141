"""A source that goes wrong as nobody thought of: a failed run on record, and the request goes on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from source_fixtures import COUNTY, Definition, with_settings

from oneform.identity.policy import (
    OPERATOR,
    ORDINARY_SCOPES,
    Principal,
    permissions_of_scopes,
)
from oneform.kernel.actor import SYSTEM
from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake
from oneform.requests.commands import SubmitRequest
from oneform.requests.reading import get_request
from oneform.requests.resolving import fetch_and_resolve
from oneform.requests.service import submit_request
from oneform.runtime import Runtime
from oneform.sources import fetching
from oneform.sources.connectors import registry
from oneform.sources.connectors.base import Batch, Bounds, FetchQuery, ProbeResult
from oneform.sources.errors import SourceUnavailable
from oneform.sources.fetching import SourcePlan, fetch_region, run_source
from oneform.sources.probing import probe_source
from oneform.sources.runs import RunState, RunView, list_refused, list_runs, start_run
from oneform.sources.service import SourceView, add_source
from oneform.sources.spool import SpoolFailed

Offer = Callable[..., SourceView]
SECRET = "hunter2"


class BrokenConnector:
    """A connector of somebody else's, with a bug."""

    settings_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}
    trouble: ClassVar[Exception] = LookupError(f"no {SECRET} here")

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], bounds: Bounds
    ) -> None:
        pass

    @classmethod
    def hide(cls, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        return dict(settings), {}

    @classmethod
    def review(cls, settings: Mapping[str, Any], bounds: Bounds) -> list[Mistake]:
        return []

    @classmethod
    def secret_names(cls, settings: Mapping[str, Any]) -> dict[str, str]:
        return {}

    @classmethod
    def destination(cls, settings: Mapping[str, Any]) -> str:
        return ""

    def probe(self) -> ProbeResult:
        raise self.trouble

    def fetch(self, query: FetchQuery) -> Generator[Batch, None, None]:
        yield []
        raise self.trouble


@pytest.fixture
def broken(offered: Offer, monkeypatch: pytest.MonkeyPatch) -> SourceView:
    """A source that is read by it."""
    point = EntryPoint("broken", f"{__name__}:BrokenConnector", registry.GROUP)
    known = registry._points()
    monkeypatch.setattr(registry, "_points", lambda: {**known, "broken": point})
    monkeypatch.setattr(fetching, "RETRY_PAUSES_S", (0.01, 0.01))
    return offered(kind="broken", settings={})


@pytest.fixture
def sealed(offered: Offer, runtime: Runtime) -> Iterator[tuple[SourceView, Runtime]]:
    """A source with a password, and the installation with another secret key."""
    url = sa.make_url(runtime.settings.database_url).set(
        username="reader", password=SECRET, host="127.0.0.1"
    )
    settings = {"url": url.render_as_string(hide_password=False), "table": "dept.villages"}
    other = with_settings(runtime, secret_key="z" * 40)
    yield offered(settings=settings), other
    other.close()


def plan_of(source: SourceView, held: Any, field: str = "pop.total") -> SourcePlan:
    return SourcePlan(source.id, source.code, (held.field(field),), owner=True)


def last_run(runtime: Runtime, source: SourceView) -> RunView:
    with runtime.context(OPERATOR) as ctx:
        return list_runs(ctx, source.code).items[0]


@dataclass(frozen=True)
class Run:
    """A run of a job, without its outbox row."""

    runtime: Runtime

    def context(self) -> AbstractContextManager[Context]:
        return self.runtime.context(SYSTEM)

    @contextmanager
    def last(self) -> Iterator[Context]:
        with self.context() as ctx:
            yield ctx


def ask_for(runtime: Runtime, agency: Principal, field: str) -> uuid.UUID:
    """A request for a field of the county's villages."""
    client = replace(agency, permissions=permissions_of_scopes(ORDINARY_SCOPES))
    with runtime.context(client) as ctx:
        command = SubmitRequest(
            title="年度调查",
            purpose="规划",
            legal_basis="《统计法》",
            fields=[field],
            areas=[COUNTY],
            level="village",
            period="2025",
            due=ctx.today() + dt.timedelta(days=20),
        )
        return submit_request(ctx, command).id


def test_value_that_no_number_can_be_is_put_aside_alone(
    runtime: Runtime, department: sa.Engine, offered: Offer, held: Any
) -> None:
    with department.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE dept.odd (code text, year text, status numeric)")
        connection.exec_driver_sql(
            "INSERT INTO dept.odd VALUES ('420102001001', '2025', 'Infinity'), "
            "('420102001002', '2025', 1)"
        )
    source = offered(
        code="civil.odd",
        agency="civil",
        settings={"url": runtime.settings.database_url, "table": "dept.odd"},
        fields={"aid.status": {"column": "status", "codes": {"7": "1"}}},
    )
    report = fetch_region(runtime, plan_of(source, held, "aid.status"), held.region())
    assert held.values() == {("420102001002", "aid.status", "2025"): "1"}
    with runtime.context(OPERATOR) as ctx:
        (put_aside,) = list_refused(ctx, source.code, report.run_id or uuid.uuid4()).items
    assert (put_aside.subject, put_aside.value) == ("420102001001", "Infinity")


def test_seal_of_another_key_is_a_failed_run_on_record(
    sealed: tuple[SourceView, Runtime], runtime: Runtime, held: Any
) -> None:
    source, other = sealed
    report = fetch_region(other, plan_of(source, held), held.region())
    run = last_run(runtime, source)
    assert (run.id, run.state) == (report.run_id, RunState.FAILED)
    assert run.error == report.error
    assert "secret key" in str(run.error)
    with runtime.context(OPERATOR) as ctx:
        whole = start_run(ctx, source.code, now=True)
    assert run_source(other, whole.id).error == report.error
    assert last_run(runtime, source).state is RunState.FAILED


def test_request_goes_on_to_people_when_the_seal_is_broken(
    sealed: tuple[SourceView, Runtime], runtime: Runtime, owner: Any, held: Any
) -> None:
    _, other = sealed
    request_id = ask_for(runtime, owner("civil"), "pop.total")
    fetch_and_resolve(Run(other), request_id, held.region())
    with runtime.context(OPERATOR) as ctx:
        request = get_request(ctx, request_id)
    assert (request.state, request.cells.asked) == ("collecting", 3)


def test_bug_of_a_connector_is_a_failed_run_without_its_words(
    broken: SourceView, runtime: Runtime, held: Any
) -> None:
    report = fetch_region(runtime, plan_of(broken, held), held.region())
    run = last_run(runtime, broken)
    assert (run.state, run.error) == (RunState.FAILED, report.error)
    assert "LookupError" in str(run.error)
    assert SECRET not in str(run.error)
    probed = probe_source(runtime, broken.code)
    assert (probed.ok, probed.detail) == (False, report.error)


def test_connection_that_a_connector_loses_is_a_source_that_is_down(
    broken: SourceView, runtime: Runtime, held: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BrokenConnector, "trouble", ConnectionResetError(104, "Connection reset"))
    with pytest.raises(SourceUnavailable, match="Connection reset"):
        fetch_region(runtime, plan_of(broken, held), held.region())
    assert last_run(runtime, broken).state is RunState.FAILED


def test_full_disk_of_ours_is_no_fault_of_the_source(
    offered: Offer, runtime: Runtime, held: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = offered()
    monkeypatch.setattr("oneform.sources.spool.MAX_IN_MEMORY", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SpoolFailed):
        fetch_region(runtime, plan_of(source, held), held.region())


def test_file_that_cannot_be_read_half_way_is_down(
    definition: Definition, runtime: Runtime, held: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the kernel's memory file every read of the first page is an input/output error."""
    monkeypatch.setattr(fetching, "RETRY_PAUSES_S", ())
    machine = with_settings(runtime, allow_files=("/proc/self",))
    with machine.context(OPERATOR) as ctx:
        source = add_source(
            ctx, definition(kind="file", settings={"path": "mem"}), machine.settings
        )
    with pytest.raises(SourceUnavailable, match="mem cannot be read: Input/output error"):
        fetch_region(machine, plan_of(source, held), held.region())
    assert not probe_source(machine, source.code).ok
    machine.close()
