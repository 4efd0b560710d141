"""Judging answers. Pure: what a value breaks, and what about it is worth a second look.

The rules of soft checks are the catalogue's (`soft_checks` of a field): a value
that breaks one may be right, so it passes when the person says so with a note.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from oneform.collection.questions import Question
from oneform.kernel.jsonschemas import CompiledSchema

Number = int | float
Known = Callable[[str], Number | None]
"""Number of another field for the same subject and period: just answered, or held."""

MAX_DETAILS = 5


def schema_mistake(judge: CompiledSchema, value: Any) -> str | None:
    """Why the value cannot be an answer, in words without the value; None if it can."""
    if judge.is_valid(value):
        return None
    found = [f"{m.pointer}: {m.detail}".removeprefix(": ") for m in judge.errors(value)]
    return "; ".join(found[:MAX_DETAILS])


def as_number(value: Any) -> Number | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def warnings(question: Question, value: Any, previous: Any, known: Known) -> list[str]:
    """What is odd about a valid value, in words; empty where nothing is."""
    number = as_number(value)
    if number is None:
        return []

    def of(code: str) -> Number | None:
        return number if code == question.code else known(code)

    return [
        words
        for check in question.soft_checks
        for words in _odd(check, number, as_number(previous), of)
    ]


def _odd(check: Any, number: Number, previous: Number | None, of: Known) -> Iterator[str]:
    match check:
        case {"change_over_previous": share}:
            # From zero every change is endless, and says nothing.
            if previous and abs(number - previous) > share * abs(previous):
                change = (number - previous) / abs(previous)
                yield f"changes by {change:+.0%} from {previous}; more than {share:.0%} is unusual"
        case {"at_most": str(code)}:
            if (other := of(code)) is not None and number > other:
                yield f"is more than {code}, which is {other}"
        case {"at_least": str(code)}:
            if (other := of(code)) is not None and number < other:
                yield f"is less than {code}, which is {other}"
        case {"parts_sum_to": {"total": total, "parts": parts}}:
            summands = [of(part) for part in parts]
            whole = of(total)
            known = [summand for summand in summands if summand is not None]
            if whole is None or len(known) < len(summands):
                return
            # Not exactly: 0.1 + 0.2 is 0.3 to whoever fills in a form.
            if not math.isclose(math.fsum(known), whole, rel_tol=1e-9, abs_tol=1e-9):
                yield f"the parts add up to {math.fsum(known):.10g}, {total} is {whole}"
