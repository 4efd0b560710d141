"""A small tree of areas and an agency, for the tests of identity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oneform.areas.service import import_areas
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.models import Agency
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.runtime import Runtime

COUNTY, TOWNSHIP, VILLAGE, OTHER_COUNTY = (
    "420102000000",
    "420102001000",
    "420102001001",
    "420103000000",
)

AREAS = f"""code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
{COUNTY},420100000000,3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGE},{TOWNSHIP},5,车站社区
{OTHER_COUNTY},420100000000,3,江汉区
"""


@pytest.fixture(scope="module")
def module_runtime(module_database_url: str) -> Iterator[Runtime]:
    settings = Settings(
        home=Path("/nonexistent"), database_url=module_database_url, secret_key="k" * 40
    )
    runtime = Runtime(settings)
    yield runtime
    runtime.close()


@pytest.fixture
def ctx(module_runtime: Runtime, clock: FixedClock) -> Iterator[Context]:
    """A unit of work of the operator, rolled back: the tests of a module share a database."""
    module_runtime.clock = clock
    with module_runtime.context(OPERATOR) as ctx:
        yield ctx
        ctx.session.rollback()


@pytest.fixture
def areas(ctx: Context) -> None:
    import_areas(ctx, AREAS.encode())


@pytest.fixture
def agency(ctx: Context, areas: None) -> Agency:
    return add_agency(ctx, AddAgency(code="stats", name="统计局", area=COUNTY))
