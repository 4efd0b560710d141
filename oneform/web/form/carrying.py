"""Answers that were on their way when the session ended: kept as drafts after the login."""

from __future__ import annotations

from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from oneform.identity.policy import Permission, principal
from oneform.web.form.answering import read_questions
from oneform.web.form.loading import load_page
from oneform.web.form.saving import save_typed
from oneform.web.form.typed import read_typed
from oneform.web.pages import current_context


def keep_carried(carried: str) -> None:
    """Keep what the login page carried along, where it is an answer to an open ask of theirs."""
    ctx = current_context()
    if not principal(ctx).may(Permission.ANSWER):
        return
    form = MultiDict(parse_qsl(carried, keep_blank_values=True))
    typed = read_typed(form)
    if not typed:
        return
    stored = load_page(
        ctx, unit=form.get("unit"), section=form.get("section"), cursor=None, only=typed
    )
    page, readings = read_questions(stored, typed)
    save_typed(ctx, stored, page, readings)
