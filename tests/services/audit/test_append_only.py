"""What is on record stays as it was written, whoever asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import field, make_agency, make_county, make_fields, make_request

from oneform.areas.models import AreaChange
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.ids import new_id
from oneform.requests.models import Rejection, Release
from oneform.runtime import Runtime
from oneform.values.models import ProvenanceKind
from oneform.values.recording import open_provenance


@pytest.fixture(scope="module")
def record(module_database_url: str) -> Iterator[Runtime]:
    """A house with a row in each of the tables."""
    settings = Settings(
        home=Path("/nonexistent"), database_url=module_database_url, secret_key="k" * 40
    )
    runtime = Runtime(settings, clock=FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC)))
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        make_fields(ctx, field("test.people"))
        agency = make_agency(ctx, "health")
        request = make_request(ctx, agency, ["test.people"])
        assert agency.agency_id is not None
        audit.append(ctx, Tag.AREAS_IMPORTED)
        open_provenance(ctx, ProvenanceKind.IMPORT)
        ctx.session.add(AreaChange(kind="open", on_date=dt.date(2026, 1, 1)))
        ctx.session.add(
            Rejection(
                id=new_id(),
                agency_id=agency.agency_id,
                submitted_by="health",
                title="调查",
                purpose="规划",
                legal_basis="无",
                demand={},
                rejected_fields=[],
            )
        )
        ctx.session.add(
            Release(
                id=new_id(),
                agency_id=agency.agency_id,
                actor_label="health",
                request_id=request,
                purpose="规划",
                format="csv",
                layout="long",
                fields=["test.people"],
                areas=[],
                filters={},
                values_count=3,
            )
        )
    yield runtime
    runtime.close()


@pytest.fixture
def ctx(record: Runtime) -> Iterator[Context]:
    with record.context(OPERATOR) as ctx:
        yield ctx
        ctx.session.rollback()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("audit_event", "tag"),
        ("rejection", "purpose"),
        ("release", "purpose"),
        ("area_change", "old_code"),
        ("provenance", "actor_label"),
    ],
)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_what_is_on_record_is_neither_changed_nor_deleted(
    ctx: Context, verb: str, table: str, column: str
) -> None:
    assert ctx.sql(f"SELECT count(*) FROM {table}").scalar_one() > 0
    statement = f"UPDATE {table} SET {column} = 'x'" if verb == "UPDATE" else f"DELETE FROM {table}"
    with pytest.raises(sa.exc.IntegrityError, match=f"{table} is append only"):
        ctx.sql(statement)


def test_a_release_ends_once(ctx: Context) -> None:
    ending = "UPDATE release SET finished_at = clock_timestamp()"
    ctx.sql(ending)
    with pytest.raises(sa.exc.IntegrityError, match="release is append only"):
        ctx.sql(ending)


def test_the_values_of_a_release_are_put_right_only_when_it_ends(ctx: Context) -> None:
    ctx.sql("SAVEPOINT before")
    with pytest.raises(sa.exc.IntegrityError, match="release is append only"):
        ctx.sql("UPDATE release SET values_count = 4")
    ctx.sql("ROLLBACK TO before")
    ctx.sql("UPDATE release SET values_count = 4, finished_at = clock_timestamp()")
    with pytest.raises(sa.exc.IntegrityError, match="release is append only"):
        ctx.sql("UPDATE release SET values_count = 5, finished_at = clock_timestamp()")
