"""Rules for what leads from one field to others: formulas, counts, soft checks. Pure.

A value can be computed only from values about the same subject and the same period (or
from standing ones), so that is what a formula may name; a count looks at the subjects of
one kind within an area.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from catalog.definition import AREA_KIND, FieldDefinition
from catalog.expressions import Comparison, Condition, Expression, comparisons, names
from catalog.formula import FormulaError, parse_condition, parse_formula
from catalog.value_schema import NUMERIC
from catalog.world import World
from oneform.areas.models import Level
from oneform.kernel.errors import Mistake


def derivation_mistakes(field: FieldDefinition, world: World) -> Iterator[Mistake]:
    """What is wrong with a formula or count, but for cycles (`find_cycles`)."""
    derivation = field.derivation
    if derivation is None:
        return
    given = {name for name, value in derivation.items() if value is not None}
    if given == {"formula"}:
        yield from _formula(field, derivation["formula"], world)
    elif given in ({"count"}, {"count", "where"}):
        yield from _count(field, derivation["count"], derivation.get("where"), world)
    else:
        detail = "is either {formula} or {count, where}"
        yield Mistake("/derivation", "derivation", detail)


def _formula(field: FieldDefinition, text: str, world: World) -> Iterator[Mistake]:
    pointer = "/derivation/formula"
    if not field.is_numeric:
        yield Mistake("/schema", "schema_type", "what a formula gives is a number")
    try:
        tree = parse_formula(text)
    except FormulaError as error:
        yield Mistake(pointer, "formula", str(error))
        return
    if not names(tree):
        yield Mistake(pointer, "formula", "names no field")
    for code in names(tree):
        if code == field.code:
            continue  # a cycle, and told as one
        if code not in world.fields:
            if code not in world.undefined:
                yield Mistake(pointer, "unknown_field", f"there is no field {code}")
            continue
        yield from (
            Mistake(pointer, "formula", f"{code} {why}")
            for why in _unfit(field, world.fields[code])
        )


def _unfit(field: FieldDefinition, operand: FieldDefinition) -> Iterator[str]:
    """Why a field's value cannot enter the formula of another."""
    if operand.subject_kind != field.subject_kind:
        yield f"is about another kind of subject ({operand.subject_kind})"
    elif missing := set(field.levels) - set(operand.levels):
        words = ", ".join(Level(level).word for level in sorted(missing))
        yield f"is not there at {words} level"
    if not operand.is_numeric:
        yield "is no number"
    if not operand.is_standing and operand.period_type != field.period_type:
        yield f"is of another period ({operand.period_type})"


def _count(field: FieldDefinition, kind: str, where: str | None, world: World) -> Iterator[Mistake]:
    if field.subject_kind != AREA_KIND:
        yield Mistake("/derivation/count", "count", "only an area has subjects to count")
    if field.schema.get("type") != "integer":
        yield Mistake("/schema", "schema_type", "a count is an integer")
    if kind not in world.kinds:
        detail = f"there is no kind of subject {kind}"
        yield Mistake("/derivation/count", "unknown_kind", detail)
    if where is None:
        return
    pointer = "/derivation/where"
    try:
        condition = parse_condition(where)
    except FormulaError as error:
        yield Mistake(pointer, "formula", str(error))
        return
    for comparison in comparisons(condition):
        code = comparison.code
        if code not in world.fields:
            if code not in world.undefined:
                yield Mistake(pointer, "unknown_field", f"there is no field {code}")
            continue
        operand = world.fields[code]
        if operand.subject_kind != kind:
            detail = f"{code} is about {operand.subject_kind}, not {kind}"
            yield Mistake(pointer, "count", detail)
        if not operand.is_standing and operand.period_type != field.period_type:
            detail = f"{code} is of another period ({operand.period_type})"
            yield Mistake(pointer, "count", detail)
        if why := _incomparable(comparison, operand, world):
            yield Mistake(pointer, "count", f"{code} {why}")


