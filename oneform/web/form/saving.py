"""Keeping what was typed: as drafts, whatever becomes of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask_babel import gettext  # type: ignore[import-untyped]

from oneform.collection.commands import DraftOutcome
from oneform.collection.service import save_drafts
from oneform.collection.views import SavedDraft
from oneform.kernel.context import Context
from oneform.web.form.answering import Reading, drafts_of, missing_words
from oneform.web.form.building import with_questions
from oneform.web.form.drafts import read_draft
from oneform.web.form.model import FormPage, Question
from oneform.web.form.reading import value_words
from oneform.web.formats import clock_words


def save_typed(
    ctx: Context, stored: FormPage, page: FormPage, readings: Sequence[Reading]
) -> FormPage:
    """Save what was typed into a page; the page with the new etags, and with conflicts as errors.

    `stored` is the page as it was read, before anything was typed.
    """
    drafts = drafts_of(readings, stored)
    if not drafts:
        return page
    outcomes = {each.ask: each for each in save_drafts(ctx, drafts)}

    def tell(question: Question) -> Question:
        outcome = outcomes.get(question.ask)
        return question if outcome is None else _told(question, outcome)

    return with_questions(page, tell)


def _told(question: Question, outcome: SavedDraft) -> Question:
    match outcome.outcome:
        case DraftOutcome.CONFLICT if outcome.theirs is not None:
            theirs = outcome.theirs
            words = gettext(
                "At %(time)s %(name)s wrote here: %(words)s. To replace it by yours, go on once "
                "more; otherwise correct yours.",
                time=clock_words(theirs.updated_at),
                name=theirs.by,
                words=_draft_words(question, theirs.value),
            )
            return replace(question, error=str(words), base=theirs.etag)
        case DraftOutcome.REFUSED:
            words = gettext("This has been answered meanwhile: you need not do anything")
            return replace(question, error=question.error or str(words))
        case _:
            return replace(question, base=outcome.etag)


def _draft_words(question: Question, draft: object) -> str:
    kept = read_draft(draft)
    words = [value_words(question.control, kept.value)] if kept.value is not None else []
    if kept.missing:
        words.append(missing_words(kept.missing))
    return " ".join([*words, kept.note]).strip()
