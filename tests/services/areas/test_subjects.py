"""Subjects in their ledgers: listing, entering, moving, closing; reach and races."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import wait_until_blocked

from oneform.areas import queries, subjects
from oneform.areas.errors import SubjectExists, UnknownArea, UnknownSubject
from oneform.areas.events import SubjectClosed, SubjectMoved
from oneform.areas.subjects import ChangeSubject, CreateSubject, SubjectView
from oneform.identity.policy import OPERATOR, Principal, Role, permissions_of_roles
from oneform.kernel import locks
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid, NotFound, Stale
from oneform.kernel.paging import BadCursor
from oneform.runtime import Runtime

COUNTY, OTHER_COUNTY, TOWNSHIP = "420102000000", "420103000000", "420102002000"
V1, V2, V4 = "420102002003", "420102002004", "420103006002"
IDENTITY = "42010219990101123X"


def add_kinds(runtime: Runtime) -> Runtime:
    """Two kinds of subject, one of them personal."""
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO subject_kind (code, name, key_schema, personal) VALUES "
            """('household', '{"zh": "户"}', '{"type": "string", "pattern": "^H[0-9]+$"}', false),"""
            """('resident', '{"zh": "居民"}', NULL, true)"""
        )
    return runtime


@pytest.fixture
def ledger(small: Runtime) -> Runtime:
    return add_kinds(small)


@pytest.fixture(scope="module")
def read_ledger(library: Runtime) -> Runtime:
    """The same for tests that leave it as it is."""
    return add_kinds(library)


def staff_of(runtime: Runtime, code: str, role: Role = Role.STAFF) -> Principal:
    with runtime.context(OPERATOR) as ctx:
        area = queries.area_by_code(ctx, code)
    return Principal(
        kind=ActorKind.PERSON,
        id="1",
        label=code,
        area_id=area.id,
        area_path=area.path,
        permissions=permissions_of_roles([role]),
    )


def enter(
    runtime: Runtime, area: str, key: str = "H1", kind: str = "household", name: str = "张家"
) -> SubjectView:
    with runtime.context(OPERATOR) as ctx:
        return subjects.create_subject(ctx, CreateSubject(kind=kind, key=key, name=name, area=area))


def keys(ctx: Context, **given: str) -> list[str]:
    return [view.key for view in subjects.list_subjects(ctx, **given).items]  # type: ignore[arg-type]


# ---- entering ----------------------------------------------------------------------


def test_staff_enter_subjects_into_their_own_ledger(ledger: Runtime) -> None:
    with ledger.context(staff_of(ledger, V1)) as ctx:
        view = subjects.create_subject(ctx, CreateSubject(kind="household", key="H1", name="张家"))
        assert (view.area, view.kind, view.key, view.name) == (V1, "household", "H1", "张家")
        assert subjects.get_subject(ctx, view.id) == view
        region = queries.area_by_code(ctx, COUNTY).id
    assert view.id.startswith(f"{region}-")


def test_staff_cannot_enter_subjects_elsewhere(read_ledger: Runtime) -> None:
    with read_ledger.context(staff_of(read_ledger, V1)) as ctx:
        for area in (V2, TOWNSHIP, V4):
            with pytest.raises(Forbidden):
                subjects.create_subject(
                    ctx, CreateSubject(kind="household", key="H1", name="张家", area=area)
                )


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ({"kind": "area"}, [("/kind", "area_kind")]),
        ({"kind": "ghost"}, [("/kind", "unknown_kind")]),
        ({"kind": "\x00"}, [("/kind", "unknown_kind")]),
        ({"key": "1"}, [("/key", "key")]),
        ({"key": ""}, [("/key", "empty")]),
        ({"key": "H\x001"}, [("/key", "control_character")]),
        ({"name": " "}, [("/name", "empty")]),
        ({"name": "\ud800"}, [("/name", "control_character")]),
        ({"name": "家" * 201}, [("/name", "too_long")]),
        ({"area": "420199000000"}, [("/area", "unknown_area")]),
        ({"area": "\x00"}, [("/area", "unknown_area")]),
        ({"area": None}, [("/area", "required")]),
        (
            {"kind": "ghost", "key": "", "name": "", "area": "1"},
            [
                ("/key", "empty"),
                ("/name", "empty"),
                ("/kind", "unknown_kind"),
                ("/area", "unknown_area"),
            ],
        ),
    ],
)
def test_subject_with_mistakes_is_refused_with_all_of_them(
    read_ledger: Runtime, command: dict[str, str], found: list[tuple[str, str]]
) -> None:
    given = {"kind": "household", "key": "H1", "name": "张家", "area": V1} | command
    with read_ledger.context(OPERATOR) as ctx:
        with pytest.raises(Invalid) as refused:
            subjects.create_subject(ctx, CreateSubject(**given))
    assert [(mistake.pointer, mistake.code) for mistake in refused.value.mistakes] == found


def test_key_is_active_once_in_a_region_and_may_come_again_when_closed(ledger: Runtime) -> None:
    first = enter(ledger, V1)
    with pytest.raises(SubjectExists):
        enter(ledger, V2)
    enter(ledger, V4)
    with ledger.context(OPERATOR) as ctx:
        subjects.change_subject(ctx, first.id, ChangeSubject(active_to=dt.date(2026, 3, 1)))
    assert enter(ledger, V2).id != first.id


def test_subject_that_moved_in_from_another_region_is_known(ledger: Runtime) -> None:
    moved = enter(ledger, V4)
    with ledger.context(OPERATOR) as ctx:
        subjects.change_subject(ctx, moved.id, ChangeSubject(area=V1))
    with ledger.context(staff_of(ledger, V1)) as ctx, pytest.raises(SubjectExists):
        subjects.create_subject(ctx, CreateSubject(kind="household", key="H1", name="张家"))


def test_same_subject_entered_twice_at_once_is_there_once(ledger: Runtime) -> None:
    start = threading.Barrier(4)

    def entering(_: int) -> bool:
        start.wait()
        try:
            enter(ledger, V1)
        except SubjectExists:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(entering, range(4))) == [False, False, False, True]


# ---- reading -----------------------------------------------------------------------


def test_list_shows_what_is_at_or_below_an_area_within_reach(ledger: Runtime) -> None:
    for number, area in enumerate((V1, V1, V2, V4)):
        enter(ledger, area, f"H{number}")
    with ledger.context(staff_of(ledger, V1)) as ctx:
        assert keys(ctx, kind="household") == ["H0", "H1"]
        assert keys(ctx) == [V1, "H0", "H1"]
        for area in (V2, TOWNSHIP, V4):
            with pytest.raises(Forbidden):
                keys(ctx, area=area)
    with ledger.context(staff_of(ledger, TOWNSHIP, Role.TOWNSHIP_REVIEWER)) as ctx:
        assert keys(ctx, kind="household") == ["H0", "H1", "H2"]
        assert keys(ctx, kind="household", area=V2) == ["H2"]
        with pytest.raises(NotFound):
            keys(ctx, kind="ghost")


def test_agency_reads_no_subjects(read_ledger: Runtime) -> None:
    with read_ledger.context(staff_of(read_ledger, COUNTY, Role.AGENCY_CLERK)) as ctx:
        with pytest.raises(Forbidden):
            keys(ctx)


def test_personal_key_is_masked(ledger: Runtime) -> None:
    view = enter(ledger, V1, IDENTITY, "resident", "张三")
    assert view.key == "420***********123X"
    with ledger.context(OPERATOR) as ctx:
        assert keys(ctx, kind="resident") == ["420***********123X"]


def test_pages_go_through_all_subjects_once(ledger: Runtime) -> None:
    for number in range(7):
        enter(ledger, V1 if number % 2 else V2, f"H{number}")
    seen: list[str] = []
    cursor: str | None = None
    with ledger.context(OPERATOR) as ctx:
        for _ in range(4):
            page = subjects.list_subjects(ctx, kind="household", limit=2, cursor=cursor)
            seen += [view.key for view in page.items]
            cursor = page.next
        with pytest.raises(BadCursor):
            subjects.list_subjects(ctx, cursor="x")
    assert cursor is None
    assert sorted(seen) == [f"H{number}" for number in range(7)]


@pytest.mark.parametrize("id", ["", "x", "1-99999", "1-2-3", "-1-1", "99999999999999999999-1"])
def test_unknown_id_is_not_found(read_ledger: Runtime, id: str) -> None:
    with read_ledger.context(OPERATOR) as ctx:
        with pytest.raises(UnknownSubject):
            subjects.get_subject(ctx, id)
        with pytest.raises(UnknownSubject):
            subjects.change_subject(ctx, id, ChangeSubject(area=V1))


def test_subject_of_another_ledger_is_as_if_it_were_not_there(ledger: Runtime) -> None:
    view = enter(ledger, V2)
    with ledger.context(staff_of(ledger, V1)) as ctx:
        with pytest.raises(UnknownSubject):
            subjects.get_subject(ctx, view.id)
        with pytest.raises(UnknownSubject):
            subjects.change_subject(ctx, view.id, ChangeSubject(active_to=dt.date(2026, 1, 1)))


# ---- moving and closing ---------------------------------------------------------------


def history(runtime: Runtime) -> list[tuple[object, ...]]:
    with runtime.context(OPERATOR) as ctx:
        return [
            tuple(row)
            for row in ctx.sql(
                "SELECT a.code, h.active_to, h.superseded_at = s.recorded_at "
                "FROM subject_history AS h JOIN area AS a ON a.id = h.area_id "
                "JOIN subject AS s ON s.region_id = h.region_id AND s.id = h.subject_id "
            )
        ]


def test_moved_subject_keeps_its_id_and_its_old_place(ledger: Runtime) -> None:
    view = enter(ledger, V1)
    told: list[SubjectMoved] = []
    ledger.events.on(SubjectMoved, lambda _ctx, event: told.append(event))
    with ledger.context(staff_of(ledger, TOWNSHIP)) as ctx:
        moved = subjects.change_subject(ctx, view.id, ChangeSubject(area=V2), if_match=view.etag)
        places = [queries.area_by_code(ctx, code).id for code in (V1, V2)]
    assert (moved.id, moved.area) == (view.id, V2)
    assert moved.etag != view.etag
    assert history(ledger) == [(V1, None, True)]
    assert [[event.from_area_id, event.to_area_id] for event in told] == [places]


def test_closed_subject_leaves_the_list_and_stays_readable(ledger: Runtime) -> None:
    view = enter(ledger, V1)
    told: list[SubjectClosed] = []
    ledger.events.on(SubjectClosed, lambda _ctx, event: told.append(event))
    day = dt.date(2026, 3, 1)
    with ledger.context(staff_of(ledger, V1)) as ctx:
        closed = subjects.change_subject(ctx, view.id, ChangeSubject(active_to=day))
        assert closed.active_to == day
        assert keys(ctx, kind="household") == []
        assert subjects.get_subject(ctx, view.id) == closed
        # Saying so again changes nothing.
        again = subjects.change_subject(ctx, view.id, ChangeSubject(active_to=day))
        assert again == closed
        with pytest.raises(Invalid, match="cannot be changed"):
            subjects.change_subject(ctx, view.id, ChangeSubject(area=V1))
    assert history(ledger) == [(V1, None, True)]
    assert [event.on for event in told] == [day]


def test_moving_to_where_it_is_changes_nothing(ledger: Runtime) -> None:
    view = enter(ledger, V1)
    with ledger.context(OPERATOR) as ctx:
        assert subjects.change_subject(ctx, view.id, ChangeSubject(area=V1)) == view
    assert history(ledger) == []


def test_stale_change_is_refused(ledger: Runtime) -> None:
    view = enter(ledger, V1)
    with ledger.context(OPERATOR) as ctx:
        subjects.change_subject(ctx, view.id, ChangeSubject(area=V2))
        with pytest.raises(Stale):
            subjects.change_subject(ctx, view.id, ChangeSubject(area=V1), if_match=view.etag)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (ChangeSubject(), [("", "one_change")]),
        (ChangeSubject(area=V2, active_to=dt.date(2026, 1, 1)), [("", "one_change")]),
        (ChangeSubject(area="420199000000"), [("/area", "unknown_area")]),
        (ChangeSubject(active_to=dt.date(2026, 3, 17)), [("/active_to", "future")]),
        (ChangeSubject(active_to=dt.date(2019, 12, 31)), [("/active_to", "dates")]),
    ],
)
def test_change_with_mistakes_is_refused(
    ledger: Runtime, command: ChangeSubject, found: list[tuple[str, str]]
) -> None:
    with ledger.context(OPERATOR) as ctx:
        view = subjects.create_subject(
            ctx,
            CreateSubject(
                kind="household", key="H1", name="张家", area=V1, active_from=dt.date(2020, 1, 1)
            ),
        )
        with pytest.raises(Invalid) as refused:
            subjects.change_subject(ctx, view.id, command)
    assert [(mistake.pointer, mistake.code) for mistake in refused.value.mistakes] == found


def test_areas_are_not_changed_as_subjects(read_ledger: Runtime) -> None:
    with read_ledger.context(OPERATOR) as ctx:
        (village,) = subjects.list_subjects(ctx, kind="area", area=V1).items
        with pytest.raises(Invalid):
            subjects.change_subject(ctx, village.id, ChangeSubject(area=V2))


def test_staff_cannot_move_a_subject_out_of_their_reach(ledger: Runtime) -> None:
    view = enter(ledger, V1)
    with ledger.context(staff_of(ledger, V1)) as ctx, pytest.raises(Forbidden):
        subjects.change_subject(ctx, view.id, ChangeSubject(area=V2))


@pytest.mark.parametrize("verb", ["create", "change"])
def test_area_that_ends_meanwhile_takes_no_subject(
    ledger: Runtime, change: Callable[..., object], verb: str
) -> None:
    """The change of areas holds the region; whoever waited for it then sees what it did."""
    view = enter(ledger, V2)

    def act() -> None:
        if verb == "create":
            enter(ledger, V1, "H2")
        else:
            with ledger.context(OPERATOR) as ctx:
                subjects.change_subject(ctx, view.id, ChangeSubject(area=V1))

    with ThreadPoolExecutor(1) as pool:
        with ledger.context(OPERATOR) as ctx:
            locks.take_regions(ctx, [queries.area_by_code(ctx, COUNTY).id])
            acting = pool.submit(act)
            wait_until_blocked(ledger.engine, acting)
            ctx.sql("UPDATE area SET valid_to = '2026-03-01' WHERE code = :code", code=V1)
        with pytest.raises(UnknownArea):
            acting.result(timeout=20)
