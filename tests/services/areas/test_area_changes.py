"""Area changes in the database: identity, history, subjects, locks and what others are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from waiting import wait_until_blocked

from oneform.areas import queries, subjects
from oneform.areas.errors import BrokenFile, UnknownArea
from oneform.areas.events import AreasClosed, AreasClosing, AreasMoved
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict
from oneform.kernel.locks import Space
from oneform.runtime import Runtime

Change = Callable[..., dict[str, int]]

COUNTY, OTHER_COUNTY = "420102000000", "420103000000"
TOWNSHIP, TOWNSHIP_2, OTHER_TOWNSHIP = "420102002000", "420102003000", "420103006000"
V1, V2, V3, V4 = "420102002003", "420102002004", "420102003001", "420103006002"
DAY = "2025-06-30"


def rows(runtime: Runtime, statement: str) -> list[tuple[object, ...]]:
    with runtime.context(OPERATOR) as ctx:
        return [tuple(row) for row in ctx.sql(statement)]


def id_of(runtime: Runtime, code: str) -> int:
    with runtime.context(OPERATOR) as ctx:
        return queries.area_by_code(ctx, code).id


def subject_of(runtime: Runtime, area_id: int) -> tuple[object, ...]:
    (row,) = rows(
        runtime, f"SELECT key, name, area_id, active_to::text FROM subject WHERE id = {area_id}"
    )
    return row


def add_residents(runtime: Runtime, code: str, *keys: str) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO subject_kind (code, name) VALUES ('resident', '{}') ON CONFLICT DO NOTHING"
        )
        for key in keys:
            ctx.sql(
                "INSERT INTO subject (region_id, kind_id, key, name, area_id) "
                "SELECT a.region_id, k.id, :key, :key, a.id FROM area AS a, subject_kind AS k "
                "WHERE a.code = :code AND k.code = 'resident'",
                key=key,
                code=code,
            )


def test_recoded_area_is_the_same_and_readable_under_both_codes(
    small: Runtime, change: Change
) -> None:
    area = id_of(small, V1)
    assert change(f"recode,{V1},420102002009,{TOWNSHIP},5,保成社区,{DAY}") == {"recode": 1}
    with small.context(OPERATOR) as ctx:
        assert queries.area_by_code(ctx, "420102002009").id == area
        assert queries.area_by_code(ctx, V1, dt.date(2025, 6, 29)).id == area
        for code, day in (
            (V1, dt.date(2025, 6, 30)),
            (V1, None),
            ("420102002009", dt.date(2025, 6, 29)),
        ):
            with pytest.raises(UnknownArea):
                queries.area_by_code(ctx, code, day)
    assert subject_of(small, area) == ("420102002009", "保成社区", area, None)
    assert rows(small, "SELECT subject_id, key FROM subject_history") == [(area, V1)]


def test_old_and_new_state_of_a_subject_meet_at_one_instant(small: Runtime, change: Change) -> None:
    change(f"rename,{V1},,,,新社区,{DAY}")
    assert rows(
        small,
        "SELECT h.superseded_at = s.recorded_at, h.recorded_at < h.superseded_at "
        "FROM subject_history AS h JOIN subject AS s ON s.region_id = h.region_id "
        "AND s.id = h.subject_id",
    ) == [(True, True)]


def test_closed_area_ends_with_its_subject_and_keeps_its_last_state(
    small: Runtime, change: Change
) -> None:
    area = id_of(small, V1)
    assert change(f"close,{V1},,{TOWNSHIP},5,保成社区,{DAY}") == {"close": 1}
    assert subject_of(small, area) == (V1, "保成社区", area, DAY)
    assert rows(small, "SELECT key, active_to FROM subject_history") == [(V1, None)]
    with small.context(OPERATOR) as ctx:
        assert queries.area_by_code(ctx, V1, dt.date(2025, 6, 29)).valid_to == dt.date(2025, 6, 30)
        with pytest.raises(UnknownArea):
            queries.area_by_code(ctx, V1)


def test_opened_area_has_a_subject_from_its_first_day(small: Runtime, change: Change) -> None:
    change(f"open,,420102002009,{TOWNSHIP},5,新社区,{DAY}")
    assert rows(
        small,
        "SELECT s.key, s.active_from::text, r.code FROM subject AS s "
        "JOIN area AS a ON a.id = s.id JOIN area AS r ON r.id = s.region_id "
        "WHERE s.key = '420102002009'",
    ) == [("420102002009", DAY, COUNTY)]


def test_codes_change_places_in_one_file(small: Runtime, change: Change) -> None:
    first, second = id_of(small, V1), id_of(small, V2)
    change(
        f"recode,{V1},420102002099,,,,{DAY}",
        f"recode,{V2},{V1},,,,{DAY}",
        f"recode,420102002099,{V2},,,,{DAY}",
    )
    assert (id_of(small, V1), id_of(small, V2)) == (second, first)
    assert (subject_of(small, first)[0], subject_of(small, second)[0]) == (V2, V1)


def test_code_of_a_closed_area_can_be_opened_anew(small: Runtime, change: Change) -> None:
    old = id_of(small, V1)
    change(f"close,{V1},,,,,{DAY}", f"open,,{V1},{TOWNSHIP},5,新保成社区,{DAY}")
    new = id_of(small, V1)
    assert new != old
    with small.context(OPERATOR) as ctx:
        assert queries.area_by_code(ctx, V1, dt.date(2025, 6, 29)).id == old
        assert queries.area_by_code(ctx, V1, dt.date(2025, 6, 30)).id == new


def test_moves_within_moves_give_every_descendant_its_right_path(
    small: Runtime, change: Change
) -> None:
    change(
        f"move,{TOWNSHIP},,{OTHER_COUNTY},,,{DAY}",
        f"move,{V1},,{TOWNSHIP_2},,,{DAY}",
        f"move,{V4},,{TOWNSHIP},,,{DAY}",
        f"open,,420103006009,{TOWNSHIP},5,新社区,{DAY}",
    )
    wrong = rows(
        small,
        "WITH RECURSIVE tree AS ("
        " SELECT id, '/' || id || '/' AS path FROM area WHERE parent_id IS NULL"
        " UNION ALL SELECT a.id, t.path || a.id || '/' FROM area AS a JOIN tree AS t"
        "  ON a.parent_id = t.id) "
        "SELECT a.code FROM area AS a LEFT JOIN tree AS t ON t.id = a.id "
        "WHERE a.path IS DISTINCT FROM t.path",
    )
    assert wrong == []
    regions = rows(
        small,
        "SELECT a.code, r.code FROM area AS a JOIN area AS r ON r.id = a.region_id "
        "WHERE a.level = 5 ORDER BY 1",
    )
    # Regions stay; the new village takes that of the county above it on its first day.
    assert regions == [
        (V1, COUNTY),
        (V2, COUNTY),
        (V3, COUNTY),
        (V4, OTHER_COUNTY),
        ("420103006009", OTHER_COUNTY),
    ]


def test_closed_areas_move_with_what_they_hung_below(small: Runtime, change: Change) -> None:
    change(f"close,{V1},,,,,{DAY}", f"move,{TOWNSHIP},,{OTHER_COUNTY},,,{DAY}")
    assert rows(
        small,
        "SELECT a.path LIKE t.path || '%' FROM area AS a JOIN area AS t ON t.id = a.parent_id "
        f"WHERE a.code = '{V1}'",
    ) == [(True,)]


def test_merge_takes_children_and_subjects_along(small: Runtime, change: Change) -> None:
    add_residents(small, V1, "r1", "r2")
    add_residents(small, TOWNSHIP, "r3")
    new = id_of(small, V3)
    township = id_of(small, TOWNSHIP_2)
    change(
        f"merge,{V1},{V2},,,,{DAY}",
        f"merge,{V2},{V3},,,,{DAY}",
        f"merge,{TOWNSHIP},{TOWNSHIP_2},{COUNTY},4,一元街道,{DAY}",
    )
    assert rows(small, "SELECT key, area_id FROM subject WHERE key LIKE 'r_' ORDER BY key") == [
        ("r1", new),
        ("r2", new),
        ("r3", township),
    ]
    assert rows(
        small,
        "SELECT key, count(*) FROM subject_history WHERE key LIKE 'r_' GROUP BY 1 ORDER BY 1",
    ) == [("r1", 1), ("r2", 1), ("r3", 1)]


@pytest.mark.parametrize(
    ("line", "home"),
    [
        (f"merge,{V1},{V2},,,,{DAY}", V2),
        (f"close,{V1},,,,,{DAY}", V1),
        (f"move,{V1},,{TOWNSHIP_2},5,保成社区,{DAY}", V1),
    ],
    ids=["merge", "close", "move"],
)
def test_change_gives_way_to_a_subject_of_a_further_region_that_moves_in_meanwhile(
    small: Runtime, change: Change, line: str, home: str
) -> None:
    """What is asked about it ends or moves, and its region is not among those that were taken."""
    home_id = id_of(small, home)
    add_residents(small, V4, "r1")
    with ThreadPoolExecutor(1) as pool:
        with small.context(OPERATOR) as ctx:
            (resident,) = subjects.list_subjects(ctx, kind="resident").items
            subjects.change_subject(ctx, resident.id, subjects.ChangeSubject(area=V1))
            changing = pool.submit(change, line)
            wait_until_blocked(small.engine, changing)
        with pytest.raises(Conflict):
            changing.result(timeout=20)
    change(line)
    assert rows(small, "SELECT area_id FROM subject WHERE key = 'r1'") == [(home_id,)]


def test_closed_subjects_stay_where_they_were_when_their_area_is_merged(
    small: Runtime, change: Change
) -> None:
    add_residents(small, V1, "r1")
    old = id_of(small, V1)
    with small.context(OPERATOR) as ctx:
        ctx.sql("UPDATE subject SET active_to = '2020-01-01' WHERE key = 'r1'")
    change(f"merge,{V1},{V2},,,,{DAY}")
    assert rows(small, "SELECT area_id FROM subject WHERE key = 'r1'") == [(old,)]


def test_file_with_mistakes_changes_nothing_and_names_every_line(
    small: Runtime, change: Change
) -> None:
    before = rows(small, "SELECT * FROM area ORDER BY id")
    with pytest.raises(BrokenFile) as refused:
        change(
            f"rename,{V1},,,,新名,{DAY}",
            f"close,{TOWNSHIP},,,,,{DAY}",
            f"recode,{V2},{V3},,,,{DAY}",
            f"vanish,{V4},,,,,{DAY}",
            f"rename,{V4},,,,新名,{DAY},,",
        )
    assert [(m.pointer, m.code) for m in refused.value.mistakes] == [
        ("line 3", "has_children"),
        ("line 4", "code_taken"),
        ("line 5", "change"),
        ("line 6", "cells"),
    ]
    assert rows(small, "SELECT * FROM area ORDER BY id") == before
    assert rows(small, "SELECT * FROM area_change") == []


def test_changes_are_on_record(small: Runtime, change: Change) -> None:
    change(f"rename,{V1},,,,新名,{DAY}", f"close,{V4},,,,,{DAY}")
    assert rows(small, "SELECT data FROM audit_event WHERE tag = 'areas.changed'") == [
        ({"rename": 1, "close": 1},)
    ]
    assert rows(
        small, "SELECT kind, old_code, new_code, old_name, new_name FROM area_change ORDER BY id"
    ) == [("rename", V1, V1, "保成社区", "新名"), ("close", V4, None, "舞台社区", None)]


def test_others_are_told_before_and_after_an_area_ends(small: Runtime, change: Change) -> None:
    told: list[tuple[object, list[tuple[object, ...]]]] = []
    ended = "SELECT code FROM area WHERE valid_to IS NOT NULL ORDER BY 1"

    def hear(ctx: Context, event: object) -> None:
        told.append((event, [tuple(row) for row in ctx.sql(ended)]))

    for kind in (AreasClosing, AreasClosed, AreasMoved):
        small.events.on(kind, hear)
    add_residents(small, V1, "r1")
    closed, merged, into = id_of(small, V4), id_of(small, V1), id_of(small, V2)
    regions = (id_of(small, COUNTY), id_of(small, OTHER_COUNTY))
    change(f"close,{V4},,,,,{DAY}", f"merge,{V1},{V2},,,,{DAY}", f"move,{V2},,{TOWNSHIP_2},,,{DAY}")
    ids = tuple(sorted((closed, merged)))
    assert told == [
        (AreasClosing(ids, tuple(sorted(regions)), {merged: into}), []),
        (AreasClosed(ids), [(V1,), (V4,)]),
        (AreasMoved((into,)), [(V1,), (V4,)]),
    ]


def test_handler_that_fails_undoes_the_whole_change(small: Runtime, change: Change) -> None:
    def fail(_ctx: Context, _event: AreasClosed) -> None:
        raise RuntimeError

    small.events.on(AreasClosed, fail)
    with pytest.raises(RuntimeError):
        change(f"close,{V1},,,,,{DAY}")
    assert id_of(small, V1)
    assert rows(small, "SELECT * FROM subject_history") == []


def test_regions_concerned_are_held_alone_and_no_others(small: Runtime, change: Change) -> None:
    """Seen from another connection while the change is under way."""
    regions = {code: id_of(small, code) for code in (COUNTY, OTHER_COUNTY, "420100000000")}
    free: dict[str, bool] = {}

    def look(_ctx: Context, _event: AreasClosing) -> None:
        with small.engine.connect() as other:
            for code, number in regions.items():
                key = (int(Space.REGION) << 56) | number
                statement = sa.text("SELECT pg_try_advisory_xact_lock_shared(:key)")
                free[code] = bool(other.execute(statement, {"key": key}).scalar_one())

    small.events.on(AreasClosing, look)
    change(f"close,{V1},,,,,{DAY}")
    assert free == {COUNTY: False, OTHER_COUNTY: True, "420100000000": True}


def test_moving_an_area_holds_the_regions_of_all_below_it(small: Runtime, change: Change) -> None:
    change(f"move,{TOWNSHIP},,{OTHER_COUNTY},,,{DAY}")
    held: list[int] = []

    def look(ctx: Context, _event: AreasMoved) -> None:
        found = ctx.sql(
            "SELECT (classid::bigint << 32 | objid::bigint) & ((1::bigint << 56) - 1) "
            "FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
            "AND mode = 'ExclusiveLock' AND classid::bigint >> 24 = :space",
            space=int(Space.REGION),
        )
        held.extend(found.scalars())

    small.events.on(AreasMoved, look)
    # The other county now holds villages of two regions.
    change(f"move,{OTHER_COUNTY},,420000000000,,,2025-07-01")
    assert set(held) == {id_of(small, COUNTY), id_of(small, OTHER_COUNTY)}
