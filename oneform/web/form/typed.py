"""What somebody typed into the form, as the browser sends it.

Each control is named for what it is and for its ask: `value.12-3456`. A hidden
`base.…` goes with every question, so that it is known which ones were on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from oneform.values.models import Missing

LONGEST = 10_000
"""Characters of one text; drafts take no more."""

MEMBERS = ("value", "confirm", "missing", "note", "sure", "base")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed into one question."""

    ask: str
    texts: tuple[str, ...] = ()
    """Without blanks."""
    is_confirmed: bool = False
    missing: str = ""
    note: str = ""
    is_sure: bool = False
    """The person has looked at a warning again."""
    base: str | None = None
    """The etag of the draft that was on the page."""

    @property
    def is_answered(self) -> bool:
        return bool(self.texts or self.is_confirmed or self.missing)


def read_typed(form: MultiDict[str, str]) -> dict[str, Typed]:
    """By ask, in the order of the page."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, texts in form.lists():
        member, _, ask = name.partition(".")
        if ask and member in MEMBERS:
            found.setdefault(ask, {})[member] = [_tidy(text) for text in texts]
    return {ask: _typed(ask, members) for ask, members in found.items()}


def _typed(ask: str, members: Mapping[str, list[str]]) -> Typed:
    def first(member: str) -> str:
        return next((text for text in members.get(member, ()) if text.strip()), "")

    missing = first("missing")
    return Typed(
        ask=ask,
        texts=tuple(text for text in members.get("value", ()) if text.strip()),
        is_confirmed=bool(first("confirm")),
        missing=missing if missing in set(Missing) else "",
        note=first("note"),
        is_sure=bool(first("sure")),
        base=first("base") or None,
    )


def _tidy(text: str) -> str:
    """Line ends as everywhere; without U+0000, which no store can hold."""
    return text[:LONGEST].replace("\r\n", "\n").replace("\0", "")


def hidden_fields(typed: Iterable[Typed]) -> list[tuple[str, str]]:
    """The same once more as names and texts, for a page that carries it along."""
    fields: list[tuple[str, str]] = []
    for each in typed:
        fields += [(f"value.{each.ask}", text) for text in each.texts]
        for member, text in (
            ("confirm", "1" if each.is_confirmed else ""),
            ("missing", each.missing),
            ("note", each.note),
            ("sure", "1" if each.is_sure else ""),
        ):
            if text:
                fields.append((f"{member}.{each.ask}", text))
        fields.append((f"base.{each.ask}", each.base or ""))
    return fields
