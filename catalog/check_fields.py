"""Rules that one field's definition must keep, by itself and toward what it names. Pure.

The shape has been checked before (`catalog.structure`). Formulas, counts and soft
checks, which lead to other fields, are in `catalog.check_derivations`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from catalog.definition import AREA_KIND, FieldDefinition, Rollup
from catalog.formats import FORMATS
from catalog.models import Mode, Sharing
from catalog.periods import (
    FIRST_YEAR,
    LAST_YEAR,
    PeriodError,
    Window,
    parse_duration,
)
from catalog.value_schema import TYPES, code_lists_in
from catalog.world import World
from oneform.areas.models import Level
from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschemas import check_schema
from oneform.kernel.jsonvalues import MAX_INTEGER

LONGEST_TERM = parse_duration("P3Y")
"""Approval lasts three years at the most (DESIGN.md §7)."""


def field_mistakes(field: FieldDefinition, world: World) -> Iterator[Mistake]:
    """What is wrong with a definition, as pointers into its bundle member."""
    if field.owner not in world.agencies and not world.other_agencies:
        yield Mistake("/owner", "unknown_owner", f"there is no agency {field.owner}")
    if field.subject_kind not in world.kinds:
        detail = f"there is no kind of subject {field.subject_kind}"
        yield Mistake("/subject_kind", "unknown_kind", detail)
    yield from _numbers(field)
    yield from _schema(field, world)
    yield from _levels(field)
    yield from _period(field)
    yield from _asking(field)
    yield from _sharing(field, world)
    yield from _term(field)


def _numbers(field: FieldDefinition) -> Iterator[Mistake]:
    """PostgreSQL writes 1e300 out, with all its noughts; what comes back is no JSON number of ours."""
    parts = (("/schema", field.schema), ("/soft_checks", field.soft_checks))
    for pointer, part in parts:
        if any(abs(number) > MAX_INTEGER for number in _floats(part)):
            yield Mistake(pointer, "json", "holds a number of more than 64 bits")


def _floats(value: object) -> Iterator[float]:
    match value:
        case float():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _floats(inner)
        case list() | tuple():
            for inner in value:
                yield from _floats(inner)


def _schema(field: FieldDefinition, world: World) -> Iterator[Mistake]:
    wrong = check_schema(dict(field.schema), FORMATS)
    for mistake in wrong:
        code = "unknown_format" if mistake.code == "format" else "schema"
        yield Mistake("/schema" + mistake.pointer, code, mistake.detail)
    if wrong:
        return
    if field.schema.get("type") not in TYPES:
        yield Mistake("/schema", "schema_type", f"must have one type of {', '.join(TYPES)}")
    for pointer, part in code_lists_in(field.schema):
        code = part["code_list"]
        if part.get("type") != "string":
            yield Mistake("/schema" + pointer, "code_list", "codes of a list are of type string")
        if not isinstance(code, str) or code not in world.code_lists:
            detail = f"there is no code list {str(code)[:100]}"
            yield Mistake(f"/schema{pointer}/code_list", "unknown_code_list", detail)
    if field.rollup in (Rollup.SUM, Rollup.AVG) and not field.is_numeric:
        yield Mistake("/rollup", "rollup", f"{field.rollup} is of numbers only")


def _levels(field: FieldDefinition) -> Iterator[Mistake]:
    if field.subject_kind != AREA_KIND:
        if field.levels:
            yield Mistake("/levels", "levels", "only fields about areas have levels")
        return
    if not field.levels:
        yield Mistake("/levels", "levels", "a field about areas says which levels have it")
        return
    if field.mode != Mode.COLLECT:
        return
    answering, lowest = Level(field.collected_at), Level(max(field.levels))
    if answering > lowest:
        detail = f"a unit below {_word(lowest)} level cannot answer about a {_word(lowest)}"
        yield Mistake("/collected_at", "collected_at", detail)
    above = [Level(level) for level in field.levels if level < answering]
    if above and field.rollup == Rollup.NONE:
        words = ", ".join(_word(level) for level in above)
        detail = f"nobody can answer at {words} level: collected below it, and without roll-up"
        yield Mistake("/levels", "collected_at", detail)


def _word(level: Level) -> str:
    return level.word


def _period(field: FieldDefinition) -> Iterator[Mistake]:
    if field.valid_for is not None:
        if not field.is_standing:
            detail = "only a field without period (period_type none) goes stale after a while"
            yield Mistake("/valid_for", "period", detail)
        try:
            parse_duration(field.valid_for)
        except PeriodError as error:
            yield Mistake("/valid_for", "duration", str(error))
    if field.window is not None:
        try:
            Window.parse(field.window)
        except PeriodError as error:
            yield Mistake("/window", "window", str(error))


def _asking(field: FieldDefinition) -> Iterator[Mistake]:
    if field.mode == Mode.COLLECT and field.seconds <= 0:
        detail = "an answer that people give takes more than 0 seconds"
        yield Mistake("/seconds", "seconds", detail)
    if field.mode == Mode.DERIVE and field.derivation is None:
        yield Mistake("/derivation", "derivation", "mode derive needs a derivation")
    if field.mode != Mode.DERIVE and field.derivation is not None:
        yield Mistake("/derivation", "derivation", f"mode {field.mode} has no derivation")


def _sharing(field: FieldDefinition, world: World) -> Iterator[Mistake]:
    # Which lists are due: 政务数据共享条例 (State Council order 809), on categories of sharing.
    category = field.sharing["category"]
    if category == Sharing.CONDITIONAL and field.sharing["conditions"] is None:
        detail = "sharing on conditions needs the conditions: scope and purpose"
        yield Mistake("/sharing/conditions", "sharing", detail)
    if category == Sharing.RESTRICTED and field.sharing["basis"] is None:
        detail = "not to be shared needs a reason and its legal basis"
        yield Mistake("/sharing/basis", "sharing", detail)
    if field.sensitivity >= 3 and world.kinds.get(field.subject_kind) and not field.personal:
        detail = f"of people, sensitivity {field.sensitivity} is personal"
        yield Mistake("/personal", "personal", detail)


def _term(field: FieldDefinition) -> Iterator[Mistake]:
    if not FIRST_YEAR <= field.effective_from.year <= LAST_YEAR:
        detail = f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}"
        yield Mistake("/effective_from", "validity", detail)
    elif field.expires_on < field.effective_from:
        yield Mistake("/expires_on", "validity", "lies before effective_from")
    elif field.expires_on > (last := LONGEST_TERM.add_to(field.effective_from)):
        detail = f"three years at the most: until {last.isoformat()}"
        yield Mistake("/expires_on", "validity", detail)


SOON = dt.timedelta(days=30)


def field_warnings(field: FieldDefinition, on: dt.date | None) -> Iterator[Mistake]:
    """What is allowed but deserves a look; with `on`, also what ends within 30 days of it."""
    for words, pointer in ((field.name, "/name"), (field.definition, "/definition")):
        if "en" not in words:
            yield Mistake(pointer, "no_english", "has no English")
    if field.personal and field.sensitivity < 2:
        # GB/T 43697-2024, reference for grading personal information.
        detail = "personal information is at least of sensitivity 2 (GB/T 43697)"
        yield Mistake("/sensitivity", "sensitivity", detail)
    if on is not None and field.expires_on < on:
        yield Mistake("/expires_on", "expired", f"has expired on {field.expires_on.isoformat()}")
    elif on is not None and field.expires_on < on + SOON:
        yield Mistake("/expires_on", "expires_soon", f"expires on {field.expires_on.isoformat()}")
