"""Whoever acts for an agency reaches no further than it does (DESIGN.md §4, point 8)."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from oneform.identity.agencies import AddAgency, add_agency, import_agencies
from oneform.identity.models import Agency, Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import AGENCY_ROLES, Principal, Role
from oneform.identity.rosters import import_people
from oneform.identity.sessions import open_session, principal_of_session
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake

PROVINCE, CITY, COUNTY, OTHER_COUNTY = (
    "420000000000",
    "420100000000",
    "420102000000",
    "420103000000",
)
TOWNSHIP, VILLAGE = "420102001000", "420102001001"


def principal(ctx: Context, username: str) -> Principal:
    """Who somebody is with a session opened now."""
    person = ctx.session.scalars(sa.select(Staff).where(Staff.username == username)).one()
    token = open_session(ctx, person).token
    ctx.session.flush()
    found = principal_of_session(ctx, token)
    assert found is not None
    return found


def path_of(ctx: Context, code: str) -> str:
    path: str = ctx.sql("SELECT path FROM area WHERE code = :code", code=code).scalar_one()
    return path


def add(ctx: Context, *roles: Role, area: str, agency: str | None = "stats") -> list[Mistake]:
    """Add a person `x`; what is wrong with them."""
    try:
        add_person(ctx, AddPerson(username="x", roles=roles, area=area, agency=agency))
    except Invalid as error:
        return list(error.mistakes)
    return []


def move_agency(ctx: Context, folder: Path, area: str) -> None:
    path = folder / "agencies.csv"
    path.write_text(f"code,name,area\nstats,统计局,{area}\n")
    import_agencies(ctx, path)


@pytest.mark.parametrize("role", sorted(AGENCY_ROLES))
@pytest.mark.parametrize("area", [PROVINCE, CITY, OTHER_COUNTY])
def test_area_outside_the_agencys_is_refused(
    ctx: Context, agency: Agency, role: Role, area: str
) -> None:
    assert add(ctx, Role.STAFF, role, area=area) == [
        Mistake(
            "/area",
            "outside-agency",
            f"{area} is outside the area {COUNTY} of the agency stats",
        )
    ]


@pytest.mark.parametrize("area", [COUNTY, TOWNSHIP, VILLAGE])
def test_area_within_the_agencys_is_the_reach(ctx: Context, agency: Agency, area: str) -> None:
    assert add(ctx, Role.AGENCY_CLERK, area=area) == []
    assert principal(ctx, "x").area_path == path_of(ctx, area)


def test_roles_that_do_not_act_for_an_agency_reach_as_far_as_they_are_given(
    ctx: Context, agency: Agency
) -> None:
    assert add(ctx, Role.SUPERVISOR, area=PROVINCE) == []
    assert principal(ctx, "x").area_path == path_of(ctx, PROVINCE)


def test_agency_without_an_area_has_nobody_who_acts_for_it(ctx: Context, agency: Agency) -> None:
    ctx.session.add(Agency(code="civil", name={"zh": "民政局"}))
    ctx.session.flush()
    (mistake,) = add(ctx, Role.SOURCE_OWNER, area=VILLAGE, agency="civil")
    assert (mistake.pointer, mistake.code) == ("/area", "outside-agency")
    assert "has no area yet" in mistake.detail
    add_agency(ctx, AddAgency(code="civil", name="民政局", area=TOWNSHIP))
    assert add(ctx, Role.SOURCE_OWNER, area=VILLAGE, agency="civil") == []


def test_every_line_of_a_file_that_reaches_beyond_its_agency_is_named(
    ctx: Context, agency: Agency, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "username,roles,area,agency\n"
        f"a,agency_clerk,{CITY},stats\n"
        f"b,agency_clerk,{COUNTY},stats\n"
        f"c,supervisor,{PROVINCE},stats\n"
        f"d,staff source_owner,{OTHER_COUNTY},stats\n"
    )
    with pytest.raises(Invalid) as caught:
        import_people(ctx, path)
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [
        ("line 2", "outside-agency"),
        ("line 5", "outside-agency"),
    ]


def test_file_gives_nobody_who_is_there_a_larger_area_than_their_agencys(
    ctx: Context, agency: Agency, tmp_path: Path
) -> None:
    assert add(ctx, Role.AGENCY_CLERK, area=VILLAGE) == []
    path = tmp_path / "people.csv"
    path.write_text(f"username,roles,area,agency\nx,agency_clerk,{PROVINCE},stats\n")
    with pytest.raises(Invalid):
        import_people(ctx, path)
    assert principal(ctx, "x").area_path == path_of(ctx, VILLAGE)


def test_people_follow_when_the_area_of_their_agency_changes(
    ctx: Context, agency: Agency, tmp_path: Path
) -> None:
    assert add(ctx, Role.AGENCY_CLERK, area=COUNTY) == []
    told = {}
    for area in (TOWNSHIP, OTHER_COUNTY, "", PROVINCE):
        move_agency(ctx, tmp_path, area)
        actor = principal(ctx, "x")
        told[area] = (actor.area_path, actor.area_id)
    ids = {
        code: int(path_of(ctx, code).rstrip("/").rsplit("/", 1)[1]) for code in (COUNTY, TOWNSHIP)
    }
    nowhere = (None, None)
    assert told == {
        TOWNSHIP: (path_of(ctx, TOWNSHIP), ids[TOWNSHIP]),
        OTHER_COUNTY: nowhere,
        "": nowhere,
        PROVINCE: (path_of(ctx, COUNTY), ids[COUNTY]),
    }
