"""What a draft of the pages holds. Pure.

A value stands as it is, as programs write it. Where more was said, the draft is
the members that will be sent: `{"value", "missing", "note", "accept_warning"}`,
of these `note` always, so that a form that is opened again shows all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oneform.values.models import Missing

_MEMBERS = {"value", "missing", "note", "accept_warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a draft says. `value` is None where it has none."""

    value: Any = None
    missing: str = ""
    note: str = ""
    is_sure: bool = False


def write_draft(kept: Kept) -> Any:
    """The draft; None where there is nothing to keep."""
    members: dict[str, Any] = {}
    if kept.value is not None:
        members["value"] = kept.value
    if kept.missing:
        members["missing"] = kept.missing
    if kept.is_sure:
        members["accept_warning"] = True
    # A value that looks like the members of a draft has to be told from them.
    if kept.missing or kept.is_sure or kept.note.strip() or _is_members(kept.value):
        return members | {"note": kept.note}
    return kept.value


def read_draft(draft: Any) -> Kept:
    """The same back again; any other JSON is a value."""
    if not _is_members(draft):
        return Kept(value=draft)
    return Kept(
        value=draft.get("value"),
        missing=draft.get("missing", ""),
        note=draft["note"],
        is_sure=draft.get("accept_warning", False),
    )


def _is_members(draft: Any) -> bool:
    return (
        isinstance(draft, dict)
        and draft.keys() <= _MEMBERS
        and isinstance(draft.get("note"), str)
        and draft.get("missing", "") in ("", *Missing)
        and isinstance(draft.get("accept_warning", False), bool)
    )
