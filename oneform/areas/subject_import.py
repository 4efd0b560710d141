"""Importing subjects from a file (API.md, section 7): households, residents, enterprises …

A file states who is there: a subject that is known with the same area and name
is left alone, another name is written over it (the old one goes to the history).
Moving and closing are single acts (`subjects`), so a known subject elsewhere is
a mistake. Areas come by their own files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from oneform.areas import formats
from oneform.areas.csvfile import on_line, read_table
from oneform.areas.errors import BrokenFile
from oneform.areas.formats import SubjectLine
from oneform.areas.importing import ImportReport
from oneform.areas.kinds import AREA_KIND, all_kinds, key_mistakes
from oneform.areas.placements import instant, supersede
from oneform.areas.queries import AreaView, areas_by_code
from oneform.areas.staging import stage
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict, Mistake

MANY = 1000
"""From so many new subjects on, the planner's statistics are renewed at once."""


def import_subjects(ctx: Context, file: bytes | Path) -> ImportReport:
    """Take in a subjects file, all or nothing; a second time changes nothing.

    A key is once in a file and once among the active subjects of its kind,
    wherever they are. BrokenFile with every mistake and its line.
    """
    policy.require(ctx, Permission.OPERATE)
    table = read_table(file, formats.SUBJECT_COLUMNS, formats.SUBJECT_OPTIONAL)
    lines = formats.subject_lines(table)
    mistakes = table.mistakes + _judge(ctx, lines)
    codes = {line.area for line in lines}
    locks.share_regions(ctx, {area.region_id for area in areas_by_code(ctx, codes).values()})
    # Asked again: areas may have ended while the locks were awaited.
    places = areas_by_code(ctx, codes)
    mistakes += [_nowhere(line) for line in lines if line.area not in places]
    _stage(ctx, [line for line in lines if line.area in places], places)
    mistakes += _match(ctx)
    if mistakes:
        raise BrokenFile(mistakes)
    report = _write(ctx)
    if report.created or report.updated:
        audit.append(
            ctx,
            Tag.SUBJECTS_IMPORTED,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
        )
    return report


def _nowhere(line: SubjectLine) -> Mistake:
    return on_line(line.line, "unknown_area", f"there is no area {line.area}")


def _judge(ctx: Context, lines: Sequence[SubjectLine]) -> list[Mistake]:
    """What is wrong with the lines by themselves and with each other."""
    kinds = all_kinds(ctx)
    first: dict[tuple[str, str], int] = {}
    mistakes = []
    for line in lines:
        kind = kinds.get(line.kind)
        if line.kind == AREA_KIND:
            mistakes.append(on_line(line.line, "area_kind", "areas come by `oneform areas import`"))
        elif kind is None:
            wrong = f"there is no kind of subject {line.kind!r}"
            mistakes.append(on_line(line.line, "unknown_kind", wrong))
        else:
            mistakes += key_mistakes(kind, line.key, f"line {line.line}")
        before = first.setdefault((line.kind, line.key), line.line)
        if before != line.line:
            wrong = f"this {line.kind} is on line {before} already"
            mistakes.append(on_line(line.line, "duplicate_key", wrong))
    return mistakes


_STAGED = {
    "line": "integer",
    "kind_id": "integer",
    "key": 'text COLLATE "C"',
    "name": "text",
    "area_id": "bigint",
    "region_id": "bigint",
    "active_from": "date",
    # The known subject with this key, where there is one.
    "known_region_id": "bigint",
    "known_id": "bigint",
    "known_area_id": "bigint",
}


def _stage(ctx: Context, lines: Sequence[SubjectLine], places: dict[str, AreaView]) -> None:
    kinds = all_kinds(ctx)

    def rows() -> Iterator[tuple[object, ...]]:
        for line in lines:
            if line.kind in kinds:
                place = places[line.area]
                subject = (kinds[line.kind].id, line.key, line.name, place.id, place.region_id)
                yield line.line, *subject, line.active_from, None, None, None

    stage(ctx, "subject_staged", _STAGED, rows())


def _match(ctx: Context) -> list[Mistake]:
    """Find the subjects that are known; a mistake for each that is elsewhere.

    In every region, in one pass: a subject that moved in keeps the region it came from.
    """
    ctx.sql(
        "UPDATE subject_staged AS n SET known_region_id = s.region_id, known_id = s.id,"
        "  known_area_id = s.area_id "
        "FROM subject AS s WHERE s.kind_id = n.kind_id AND s.key = n.key AND s.active_to IS NULL"
    )
    elsewhere = ctx.sql(
        "SELECT n.line, a.code FROM subject_staged AS n JOIN area AS a ON a.id = n.known_area_id "
        "WHERE n.known_area_id <> n.area_id"
    )
    return [
        on_line(row.line, "elsewhere", f"this subject is known in {row.code}; move it first")
        for row in elsewhere
    ]


_RENAMED = """
FROM subject_staged AS n
WHERE s.region_id = n.known_region_id AND s.id = n.known_id AND s.name <> n.name
"""


def _write(ctx: Context) -> ImportReport:
    found = ctx.sql(
        "SELECT count(*) AS total, count(*) FILTER (WHERE known_id IS NULL) AS new "
        "FROM subject_staged"
    ).one()
    at = instant(ctx)
    supersede(ctx, _RENAMED, at=at)
    updated = ctx.sql(
        f"UPDATE subject AS s SET name = n.name, recorded_at = :at {_RENAMED}", at=at
    ).rowcount
    created = ctx.sql(
        "INSERT INTO subject (region_id, kind_id, key, name, area_id, active_from) "
        "SELECT region_id, kind_id, key, name, area_id, active_from FROM subject_staged "
        "WHERE known_id IS NULL ORDER BY region_id, kind_id, key "
        "ON CONFLICT (region_id, kind_id, key) WHERE active_to IS NULL DO NOTHING"
    ).rowcount
    if created != found.new:
        raise Conflict("Somebody entered one of these subjects meanwhile. Try again.")
    if created >= MANY:
        ctx.sql("ANALYZE subject")
    return ImportReport(created, updated, found.total - created - updated)
