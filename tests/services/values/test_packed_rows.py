"""Rows of imports in blocks: what is unpacked is what came, whatever is in it."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from factories import FOREIGN_VILLAGE, NEXT_VILLAGE, VILLAGE, make_residents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from values_world import World

from oneform import migrations
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.values.imports import packing
from oneform.values.imports.packing import Packer
from oneform.values.imports.rows import Batch, Row
from oneform.values.imports.sorting import sort_rows
from oneform.values.imports.staging import stage_rows
from oneform.values.imports.views import ImportCounts
from oneform.values.imports.waiting import HEADS, SUBJECTS, unpack

ODD = [
    "",
    "NULL",
    "null",
    "{}",
    '"',
    "\\",
    "\\N",
    "\\.",
    "a,b",
    "\t",
    "\r\n",
    "\x1f",
    '{a,"b\\"}',
    "村",
]
TEXTS = st.sampled_from(ODD) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
).map(lambda value: orjson.dumps(value).decode())
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, JSON, TEXTS), max_size=12).map(
    lambda rows: [(7 + 2 * place, *row) for place, row in enumerate(rows)]
)


def unpacked(ctx: Context, import_id: uuid.UUID) -> list[Row]:
    """The rows that wait, by the line."""
    ctx.sql("DROP TABLE IF EXISTS import_gone, import_row")
    unpack(ctx, import_id)
    heads = {
        number: head
        for number, *head in ctx.session.connection().exec_driver_sql(HEADS, {"id": import_id})
    }
    subjects = {
        key.number: key.subject for key in ctx.sql(f"SELECT * FROM {SUBJECTS}", id=import_id)
    }
    found = []
    for row in ctx.sql("SELECT row, head, subject, value FROM import_row ORDER BY row"):
        field, period, day = heads[row.head]
        found.append((row.row, field, subjects[row.subject], period, row.value, day))
    return found


def an_import(ctx: Context) -> uuid.UUID:
    import_id = uuid.uuid4()
    ctx.sql(
        "INSERT INTO value_import (id, actor_kind, actor_id, actor_label, dry_run, state) "
        "VALUES (:id, 'operator', '', '', false, 'waiting')",
        id=import_id,
    )
    return import_id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=3), st.sampled_from([1, 20, 10_000]), st.sampled_from([0, 100]))
def test_rows_come_out_of_blocks_as_they_went_in(
    world: World, batches: list[list[Row]], most: int, remembered: int
) -> None:
    batches = [
        [(100 * place + line, *cells) for line, *cells in rows]  # type: ignore[misc]
        for place, rows in enumerate(batches)
    ]
    with pytest.MonkeyPatch.context() as patch, world.runtime.context(OPERATOR) as ctx:
        patch.setattr(packing, "MOST_TEXT", most)
        patch.setattr(packing, "REMEMBERED", remembered)
        import_id = an_import(ctx)
        stage_rows(ctx, import_id, [Batch(rows=rows) for rows in batches])
        assert unpacked(ctx, import_id) == [row for rows in batches for row in rows]


def test_what_rows_share_is_written_once() -> None:
    rows = [(line, "pop.total", VILLAGE, "2026", "7", "2026-03-16") for line in (1, 2, 3)]
    packer = Packer("id")
    assert "".join(packer.lines(rows)).split("\t") == [
        *("id", "1", "1", '{"pop.total"}', '{"2026"}', '{"2026-03-16"}'),
        *("1", f'{{"{VILLAGE}"}}', "{1,2,3}", "{1,1,1}", "{1,1,1}", '{"7","7","7"}\n'),
    ]
    assert "".join(packer.lines(rows)).split("\t")[1:8] == ["2", "2", "{}", "{}", "{}", "2", "{}"]


def test_long_keys_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_TEXT", 1000)
    packer = Packer("id")

    def first_subject(key: str) -> str:
        (line,) = packer.lines([(1, "pop.total", key, "2026", "7", "")])
        return line.split("\t")[6]

    assert [first_subject(VILLAGE), first_subject(VILLAGE)] == ["1", "2"]
    assert first_subject("x" * 1001) == "2"
    assert [first_subject(VILLAGE), first_subject(VILLAGE)] == ["3", "4"]


def test_rows_of_a_region_are_found_by_their_index_also_where_some_were_refused(
    world: World,
) -> None:
    """Else each region would cost as much as the whole, while others write for long."""
    rows = [
        {"field": "pop.total", "subject": village, "period": "2026", "value": value}
        for village in (VILLAGE, NEXT_VILLAGE)
        for value in ("bad", 5)
    ]
    import_id = world.accept(rows)
    with world.runtime.context(OPERATOR) as other, world.runtime.context(OPERATOR) as ctx:
        other.sql("SELECT pg_current_xact_id()")
        assert sort_rows(ctx, import_id, agency_id=None, reach="").refused == 2
        usable = "SELECT count(*) FROM pg_index WHERE indrelid = 'import_cell'::regclass AND {}"
        assert ctx.sql(usable.format("NOT indcheckxmin")).scalar_one() == 1


def test_file_about_areas_and_people_finds_both(world: World) -> None:
    key = "420102199001010014"
    with world.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, VILLAGE, (key, "王"))
    view = world.take(
        [
            {"field": "aid.age", "subject": key, "value": 36},
            {"field": "pop.total", "subject": VILLAGE, "period": "2026", "value": 5},
            {"field": "pop.total", "subject": key, "period": "2026", "value": 5},
            {"field": "aid.age", "subject": VILLAGE, "value": 36},
        ],
        OPERATOR,
    )
    assert view.counts == ImportCounts(created=2, invalid=2)
    assert [(c.row, c.pointer, c.code.value) for c in view.conflicts.items] == [
        (3, "/subject", "unknown_subject"),
        (4, "/subject", "unknown_subject"),
    ]
    assert world.held() == {("aid.age", key, ""): 36, ("pop.total", VILLAGE, "2026"): 5}


def test_keys_that_were_forgotten_and_came_again_are_the_same_subjects(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oneform.values.imports.packing.REMEMBERED", 0)
    monkeypatch.setattr("oneform.values.imports.rows.ROWS_AT_ONCE", 1)
    rows: list[dict[str, Any]] = [
        {"field": "pop.total", "subject": village, "period": period, "value": 5}
        for period in ("2025", "2026", "2026")
        for village in (VILLAGE, NEXT_VILLAGE)
    ]
    import_id = world.accept(rows)
    assert world.scalar("SELECT count(*) FROM value_import_block") == 6
    world.work(import_id)
    view = world.view(import_id)
    assert view.counts == ImportCounts(created=4, invalid=2)
    assert [c.row for c in view.conflicts.items] == [5, 6]


# ---- imports that waited when rows were no blocks yet ----------------------------------

OLD = """
DROP TABLE value_import_block, value_import_taken;
CREATE TABLE value_import_row (import_id uuid NOT NULL, row bigint NOT NULL, field text NOT NULL,
  subject text NOT NULL, period text NOT NULL, value text, observed_on text,
  CONSTRAINT pk_value_import_row PRIMARY KEY (import_id, row));
