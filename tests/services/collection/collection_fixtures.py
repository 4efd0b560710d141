"""A county with fields and people for all tests of a module; what a test does is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import (
    COUNTY,
    FAR_VILLAGE,
    FOREIGN_VILLAGE,
    PROVINCE,
    TOWNSHIP,
    VILLAGE,
    about_residents,
    assert_balanced,
    field,
    make_agency,
    make_county,
    make_fields,
    make_person,
)

from oneform.config import Settings
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.runtime import Runtime

FIELDS = (
    field("test.people", soft_checks=[{"change_over_previous": 0.3}]),
    field("test.old", soft_checks=[{"at_most": "test.people"}]),
    field(
        "test.men",
        soft_checks=[
            {"parts_sum_to": {"total": "test.people", "parts": ["test.men", "test.women"]}}
        ],
    ),
    field("test.women"),
    field("test.reviewed", review="township"),
    field("test.care", schema={"type": "string", "code_list": "care_status"}, unit=None),
    field(
        "road.paved", schema={"type": "boolean"}, unit=None, period_type="none", valid_for="P30D"
    ),
    field("road.checked", review="township", period_type="none", valid_for="P30D"),
    field("road.length", schema={"type": "number"}, unit="km", collected_at="township"),
    about_residents("resident.age"),
)


@dataclass(frozen=True, slots=True)
class World:
    """Who there is. Staff are named by where they work."""

    health: Principal
    civil: Principal
    village: Principal
    colleague: Principal
    far_village: Principal
    foreign_village: Principal
    township: Principal
    reviewer: Principal
    county_reviewer: Principal
    catalog_admin: Principal


@pytest.fixture(scope="module")
def module_runtime(module_database_url: str) -> Iterator[Runtime]:
    settings = Settings(
        home=Path("/nonexistent"), database_url=module_database_url, secret_key="k" * 40
    )
    runtime = Runtime(settings)
    yield runtime
    runtime.close()


def make_world(ctx: Context) -> World:
    make_county(ctx)
    make_fields(ctx, *FIELDS)
    return World(
        health=make_agency(ctx, "health"),
        civil=make_agency(ctx, "civil"),
        village=make_person(ctx, "wang", "staff", VILLAGE),
        colleague=make_person(ctx, "zhao", "staff", VILLAGE),
        far_village=make_person(ctx, "chen", "staff", FAR_VILLAGE),
        foreign_village=make_person(ctx, "liu", "staff", FOREIGN_VILLAGE),
        township=make_person(ctx, "zhou", "staff", TOWNSHIP),
        reviewer=make_person(ctx, "li", "township_reviewer", TOWNSHIP),
        county_reviewer=make_person(ctx, "sun", "township_reviewer", COUNTY),
        catalog_admin=make_person(ctx, "qian", "catalog_admin", PROVINCE),
    )


@pytest.fixture(scope="module")
def module_world(module_runtime: Runtime) -> World:
    with module_runtime.context(OPERATOR) as ctx:
        return make_world(ctx)


@pytest.fixture
def world(module_world: World) -> World:
    return module_world


@pytest.fixture
def ctx(module_runtime: Runtime, module_world: World, clock: FixedClock) -> Iterator[Context]:
    """A unit of work of the operator, rolled back; whatever a test does, the books balance."""
    module_runtime.clock = clock
    with module_runtime.context(OPERATOR) as ctx:
        yield ctx
        assert_balanced(ctx)
        ctx.session.rollback()


@pytest.fixture
def count_statements(module_runtime: Runtime) -> Callable[[], AbstractContextManager[list[str]]]:
    """Lists the statements that are sent while it is open."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        sa.event.listen(module_runtime.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            sa.event.remove(module_runtime.engine, "before_cursor_execute", note)

    return counting
