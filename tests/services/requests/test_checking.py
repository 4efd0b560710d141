"""What a check foretells is what a request then does."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from factories import field, make_agency, make_fields, resolve_request

from oneform.areas.service import import_areas
from oneform.identity.policy import OPERATOR
from oneform.requests.checking import check_request
from oneform.requests.commands import SubmitRequest
from oneform.requests.service import submit_request
from oneform.runtime import Runtime

COUNTY, TOWNSHIP, VILLAGES = "420102000000", "420102001000", ("420102001001", "420102001002")
FROM_THE_PROVINCE = f"""420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
{COUNTY},420100000000,3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGES[0]},{TOWNSHIP},5,车站社区
{VILLAGES[1]},{TOWNSHIP},5,保成社区
"""
FROM_THE_COUNTY = f"""{COUNTY},,3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGES[0]},{TOWNSHIP},5,车站社区
{VILLAGES[1]},{TOWNSHIP},5,保成社区
"""
WITHOUT_PREFECTURE = f"""420000000000,,1,湖北省
{COUNTY},420000000000,3,仙桃市
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGES[0]},{TOWNSHIP},5,车站社区
{VILLAGES[1]},{TOWNSHIP},5,保成社区
"""
ONE_WITHOUT_TOWNSHIP = f"""420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
{COUNTY},420100000000,3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGES[0]},{TOWNSHIP},5,车站社区
{VILLAGES[1]},{COUNTY},5,直属农场
"""


@pytest.mark.parametrize(
    ("tree", "collected_at", "units"),
    [
        (FROM_THE_PROVINCE, ["township"], 1),
        (FROM_THE_PROVINCE, ["township", "village"], 3),
        (FROM_THE_COUNTY, ["township"], 1),
        (FROM_THE_COUNTY, ["village"], 2),
        (FROM_THE_COUNTY, ["prefecture"], 2),
        (WITHOUT_PREFECTURE, ["township", "county"], 2),
        (ONE_WITHOUT_TOWNSHIP, ["township"], 2),
    ],
)
def test_as_many_units_are_asked_as_a_check_has_said(
    runtime: Runtime, tree: str, collected_at: list[str], units: int
) -> None:
    codes = [f"test.by_{level}" for level in collected_at]
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, f"code,parent_code,level,name\n{tree}".encode())
        make_fields(
            ctx,
            *(
                field(code, collected_at=level)
                for code, level in zip(codes, collected_at, strict=True)
            ),
        )
        agency = make_agency(ctx, "health", COUNTY)
        command = SubmitRequest(
            title="年度调查",
            purpose="规划",
            legal_basis="《统计法》",
            fields=codes,
            areas=[COUNTY],
            level="village",
            period="2026",
            due=ctx.today() + dt.timedelta(days=20),
        )
    with runtime.context(agency) as ctx:
        told = check_request(ctx, command)
        request = submit_request(ctx, command).id
    with runtime.context(OPERATOR) as ctx:
        resolve_request(ctx, request)
        asked = ctx.sql("SELECT count(DISTINCT unit_id) AS units, count(*) AS n FROM ask").one()
    assert (asked.units, told.units_to_ask) == (units, units)
    assert told.coverage.to_ask == asked.n == 2 * len(codes)


def test_nobody_is_to_be_asked_for_what_is_left_as_it_is(runtime: Runtime) -> None:
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, f"code,parent_code,level,name\n{FROM_THE_COUNTY}".encode())
        make_fields(ctx, field("test.by_village"))
        agency = make_agency(ctx, "health", COUNTY)
        command = SubmitRequest(
            title="年度调查",
            purpose="规划",
            legal_basis="《统计法》",
            fields=["test.by_village"],
            areas=[COUNTY],
            level="village",
            period="2026",
            due=ctx.today() + dt.timedelta(days=20),
        )
    with runtime.context(agency) as ctx:
        asking = check_request(ctx, command)
        leaving = check_request(ctx, dataclasses.replace(command, gap="leave"))
    assert (asking.coverage.to_ask, asking.units_to_ask) == (2, 2)
    assert (leaving.coverage.unavailable, leaving.units_to_ask) == (2, 0)