def _incomparable(comparison: Comparison, operand: FieldDefinition, world: World) -> str | None:
    type, listed = str(operand.schema.get("type")), operand.schema.get("code_list")
    kinds: dict[str, Any] = {"string": str, "boolean": bool} | dict.fromkeys(NUMERIC, Decimal)
    if type not in kinds:
        return f"is of type {type}, which cannot be compared"
    if not all(isinstance(each, kinds[type]) for each in comparison.operands):
        return f"is of type {type} and compared with something else"
    if comparison.operator not in ("==", "!=", "in") and (type == "boolean" or listed):
        return "has no order"
    if listed is not None and listed in world.code_lists:
        strange = [str(o) for o in comparison.operands if o not in world.code_lists[listed]]
        if strange:
            return f"never is {', '.join(strange)}: not in the code list {listed}"
    return None


def operands(derivation: Mapping[str, Any] | None) -> list[str]:
    """The codes of the fields that a derivation names; empty if it does not parse."""
    tree: Expression | Condition
    try:
        match derivation:
            case {"formula": str(text)}:
                tree = parse_formula(text)
            case {"where": str(text)}:
                tree = parse_condition(text)
            case _:
                return []
    except FormulaError:
        return []
    return names(tree)


def find_cycles(fields: Mapping[str, FieldDefinition]) -> list[list[str]]:
    """Circles of derivations, each as the codes on it in order, the smallest first.

    A count of areas may name a field that is itself computed for lower areas; that the
    same field counts itself level by level is a circle all the same.
    """
    edges = {
        code: [other for other in operands(field.derivation) if other in fields]
        for code, field in fields.items()
        if field.derivation is not None
    }
    cycles: list[list[str]] = []
    done: set[str] = set()
    for start in sorted(edges):
        # Depth first without recursion: a chain may be as long as the catalogue.
        path: dict[str, Iterator[str]] = {}
        here: str | None = start if start not in done else None
        while here is not None:
            path.setdefault(here, iter(edges.get(here, ())))
            follower = next(path[here], None)
            if follower is None:
                done.add(here)
                del path[here]
                here = next(reversed(path), None)
            elif follower in path:
                codes = list(path)
                cycles.append(_from_smallest(codes[codes.index(follower) :]))
            elif follower not in done:
                here = follower
    return cycles


def _from_smallest(cycle: list[str]) -> list[str]:
    first = cycle.index(min(cycle))
    return cycle[first:] + cycle[:first]


def soft_check_mistakes(field: FieldDefinition, world: World) -> Iterator[Mistake]:
    """What is wrong with the checks that warn and may be passed with a note."""
    for place, check in enumerate(field.soft_checks):
        pointer = f"/soft_checks/{place}"
        match check:
            case {"change_over_previous": int() | float() as share} if len(check) == 1:
                if isinstance(share, bool) or share <= 0:
                    yield Mistake(pointer, "soft_check", "the change is a number above 0")
                named = []
            case {"at_most": str(code)} | {"at_least": str(code)} if len(check) == 1:
                named = [code]
            case {"parts_sum_to": {"total": str(total), "parts": [_, _, *_] as parts}} if len(
                check
            ) == 1 and all(isinstance(part, str) for part in parts):
                named = [total, *parts]
                if field.code not in named:
                    yield Mistake(pointer, "soft_check", f"says nothing about {field.code}")
            case _:
                detail = (
                    "is none of {change_over_previous: 0.3}, {at_most: code}, {at_least: code}, "
                    "{parts_sum_to: {total: code, parts: [code, code]}}"
                )
                yield Mistake(pointer, "soft_check", detail)
                continue
        if not field.is_numeric:
            yield Mistake(pointer, "soft_check", "only numbers can be checked so")
        yield from _soft_operands(field, named, pointer, world)


def _soft_operands(
    field: FieldDefinition, named: list[str], pointer: str, world: World
) -> Iterator[Mistake]:
    for code in dict.fromkeys(named):
        operand = world.fields.get(code)
        if operand is None:
            if code not in world.undefined:
                yield Mistake(pointer, "unknown_field", f"there is no field {code}")
        elif operand.subject_kind != field.subject_kind:
            detail = f"{code} is about another kind of subject ({operand.subject_kind})"
            yield Mistake(pointer, "soft_check", detail)
        elif not operand.is_numeric:
            yield Mistake(pointer, "soft_check", f"{code} is no number")
