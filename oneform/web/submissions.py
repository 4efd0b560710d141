"""What was sent: the list of a unit, and the receipt of each submission."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import flask
from flask.typing import ResponseReturnValue

from catalog.snapshot import Snapshot, snapshot
from catalog.value_schema import code_lists_in
from oneform.collection.commands import AnswerState
from oneform.collection.questions import in_language
from oneform.collection.service import get_submission, list_submissions, read_form
from oneform.collection.views import AnswerView
from oneform.identity.policy import Permission
from oneform.web.form.answering import missing_words
from oneform.web.form.controls import Control, control_of
from oneform.web.form.reading import value_words
from oneform.web.form.telling import spared_by
from oneform.web.languages import current_language
from oneform.web.pages import Pages, current_context, needs

pages = Pages("submissions")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """An answer of a receipt, in words."""

    name: str
    subject: str
    period: str | None
    words: str
    note: str | None
    state: AnswerState
    comment: str | None


@pages.get("/submissions")
@needs(Permission.READ_FORM)
def show_list() -> ResponseReturnValue:
    found = list_submissions(current_context(), cursor=flask.request.args.get("cursor"))
    return flask.render_template("submissions.html", items=found.items, next=found.next)


@pages.get("/submissions/<uuid:id>")
@needs(Permission.READ_FORM)
def show_receipt(id: uuid.UUID) -> ResponseReturnValue:
    ctx, language = current_context(), current_language()
    submission = get_submission(ctx, id, language=language)
    catalog = snapshot(ctx)
    lines = [_line(catalog, answer, submission.unit) for answer in submission.answers]
    form = read_form(ctx, submission.unit, language=language)
    spared = spared_by(str(id))
    return flask.render_template(
        "receipt.html",
        submission=submission,
        lines=lines,
        counts=form.counts,
        spared=spared.words() if spared else None,
    )


def _line(catalog: Snapshot, answer: AnswerView, unit: str) -> AnswerLine:
    subject = answer.subject
    return AnswerLine(
        name=answer.field_name,
        subject="" if subject.key == unit else subject.name,
        period=answer.period,
        words=missing_words(answer.missing)
        if answer.missing
        else value_words(_control(catalog, answer.field), answer.value),
        note=answer.note,
        state=AnswerState(answer.state),
        comment=answer.comment,
    )


def _control(catalog: Snapshot, code: str) -> Control:
    """The control of a field: unit and kind of value are the same in all its versions."""
    definition = catalog.by_code[code][-1].definition
    language = current_language()
    # Codes that were retired stay readable.
    names = {
        item.code: in_language(item.name, language)
        for _, part in code_lists_in(definition.schema)
        for item in catalog.code_lists[part["code_list"]].items
    }
    schema = catalog.resolved_schema(catalog.by_code[code][-1].version_id)
    if "enum" in schema:
        schema = {**schema, "enum": list(names)} if names else schema
    return control_of(schema, unit=definition.unit, names=names)
