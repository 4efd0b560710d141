"""The one form of a unit: everything that is asked of it, with all that is known beside it.

A constant number of queries, however many asks there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from catalog.models import Review
from catalog.snapshot import snapshot
from catalog.value_schema import code_lists_in
from catalog.views import FieldVersionView
from oneform.areas.kinds import mask
from oneform.collection.asks import in_states
from oneform.collection.lifecycle import ANSWERABLE, LIVE, AskState, earliest_due
from oneform.collection.previous import CellKey, look_around
from oneform.collection.questions import in_language
from oneform.collection.reach import find_unit
from oneform.collection.views import (
    CodeName,
    Draft,
    Form,
    FormAsk,
    FormCounts,
    FormField,
    FormRow,
    FormSection,
    FormUnit,
    RequestedBy,
    SubjectRef,
)
from oneform.collection.who_asks import Asker, WhoAsks
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake
from oneform.kernel.ids import pack_id
from oneform.kernel.paging import decode_cursor, encode_cursor

ROWS = 500
"""Rows of a section that come at once."""

_COUNTS = sa.text(
    f"""
    SELECT count(*) FILTER (WHERE a.state = 'open') AS open, count(d.ask_id) AS draft,
      count(*) FILTER (WHERE a.state = 'returned') AS returned,
      count(*) FILTER (WHERE a.state = 'in_review') AS in_review,
      min(a.due_on) FILTER (WHERE a.state IN {in_states(ANSWERABLE)}) AS due
    FROM ask AS a
    LEFT JOIN answer_draft AS d ON d.region_id = a.region_id AND d.ask_id = a.id
    WHERE a.unit_id = :unit AND a.state IN {in_states(LIVE)}
    """
)

# People are put in the order of their names: their keys are not for showing, nor is their order.
_ASKS = sa.text(
    f"""
    WITH shown AS (
      SELECT a.region_id, a.id, a.field_version_id, a.field_id, a.period, a.subject_id, a.state,
        a.due_on, a.stood_days, a.comment, v.topic, k.code AS kind, k.personal, s.key, s.name,
        CASE WHEN k.personal THEN s.name ELSE s.key END COLLATE "C" AS label,
        min(a.due_on) OVER (PARTITION BY v.topic, k.code, a.period) AS section_due
      FROM ask AS a
      JOIN field_version AS v ON v.id = a.field_version_id
      JOIN subject_kind AS k ON k.id = v.kind_id
      JOIN subject AS s ON s.region_id = a.region_id AND s.id = a.subject_id
      WHERE a.unit_id = :unit AND a.state IN {in_states(LIVE)}),
    numbered AS (
      SELECT shown.*,
        dense_rank() OVER (PARTITION BY topic, kind, period ORDER BY label, subject_id) AS n
      FROM shown
      WHERE (CAST(:topic AS text) IS NULL
             OR (topic = :topic AND kind = :kind AND period = :period))
        AND (CAST(:after_label AS text) IS NULL
             OR (label, subject_id) > (:after_label, CAST(:after_id AS bigint))))
    SELECT n.*, d.value AS draft, d.etag, d.updated_at, p.name AS draft_by
    FROM numbered AS n
    LEFT JOIN answer_draft AS d ON d.region_id = n.region_id AND d.ask_id = n.id
    LEFT JOIN staff AS p ON p.id = d.staff_id
    WHERE n.n <= :rows + 1
    ORDER BY n.section_due, n.topic, n.kind, n.period, n.n
    """
)


def read_form(
    ctx: Context,
    unit_code: str | None = None,
    section: str | None = None,
    cursor: str | None = None,
    *,
    language: str = "zh",
) -> Form:
    """The form of a unit (the actor's own by default), or one section of it from a cursor on.

    Sections and rows are the soonest due and then in order of topic, kind,
    period, and of the subjects' codes (people: names). UnknownArea, Forbidden,
    BadCursor; Invalid for a section that is none.
    """
    policy.require(ctx, Permission.READ_FORM)
    unit = find_unit(ctx, unit_code)
    topic, kind, period = _parse_section(section)
    label, last_id = decode_cursor(cursor, [str, int]) if cursor else (None, None)
    counts = ctx.sql(_COUNTS, unit=unit.id).one()
    rows = ctx.sql(
        _ASKS,
        unit=unit.id,
        topic=topic,
        kind=kind,
        period=period,
        after_label=label,
        after_id=last_id,
        rows=ROWS,
    ).all()
    writer = _Writer(ctx, [row for row in rows if row.n <= ROWS], language)
    return Form(
        unit=FormUnit(code=unit.code, name=unit.name),
        due=counts.due,
        counts=FormCounts(
            open=counts.open,
            draft=counts.draft,
            returned=counts.returned,
            in_review=counts.in_review,
        ),
        sections=[
            writer.section(key, list(group)) for key, group in groupby(rows, key=_section_of)
        ],
    )


def _section_of(row: Any) -> tuple[str, str, str]:
    return row.topic, row.kind, row.period


def _parse_section(section: str | None) -> tuple[str | None, str | None, str | None]:
    if section is None:
        return None, None, None
    parts = section.split("/")
    if len(parts) != 3 or "\0" in section:
        raise Invalid(
            mistakes=[Mistake("?section", "section", "is not the name of a section of the form")]
        )
    return parts[0], parts[1], parts[2]


def _cell(row: Any) -> CellKey:
    return row.region_id, row.field_id, row.period, row.subject_id


class _Writer:
    """Puts a form together from what was read of its asks."""

    def __init__(self, ctx: Context, rows: Sequence[Any], language: str) -> None:
        self.language = language
        self.catalog = snapshot(ctx)
        cells = [_cell(row) for row in rows]
        self.previous = look_around(ctx, previous=cells).previous
        today = ctx.today()
        question = WhoAsks(
            {_cell(row): earliest_due(row.state, row.stood_days, today) for row in rows}
        )
        ctx.emit(question)
        told = {
            id(asker): self._told(asker) for askers in question.askers.values() for asker in askers
        }
        self.askers = {
            cell: [told[id(asker)] for asker in askers] for cell, askers in question.askers.items()
        }

    def _told(self, asker: Asker) -> RequestedBy:
        return RequestedBy(
            agency=asker.agency,
            agency_name=in_language(asker.agency_name, self.language),
            control_no=asker.control_no,
            purpose=asker.purpose,
            legal_basis=asker.legal_basis,
            due=asker.due,
        )

    def section(self, key: tuple[str, str, str], rows: list[Any]) -> FormSection:
        topic, kind, period = key
        shown = [row for row in rows if row.n <= ROWS]
        versions = {row.field_version_id for row in shown}
        last = shown[-1]
        return FormSection(
            section="/".join(key),
            topic=topic,
            kind=kind,
            period=period or None,
            due=shown[0].section_due,
            fields=[
                self._field(version)
                for version in sorted(
                    (self.catalog.by_id[id] for id in versions),
                    key=lambda version: (version.code, -version.version),
                )
            ],
            rows=[self._row(list(group)) for _, group in groupby(shown, key=lambda row: row.n)],
            next=encode_cursor(last.label, last.subject_id) if len(shown) < len(rows) else None,
        )

    def _field(self, version: FieldVersionView) -> FormField:
        definition = version.definition
        return FormField(
            code=version.code,
            version=version.version,
            name=in_language(definition.name, self.language),
            definition=in_language(definition.definition, self.language),
            unit=definition.unit,
            schema=self.catalog.resolved_schema(version.version_id),
            legal_basis=definition.legal_basis,
            seconds=definition.seconds,
            review=definition.review != Review.NONE,
            codes=self._codes(definition.schema),
        )

    def _codes(self, schema: Mapping[str, Any]) -> list[CodeName] | None:
        lists = {part["code_list"] for _, part in code_lists_in(schema)}
        return [
            CodeName(code=item.code, name=in_language(item.name, self.language))
            for name in sorted(lists)
            for item in self.catalog.code_lists[name].items
            if item.retired_on is None
        ] or None

    def _row(self, rows: list[Any]) -> FormRow:
        rows.sort(key=lambda row: self.catalog.by_id[row.field_version_id].code)
        return FormRow(subject=subject_ref(rows[0]), asks=[self._ask(row) for row in rows])

    def _ask(self, row: Any) -> FormAsk:
        version = self.catalog.by_id[row.field_version_id]
        cell = _cell(row)
        return FormAsk(
            id=pack_id(row.region_id, row.id),
            field=version.code,
            version=version.version,
            state=AskState(row.state),
            due=row.due_on,
            draft=None
            if row.etag is None
            else Draft(value=row.draft, etag=row.etag, updated_at=row.updated_at, by=row.draft_by),
            previous=self.previous.get(cell),
            requested_by=self.askers.get(cell, []),
            comment=row.comment,
        )


def subject_ref(row: Any) -> SubjectRef:
    """A subject from the columns region_id, subject_id, key, name, personal."""
    return SubjectRef(
        id=pack_id(row.region_id, row.subject_id),
        key=mask(row.key) if row.personal else row.key,
        name=row.name,
    )
