"""Adding, importing and disabling people."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from oneform.identity.errors import AlreadyThere
from oneform.identity.models import Agency, Staff
from oneform.identity.people import AddPerson, add_person, disable_person, set_password
from oneform.identity.policy import PUBLIC
from oneform.identity.rosters import import_people
from oneform.identity.sessions import authenticate_password, open_session, principal_of_session
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, NotFound, Unauthenticated

VILLAGE = "420102001001"
FILE = f"""username,name,roles,area,agency,password
zhang,张三,staff,{VILLAGE},,first-password
li,李四,staff township_reviewer,420102001000,,
Wang,王五,agency_clerk,420102000000,stats,other-password
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    return path


def test_person_is_added_with_roles_area_and_agency(ctx: Context, agency: Agency) -> None:
    person = add_person(
        ctx,
        AddPerson(
            username="Zhang",
            name="张三",
            roles=["staff", "agency_clerk", "staff"],
            area=VILLAGE,
            agency="stats",
        ),
    )
    assert person.username == "zhang"
    assert person.roles == ("agency_clerk", "staff")
    assert (person.area, person.area_name, person.agency) == (VILLAGE, "车站社区", "stats")


def test_every_mistake_of_a_new_person_is_named(ctx: Context, areas: None) -> None:
    command = AddPerson(
        username="two words",
        roles=["staff", "king"],
        area="999999999999",
        agency="nobody",
        password="short",
    )
    with pytest.raises(Invalid) as caught:
        add_person(ctx, command)
    pointers = {mistake.pointer for mistake in caught.value.mistakes}
    assert pointers == {"/roles", "/username", "/area", "/agency", "/password"}


@pytest.mark.parametrize("role", ["agency_clerk", "source_owner"])
def test_roles_that_act_for_an_agency_need_one(ctx: Context, areas: None, role: str) -> None:
    with pytest.raises(Invalid) as caught:
        add_person(ctx, AddPerson(username="x", roles=[role], area=VILLAGE))
    assert [mistake.code for mistake in caught.value.mistakes] == ["needs-agency"]


def test_person_without_role_is_refused(ctx: Context, areas: None) -> None:
    with pytest.raises(Invalid):
        add_person(ctx, AddPerson(username="x", roles=[], area=VILLAGE))


def test_usernames_differ_by_more_than_case_and_width(ctx: Context, areas: None) -> None:
    add_person(ctx, AddPerson(username="zhang", roles=["staff"], area=VILLAGE))
    with pytest.raises(AlreadyThere):
        add_person(ctx, AddPerson(username="ＺＨＡＮＧ", roles=["staff"], area=VILLAGE))


def test_only_the_operator_handles_people(ctx: Context, areas: None, file: Path) -> None:
    nobody = ctx.acting_as(PUBLIC)
    command = AddPerson(username="x", roles=["staff"], area=VILLAGE)
    for attempt in (
        lambda: add_person(nobody, command),
        lambda: import_people(nobody, file),
        lambda: disable_person(nobody, "x"),
        lambda: set_password(nobody, "x", "long enough"),
    ):
        with pytest.raises(Unauthenticated):
            attempt()


def test_disabled_person_is_out_at_once(ctx: Context, areas: None) -> None:
    add_person(
        ctx, AddPerson(username="zhang", roles=["staff"], area=VILLAGE, password="long enough")
    )
    person = authenticate_password(ctx, "zhang", "long enough")
    assert person is not None
    token = open_session(ctx, person).token
    ctx.session.flush()
    assert principal_of_session(ctx, token) is not None
    disable_person(ctx, "zhang")
    ctx.session.flush()
    assert principal_of_session(ctx, token) is None
    assert authenticate_password(ctx, "zhang", "long enough") is None
    with pytest.raises(NotFound):
        disable_person(ctx, "nobody")


def test_new_password_ends_sessions_and_replaces_the_old_one(ctx: Context, areas: None) -> None:
    add_person(
        ctx, AddPerson(username="zhang", roles=["staff"], area=VILLAGE, password="long enough")
    )
    person = authenticate_password(ctx, "zhang", "long enough")
    assert person is not None
    token = open_session(ctx, person).token
    set_password(ctx, "zhang", "another one")
    assert principal_of_session(ctx, token) is None
    assert authenticate_password(ctx, "zhang", "long enough") is None
    assert authenticate_password(ctx, "zhang", "another one") is not None
    with pytest.raises(Invalid):
        set_password(ctx, "zhang", "short")


def test_file_of_people_is_imported(ctx: Context, agency: Agency, file: Path) -> None:
    assert import_people(ctx, file) == {"created": 3, "updated": 0, "unchanged": 0}
    assert authenticate_password(ctx, "zhang", "first-password") is not None
    assert authenticate_password(ctx, "WANG", "other-password") is not None
    assert authenticate_password(ctx, "li", "") is None


def test_file_of_people_imported_twice_changes_nothing(
    ctx: Context, agency: Agency, file: Path
) -> None:
    import_people(ctx, file)
    before = dict(ctx.sql("SELECT username, password_hash FROM staff").all())
    assert import_people(ctx, file) == {"created": 0, "updated": 0, "unchanged": 3}
    assert dict(ctx.sql("SELECT username, password_hash FROM staff").all()) == before


def test_changed_line_updates_roles_but_no_password(
    ctx: Context, agency: Agency, file: Path
) -> None:
    import_people(ctx, file)
    file.write_text(FILE.replace("staff township_reviewer", "supervisor").replace("first", "next"))
    assert import_people(ctx, file) == {"created": 0, "updated": 1, "unchanged": 2}
    roles = ctx.sql(
        "SELECT role FROM staff_role JOIN staff ON id = staff_id WHERE username = 'li'"
    ).scalars()
    assert list(roles) == ["supervisor"]
    assert authenticate_password(ctx, "zhang", "first-password") is not None


def test_every_broken_line_is_named_and_nothing_imported(
    ctx: Context, areas: None, file: Path
) -> None:
    file.write_text(
        "username,roles,area,agency,password\n"
        f"a,king,{VILLAGE},,\n"
        "b,staff,1,,\n"
        f"c,staff,{VILLAGE},nobody,\n"
        f"d,staff,{VILLAGE},,short\n"
        f"e e,staff,{VILLAGE},,\n"
        f"f,agency_clerk,{VILLAGE},,\n"
        f"A,staff,{VILLAGE},,\n"
    )
    with pytest.raises(Invalid) as caught:
        import_people(ctx, file)
    found = {(mistake.pointer, mistake.code) for mistake in caught.value.mistakes}
    assert found == {
        ("line 2", "choice"),
        ("line 3", "unknown-area"),
        ("line 4", "unknown-agency"),
        ("line 5", "length"),
        ("line 6", "pattern"),
        ("line 7", "needs-agency"),
        ("line 8", "double"),
    }
    assert ctx.session.scalar(sa.select(sa.func.count()).select_from(Staff)) == 0


def test_empty_cells_hide_no_other_mistake(ctx: Context, areas: None, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"username,roles,area\n,king,{VILLAGE}\nli,,1\nwu,staff\nhe,king,\n")
    with pytest.raises(Invalid) as caught:
        import_people(ctx, path)
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [
        ("line 2", "required"),
        ("line 2", "choice"),
        ("line 3", "required"),
        ("line 3", "unknown-area"),
        ("line 4", "cells"),
        ("line 5", "required"),
        ("line 5", "choice"),
    ]
