"""What becomes of a bundle's fields where some are known already. Pure.

A field that is not known is added. One that is defined as before stays. One that is
defined otherwise gets a new version, unless it has become another thing (then it is a new
field, DESIGN.md §4, point 10) or the workflow has the say over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog.definition import FieldDefinition
from catalog.models import EndedAs, Origin
from catalog.value_schema import value_type
from catalog.views import FieldVersionView
from oneform.kernel.errors import Mistake


@dataclass(frozen=True, slots=True)
class SkippedField:
    """A field of a bundle that was left as it is, although the bundle says otherwise."""

    code: str
    reason: str


@dataclass(slots=True)
class Plan:
    added: list[FieldDefinition] = field(default_factory=list)
    changed: list[tuple[FieldVersionView, FieldDefinition]] = field(default_factory=list)
    """The last version so far, and the definition of the next."""
    unchanged: int = 0
    skipped: list[SkippedField] = field(default_factory=list)
    mistakes: list[tuple[str, Mistake]] = field(default_factory=list)
    """Code of the field, and what is wrong with changing it so."""


def plan_import(
    definitions: Mapping[str, FieldDefinition],
    known: Mapping[str, Sequence[FieldVersionView]],
) -> Plan:
    """Compare what a bundle defines with the versions there are, by code."""
    plan = Plan()
    for code, definition in definitions.items():
        if versions := known.get(code):
            _compare(plan, definition, versions)
        else:
            plan.added.append(definition)
    return plan


def _compare(plan: Plan, definition: FieldDefinition, versions: Sequence[FieldVersionView]) -> None:
    last = versions[-1]
    same = next((each for each in versions if each.definition == definition), None)
    if last.ended_as == EndedAs.RETIRED:
        plan.skipped.append(SkippedField(definition.code, "it was retired"))
    elif same is last:
        plan.unchanged += 1
    elif last.origin == Origin.WORKFLOW:
        plan.skipped.append(
            SkippedField(definition.code, "it was changed by decision of reviewers")
        )
    elif same is not None:
        reason = f"this is version {same.version}; version {last.version} came after it"
        plan.skipped.append(SkippedField(definition.code, reason))
    elif mistakes := [*change_mistakes(last, definition)]:
        plan.mistakes += [(definition.code, mistake) for mistake in mistakes]
    else:
        plan.changed.append((last, definition))


def change_mistakes(last: FieldVersionView, definition: FieldDefinition) -> list[Mistake]:
    """Why a definition cannot be the next version of a field: pointers into its member."""
    before = last.definition
    mistakes = [
        Mistake(pointer, "new_field", f"another {what} is another field: give it a code of its own")
        for pointer, what, same in (
            ("/subject_kind", "kind of subject", before.subject_kind == definition.subject_kind),
            (
                "/schema",
                "type of value",
                value_type(before.schema) == value_type(definition.schema),
            ),
            ("/unit", "unit", before.unit == definition.unit),
            ("/period_type", "period", before.period_type == definition.period_type),
        )
        if not same
    ]
    if definition.effective_from <= last.effective_from:
        detail = (
            f"is defined otherwise than version {last.version}, in force from "
            f"{last.effective_from.isoformat()}; a change begins on a later day of its own"
        )
        mistakes.append(Mistake("/effective_from", "effective_from", detail))
    return mistakes
