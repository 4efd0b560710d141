"""From the form that the service reads to the page that a person sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, groupby

from flask_babel import gettext  # type: ignore[import-untyped]

from oneform.areas.kinds import AREA_KIND
from oneform.collection.lifecycle import ANSWERABLE, AskState
from oneform.collection.views import (
    Form,
    FormAsk,
    FormField,
    FormRow,
    FormSection,
    Previous,
    SubjectRef,
)
from oneform.values.models import ProvenanceKind
from oneform.web.form.controls import Control, control_of
from oneform.web.form.drafts import read_draft
from oneform.web.form.model import AskedBy, Before, Closed, FormPage, Group, Part, Question, Row
from oneform.web.form.reading import show_value, value_words
from oneform.web.formats import period_words
from oneform.web.topics import topic_words

ON_ONE_PAGE = 60
"""Questions that stand on one page. More would be too far to scroll, and to send at once."""


def build_page(
    form: Form,
    *,
    today: dt.date,
    own_unit: str | None,
    kind_names: Mapping[str, str],
    source_names: Mapping[str, str],
    only: Collection[str] | None = None,
) -> FormPage:
    """The page of a form: all of it, or `only` some asks."""
    numbers = count(1)

    def question(ask: FormAsk, field: FormField, subject: str) -> Question:
        return _question(ask, field, next(numbers), subject, today, source_names)

    groups = [_group(form, section, question, kind_names, only) for section in form.sections]
    return FormPage(
        unit_code=form.unit.code,
        unit_name=form.unit.name,
        is_own=form.unit.code == own_unit,
        due=form.due,
        days_left=(form.due - today).days if form.due else None,
        groups=[group for group in groups if group.rows],
        further=[(group.section, group.next) for group in groups if group.next],
        closed=list(_closed(form)),
    )


def _group(
    form: Form,
    section: FormSection,
    question: Callable[[FormAsk, FormField, str], Question],
    kind_names: Mapping[str, str],
    only: Collection[str] | None,
) -> Group:
    fields = {(field.code, field.version): field for field in section.fields}
    rows = []
    for row in section.rows:
        label = _subject_words(form, row.subject)
        questions = [
            question(ask, fields[ask.field, ask.version], label)
            for ask in row.asks
            if ask.state in ANSWERABLE and (only is None or ask.id in only)
        ]
        if questions:
            rows.append(_row(form, row, questions))
    return Group(
        id="topic-" + "-".join(section.section.split("/")),
        section=section.section,
        topic=topic_words(section.topic),
        kind="" if section.kind == AREA_KIND else kind_names.get(section.kind, section.kind),
        period=period_words(section.period),
        due=section.due,
        rows=rows,
        next=section.next,
    )


def _row(form: Form, row: FormRow, questions: list[Question]) -> Row:
    is_own = row.subject.key == form.unit.code
    return Row(
        name="" if is_own else row.subject.name,
        key="" if is_own else row.subject.key,
        questions=questions,
    )


def _subject_words(form: Form, subject: SubjectRef) -> str:
    if subject.key == form.unit.code:
        return ""
    return f"{subject.name}（{subject.key}）" if subject.key else subject.name


def _question(
    ask: FormAsk,
    field: FormField,
    number: int,
    subject: str,
    today: dt.date,
    source_names: Mapping[str, str],
) -> Question:
    names = {code.code: code.name for code in field.codes or ()}
    control = control_of(field.schema, unit=field.unit, names=names)
    before = _before(ask.previous, control, source_names)
    draft = ask.draft.value if ask.draft else None
    kept = read_draft(draft)
    is_same = kept.value is not None and before is not None and kept.value == before.value
    return Question(
        ask=ask.id,
        number=number,
        name=field.name,
        definition=field.definition,
        legal_basis=field.legal_basis,
        seconds=field.seconds,
        schema=field.schema,
        control=control,
        subject=subject,
        due=ask.due,
        is_late=ask.due < today,
        asked_by=[
            AskedBy(
                agency=each.agency_name,
                purpose=each.purpose,
                legal_basis=each.legal_basis,
                control_no=each.control_no,
                due=each.due,
            )
            for each in ask.requested_by
        ],
        before=before,
        comment=ask.comment,
        is_reviewed=field.review,
        draft=draft,
        base=ask.draft.etag if ask.draft else None,
        texts=() if kept.value is None or is_same else show_value(control, kept.value),
        is_confirmed=is_same,
        missing=kept.missing,
        note=kept.note,
        is_sure=kept.is_sure,
    )


def _before(
    previous: Previous | None, control: Control, source_names: Mapping[str, str]
) -> Before | None:
    if previous is None:
        return None
    is_said = (previous.period or "").startswith(f"{previous.observed_on:%Y}")
    return Before(
        value=previous.value,
        words=value_words(control, previous.value),
        period=period_words(previous.period),
        source=source_words(previous.source, source_names),
        observed_on=None if is_said else previous.observed_on,
    )


def source_words(source: str, names: Mapping[str, str]) -> str:
    """Where a value came from; `names` are those of shared sources."""
    match source:
        case ProvenanceKind.SUBMISSION:
            return str(gettext("reported here"))
        case ProvenanceKind.IMPORT | ProvenanceKind.SOURCE:
            return str(gettext("from a department"))
        case ProvenanceKind.COMPUTATION:
            return str(gettext("computed"))
        case ProvenanceKind.CORRECTION:
            return str(gettext("corrected"))
        case _:
            return names.get(source, source)


def _closed(form: Form) -> Iterator[Closed]:
    for section in form.sections:
        names = {(field.code, field.version): field.name for field in section.fields}
        for row in section.rows:
            for ask in row.asks:
                if ask.state not in ANSWERABLE:
                    yield Closed(
                        name=names[ask.field, ask.version],
                        subject=_subject_words(form, row.subject),
                        is_refused=ask.state is AskState.REFUSED,
                    )


def with_questions(page: FormPage, change: Callable[[Question], Question]) -> FormPage:
    """The page with every question changed."""
    return replace(
        page,
        groups=[
            replace(
                group,
                rows=[
                    replace(row, questions=[change(question) for question in row.questions])
                    for row in group.rows
                ],
            )
            for group in page.groups
        ],
    )


def split(page: FormPage) -> list[Part]:
    """The form in parts of about `ON_ONE_PAGE` questions, in their order. Rows stay whole, and
    rosters apart from what is asked about the village itself."""
    parts: list[list[tuple[Group, Row]]] = [[]]
    size = 0
    for group in page.groups:
        for row in group.rows:
            is_other = bool(parts[-1]) and parts[-1][-1][0].kind != group.kind
            if is_other or (parts[-1] and size + len(row.questions) > ON_ONE_PAGE):
                parts.append([])
                size = 0
            parts[-1].append((group, row))
            size += len(row.questions)
    return [_part(number, rows) for number, rows in enumerate(parts, 1) if rows]


def _part(number: int, rows: Sequence[tuple[Group, Row]]) -> Part:
    groups = [
        replace(pairs[0][0], rows=[row for _, row in pairs])
        for _, found in groupby(rows, key=lambda pair: pair[0].id)
        if (pairs := list(found))
    ]
    return Part(number=number, groups=groups)


def part_of(page: FormPage, number: int) -> FormPage:
    """One part of the form: the nearest one where there is none of this number."""
    parts = split(page)
    if not parts:
        return page
    part = parts[min(max(number, 1), len(parts)) - 1]
    return replace(page, groups=part.groups, part=part.number, parts=len(parts))
