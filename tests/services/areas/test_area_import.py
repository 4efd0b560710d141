"""Importing areas: all or nothing, twice without a change, each area with its subject."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from oneform.areas import service
from oneform.areas.errors import BrokenFile
from oneform.areas.events import AreasMoved
from oneform.areas.importing import ImportReport
from oneform.identity.policy import OPERATOR, Permission, Principal
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden
from oneform.runtime import Runtime

HEADER = "code,parent_code,level,name\n"


def take_in(runtime: Runtime, text: str) -> ImportReport:
    with runtime.context(OPERATOR) as ctx:
        return service.import_areas(ctx, text.encode())


def export(runtime: Runtime) -> str:
    with runtime.context(OPERATOR) as ctx:
        return b"".join(service.export_areas(ctx)).decode()


def table(runtime: Runtime, statement: str) -> list[tuple[object, ...]]:
    with runtime.context(OPERATOR) as ctx:
        return [tuple(row) for row in ctx.sql(statement)]


def everything(runtime: Runtime) -> list[list[tuple[object, ...]]]:
    tables = ("area", "area_history", "area_change", "subject", "subject_history", "audit_event")
    return [table(runtime, f"SELECT * FROM {name} ORDER BY 1, 2, 3") for name in tables]


def test_second_import_changes_nothing(small: Runtime) -> None:
    before = everything(small)
    assert take_in(small, export(small)) == ImportReport(unchanged=11)
    assert everything(small) == before


def test_file_may_be_a_path_and_begin_with_a_bom(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(HEADER + "420000000000,,1,湖北省\n", encoding="utf-8-sig")
    with runtime.context(OPERATOR) as ctx:
        assert service.import_areas(ctx, path) == ImportReport(created=1)


def test_each_area_has_a_subject_with_its_id_key_and_region(small: Runtime) -> None:
    different = table(
        small,
        "SELECT a.code FROM area AS a LEFT JOIN subject AS s ON s.region_id = a.region_id "
        "AND s.id = a.id LEFT JOIN subject_kind AS k ON k.id = s.kind_id "
        "WHERE (k.code, s.key, s.name, s.area_id) "
        "  IS DISTINCT FROM ('area', a.code, a.name, a.id)",
    )
    assert different == []
    assert table(small, "SELECT count(*) FROM subject") == [(11,)]


def test_region_is_the_county_and_path_leads_from_the_root(small: Runtime) -> None:
    rows = table(
        small,
        "SELECT a.code, r.code, (SELECT string_agg(n.code, '/' ORDER BY n.level) FROM area AS n "
        "  WHERE a.path LIKE '%/' || n.id || '/%') "
        "FROM area AS a JOIN area AS r ON r.id = a.region_id ORDER BY a.code",
    )
    found = {row[0]: row[1:] for row in rows}
    assert found["420000000000"] == ("420000000000", "420000000000")
    assert found["420102002003"] == (
        "420102000000",
        "420000000000/420100000000/420102000000/420102002000/420102002003",
    )


def test_broken_file_names_every_line_and_changes_nothing(small: Runtime) -> None:
    before = everything(small)
    lines = [
        "420104000000,420100000000,3,硚口区",
        "420104001000,420109000000,4,无父街道",
        "420105000000,420105000000,3,汉阳区",
        "420106000000,420107000000,3,武昌区",
        "420107000000,420106000000,3,青山区",
        "420104000000,420100000000,3,硚口区",
        "420111000000,420102003001,3,洪山区",
        "42011200000,420100000000,3,东西湖区",
        "420113000000,420100000000,9,汉南区",
        "420114000000,420100000000,3,",
        "420115000000,420100000000,3",
    ]
    data = (HEADER + "\n".join(lines)).encode() + b"\n420116000000,420100000000,3,\xbb\xc6\xda\xe9"
    with pytest.raises(BrokenFile) as refused, small.context(OPERATOR) as ctx:
        service.import_areas(ctx, data)
    assert [(m.pointer, m.code) for m in refused.value.mistakes] == [
        ("line 3", "missing_parent"),
        ("line 4", "own_parent"),
        ("line 5", "cycle"),
        ("line 6", "cycle"),
        ("line 7", "duplicate_code"),
        ("line 8", "wrong_level"),
        ("line 9", "code"),
        ("line 10", "level"),
        ("line 11", "empty"),
        ("line 12", "cells"),
        ("line 13", "encoding"),
    ]
    assert everything(small) == before


def test_areas_missing_from_the_file_are_left_alone(small: Runtime) -> None:
    report = take_in(small, HEADER + "420102003002,420102003000,5,新社区\n")
    assert report == ImportReport(created=1)
    assert table(small, "SELECT count(*) FROM area WHERE valid_to IS NULL") == [(12,)]


def test_renaming_import_keeps_the_area_and_the_old_name(small: Runtime) -> None:
    (before,) = table(small, "SELECT id FROM area WHERE code = '420102003001'")
    report = take_in(small, HEADER + "420102003001,420102003000,5,三阳路社区\n")
    assert report == ImportReport(updated=1)
    assert table(small, "SELECT id, name FROM area WHERE code = '420102003001'") == [
        (*before, "三阳路社区")
    ]
    assert table(small, "SELECT name, valid_to::text FROM area_history") == [
        ("三阳社区", "2026-03-16")
    ]
    assert table(small, "SELECT kind, old_name, new_name FROM area_change") == [
        ("rename", "三阳社区", "三阳路社区")
    ]
    assert table(small, "SELECT name FROM subject WHERE key = '420102003001'") == [("三阳路社区",)]
    assert table(small, "SELECT name FROM subject_history") == [("三阳社区",)]


def test_moving_import_moves_everything_below_and_tells(small: Runtime) -> None:
    told: list[AreasMoved] = []
    small.events.on(AreasMoved, lambda _ctx, event: told.append(event))
    take_in(small, HEADER + "420102002000,420103000000,4,大智街道\n")
    rows = table(
        small,
        "SELECT a.code, c.code, r.code FROM area AS a JOIN area AS c ON c.level = 3"
        " AND a.path LIKE c.path || '%' JOIN area AS r ON r.id = a.region_id "
        "WHERE a.code LIKE '420102002%' ORDER BY 1",
    )
    assert rows == [
        (code, "420103000000", "420102000000")
        for code in ("420102002000", "420102002003", "420102002004")
    ]
    (moved,) = table(small, "SELECT id FROM area WHERE code = '420102002000'")
    assert [event.area_ids for event in told] == [moved]


def test_optional_columns_come_back_as_they_were_given(runtime: Runtime) -> None:
    text = (
        "code,parent_code,level,name,valid_from,urban_rural_class\r\n"
        "420000000000,,1,湖北省,,\r\n"
        "420100000000,420000000000,2,武汉市,1949-05-16,100\r\n"
    )
    assert take_in(runtime, text) == ImportReport(created=2)
    assert export(runtime) == text
    assert take_in(runtime, text) == ImportReport(unchanged=2)


def test_area_that_is_no_more_is_imported_with_its_end_and_not_exported(small: Runtime) -> None:
    text = (
        "code,parent_code,level,name,valid_from,valid_to\n"
        "420102003009,420102003000,5,旧社区,2000-01-01,2019-01-01\n"
    )
    before = export(small)
    assert take_in(small, text) == ImportReport(created=1)
    assert take_in(small, text) == ImportReport(unchanged=1)
    assert export(small) == before
    assert table(small, "SELECT active_to::text FROM subject WHERE key = '420102003009'") == [
        ("2019-01-01",)
    ]


def test_import_is_on_record(small: Runtime) -> None:
    assert table(small, "SELECT tag, data FROM audit_event") == [
        ("areas.imported", {"created": 11, "updated": 0, "unchanged": 0})
    ]


def test_two_imports_at_once_do_not_double_anything(runtime: Runtime) -> None:
    text = (
        HEADER
        + "420000000000,,1,湖北省\n"
        + "".join(f"4201{n:02}000000,420000000000,2,市{n}\n" for n in range(50))
    )
    reports: list[ImportReport] = []
    start = threading.Barrier(2)

    def importing() -> None:
        start.wait()
        reports.append(take_in(runtime, text))

    threads = [threading.Thread(target=importing) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports, key=lambda report: report.created) == [
        ImportReport(unchanged=51),
        ImportReport(created=51),
    ]


def test_only_the_operator_imports(ctx: Context) -> None:
    person = Principal(
        kind=ActorKind.PERSON,
        id="1",
        label="p",
        area_path="",
        permissions=frozenset(Permission) - {Permission.OPERATE},
    )
    for verb in (service.import_areas, service.apply_changes):
        with pytest.raises(Forbidden):
            verb(ctx.acting_as(person), b"")
