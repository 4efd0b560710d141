"""What an ask asks: its field version, ready for judging answers.

A published version never changes, so it is looked up once in a process. Code
lists do change: where an answer is one of their codes, the catalogue is asked
each time which they are (`catalog.snapshot`).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from catalog.models import Review
from catalog.snapshot import Snapshot, snapshot
from catalog.value_schema import code_lists_in
from oneform.kernel.context import Context
from oneform.kernel.jsonschemas import CompiledSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One field version."""

    version_id: int
    field_id: int
    code: str
    is_integer: bool
    needs_review: bool
    soft_checks: tuple[Mapping[str, Any], ...] = ()
    companions: Mapping[str, int] = field(default_factory=dict)
    """Other fields that its soft checks look at: code → field id."""
    judge: CompiledSchema | None = None
    """None where code lists have a part in it; see `judges_of`."""

    @property
    def looks_back(self) -> bool:
        """Whether a soft check compares with the previous value."""
        return any("change_over_previous" in check for check in self.soft_checks)


_by_engine: WeakKeyDictionary[object, dict[int, Question]] = WeakKeyDictionary()
"""Numbers of versions mean nothing beyond their database."""
_lock = threading.Lock()


def questions_of(ctx: Context, version_ids: Iterable[int]) -> dict[int, Question]:
    """The questions of field versions that asks point at, by id. Mostly without a query."""
    with _lock:
        known = _by_engine.setdefault(ctx.session.get_bind(), {})
    wanted = set(version_ids)
    missing = wanted - known.keys()
    if missing:
        catalog = snapshot(ctx)
        known.update((version_id, _question(catalog, version_id)) for version_id in missing)
    return {version_id: known[version_id] for version_id in wanted}


def _question(catalog: Snapshot, version_id: int) -> Question:
    version = catalog.by_id[version_id]
    definition = version.definition
    others = named_fields(definition.soft_checks) - {version.code}
    return Question(
        version_id=version_id,
        field_id=version.field_id,
        code=version.code,
        is_integer=definition.schema.get("type") == "integer",
        needs_review=definition.review == Review.TOWNSHIP,
        soft_checks=definition.soft_checks,
        companions={
            code: catalog.by_code[code][0].field_id for code in others if code in catalog.by_code
        },
        judge=None if any(code_lists_in(definition.schema)) else catalog.validator(version_id),
    )


def judges_of(ctx: Context, questions: Collection[Question]) -> dict[int, CompiledSchema]:
    """What answers to the questions are judged by today, by version id."""
    catalog = snapshot(ctx) if any(question.judge is None for question in questions) else None
    judges = {}
    for question in questions:
        judge = question.judge
        if judge is None:
            assert catalog is not None
            judge = catalog.validator(question.version_id)
        judges[question.version_id] = judge
    return judges


def named_fields(soft_checks: Iterable[Mapping[str, Any]]) -> set[str]:
    """Codes of all fields that soft checks name."""
    found: set[str] = set()
    for check in soft_checks:
        match check:
            case {"at_most": str(code)} | {"at_least": str(code)}:
                found.add(code)
            case {"parts_sum_to": {"total": total, "parts": parts}}:
                found.update((total, *parts))
    return found


def in_language(words: Mapping[str, str], language: str) -> str:
    """A name in a language; in Chinese where it has none."""
    return words.get(language) or words["zh"]