UPDATE alembic_version SET version_num = '0011';
"""
WAITED = """
INSERT INTO value_import_row (import_id, row, field, subject, period, value, observed_on)
SELECT CAST(:id AS uuid), n, CASE WHEN n % 2 = 0 THEN 'pop.total' ELSE 'pop.note' END,
  (CAST(:subjects AS text[]))[n % 3 + 1], CASE WHEN n % 2 = 0 THEN (2020 + n % 6)::text ELSE '' END,
  CASE WHEN n % 2 = 0 THEN n::text ELSE '"a\\"b,\\\\{"' END, '2026-03-16'
FROM generate_series(CAST(:first AS int), :last) AS n
"""


def test_imports_that_waited_during_the_upgrade_are_done_after_it(world: World) -> None:
    subjects = [VILLAGE, NEXT_VILLAGE, FOREIGN_VILLAGE]
    engine = world.runtime.engine
    with engine.begin() as connection:
        for statement in OLD.strip().split(";\n"):
            connection.execute(sa.text(statement))
    with world.runtime.context(OPERATOR) as ctx:
        imports = [an_import(ctx) for _ in range(3)]
        ends = [(4, 12), (7, 11_000), (1, 0)]
        for id, (first, last) in zip(imports, ends, strict=True):
            ctx.sql(WAITED, id=id, first=first, last=last, subjects=subjects)
        # Half of it was done.
        ctx.sql(
            "UPDATE value_import SET state = 'running', created = 3 WHERE id = :id", id=imports[0]
        )
        query = "SELECT row, field, subject, period, value, observed_on FROM value_import_row "
        came = [
            [tuple(row) for row in ctx.sql(query + "WHERE import_id = :id ORDER BY row", id=id)]
            for id in imports
        ]
    migrations.upgrade(engine.url.render_as_string(hide_password=False))
    with world.runtime.context(OPERATOR) as ctx:
        assert [unpacked(ctx, id) for id in imports] == came
        ctx.sql("DROP TABLE import_gone, import_row")
    for id in imports:
        world.work(id)
    assert world.view(imports[0]).counts == ImportCounts(created=3 + 6, invalid=3)
    assert world.waiting() == 0
    assert world.held()["pop.note", VILLAGE, ""] == 'a"b,\\{'
