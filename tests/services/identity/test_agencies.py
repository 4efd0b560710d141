"""Adding and importing agencies."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from oneform.audit.models import AuditEvent
from oneform.identity.agencies import AddAgency, add_agency, find_agency, import_agencies
from oneform.identity.errors import AlreadyThere
from oneform.identity.models import Agency
from oneform.identity.policy import PUBLIC
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, NotFound, Unauthenticated

FILE = """code,name,area,parent
civil,民政局,420102000000,gov
gov,区政府,420102000000,
health,卫健局,420102000000,gov
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agencies.csv"
    path.write_text(FILE, encoding="utf-8-sig")
    return path


def test_agency_is_added_with_its_reach(ctx: Context, agency: Agency) -> None:
    assert find_agency(ctx, "stats").name == {"zh": "统计局"}
    assert agency.area_id is not None
    tag = ctx.session.scalar(sa.select(AuditEvent.tag).where(AuditEvent.target_id == "stats"))
    assert tag == "agency.created"


def test_every_mistake_of_a_new_agency_is_named(ctx: Context, areas: None) -> None:
    command = AddAgency(code="two words", name=" ", area="999999999999", parent="nobody")
    with pytest.raises(Invalid) as caught:
        add_agency(ctx, command)
    pointers = [mistake.pointer for mistake in caught.value.mistakes]
    assert pointers == ["/code", "/name", "/area", "/parent"]


def test_an_agency_is_not_added_twice(ctx: Context, agency: Agency) -> None:
    with pytest.raises(AlreadyThere):
        add_agency(ctx, AddAgency(code="stats", name="另一个", area="420102000000"))


def test_agency_that_only_a_bundle_has_named_gets_its_reach(ctx: Context, areas: None) -> None:
    ctx.session.add(Agency(code="civil", name={"zh": "民政", "en": "civil affairs"}))
    ctx.session.flush()
    agency = add_agency(ctx, AddAgency(code="civil", name="民政局", area="420102000000"))
    assert agency.name == {"zh": "民政局", "en": "civil affairs"}
    assert agency.area_id is not None
    with pytest.raises(AlreadyThere):
        add_agency(ctx, AddAgency(code="civil", name="民政局", area="420102000000"))


def test_unknown_agency_is_not_found(ctx: Context) -> None:
    with pytest.raises(NotFound):
        find_agency(ctx, "nobody")


def test_only_the_operator_adds_agencies(ctx: Context, areas: None, file: Path) -> None:
    nobody = ctx.acting_as(PUBLIC)
    with pytest.raises(Unauthenticated):
        add_agency(nobody, AddAgency(code="x", name="x", area="420102000000"))
    with pytest.raises(Unauthenticated):
        import_agencies(nobody, file)


def test_file_is_imported_with_parents_further_down(ctx: Context, areas: None, file: Path) -> None:
    assert import_agencies(ctx, file) == {"created": 3, "updated": 0, "unchanged": 0}
    assert find_agency(ctx, "civil").parent_id == find_agency(ctx, "gov").id


def test_file_imported_twice_changes_nothing(ctx: Context, areas: None, file: Path) -> None:
    import_agencies(ctx, file)
    assert import_agencies(ctx, file) == {"created": 0, "updated": 0, "unchanged": 3}


def test_changed_line_updates_its_agency_only(ctx: Context, areas: None, file: Path) -> None:
    import_agencies(ctx, file)
    file.write_text(FILE.replace("卫健局", "卫生健康局").replace("420102000000,gov", ",", 1))
    assert import_agencies(ctx, file) == {"created": 0, "updated": 2, "unchanged": 1}
    civil = find_agency(ctx, "civil")
    ctx.session.refresh(civil)
    assert (civil.area_id, civil.parent_id) == (None, None)


BROKEN = {
    "unknown area": ("code,name,area\na,甲,1\n", "line 2", "unknown-area"),
    "unknown parent": ("code,name,parent\na,甲,zz\n", "line 2", "unknown-agency"),
    "double code": ("code,name\na,甲\nb,乙\na,丙\n", "line 4", "double"),
    "cycle": ("code,name,parent\na,甲,b\nb,乙,a\n", "line 2", "cycle"),
    "its own parent": ("code,name,parent\na,甲,a\n", "line 2", "cycle"),
    "empty name": ("code,name\na,\n", "line 2", "required"),
    "bad code": ("code,name\na b,甲\n", "line 2", "pattern"),
    "missing column": ("code,area\na,1\n", "line 1", "missing-column"),
    "unknown column": ("code,name,colour\na,甲,red\n", "line 1", "unknown-column"),
    "double column": ("code,name,name\na,甲,甲\n", "line 1", "double-column"),
    "too many cells": ("code,name\na,甲,surplus\n", "line 2", "cells"),
    "open quote": ('code,name\na,"甲\n', "line 2", "csv"),
    "NUL": ("code,name\na,甲\0\n", "line 2", "text"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_is_refused_with_its_line(
    ctx: Context, areas: None, tmp_path: Path, name: str
) -> None:
    text, pointer, code = BROKEN[name]
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(Invalid) as caught:
        import_agencies(ctx, path)
    assert (pointer, code) in [(m.pointer, m.code) for m in caught.value.mistakes]
    assert ctx.session.scalar(sa.select(sa.func.count()).select_from(Agency)) == 0


def test_file_in_another_encoding_is_refused_with_its_line(ctx: Context, tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes("code,name\na,b\nc,统计局\n".encode("gbk"))
    with pytest.raises(Invalid) as caught:
        import_agencies(ctx, path)
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [("line 3", "encoding")]


def test_every_line_is_named_at_once_whatever_is_wrong_with_it(
    ctx: Context, areas: None, tmp_path: Path
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("code,name,area,parent\na,,1,\nb,乙\nc,丙,,zz\n,丁,,b\ne,\0,,\n")
    with pytest.raises(Invalid) as caught:
        import_agencies(ctx, path)
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [
        ("line 2", "required"),
        ("line 2", "unknown-area"),
        ("line 3", "cells"),
        ("line 4", "unknown-agency"),
        ("line 5", "required"),
        ("line 6", "text"),
    ]
