"""`FieldDefinition`: one field as a bundle defines it, normalised. Pure.

Between a bundle's member and a row of `field_version`; two definitions are equal when
nothing about the field differs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from catalog.models import Mode, Review
from catalog.periods import PeriodType
from catalog.similarity import FieldText
from catalog.value_schema import code_lists_in
from oneform.areas.models import Level

AREA_KIND = "area"


class Rollup(StrEnum):
    """How the value of a higher area is computed from those below."""

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT = "count"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """Members as in API.md, section 7; levels are numbers, dates are dates."""

    code: str
    name: Mapping[str, str]
    definition: Mapping[str, str]
    synonyms: tuple[str, ...]
    topic: str
    subject_kind: str
    levels: tuple[int, ...]
    schema: Mapping[str, Any]
    unit: str | None
    period_type: str
    valid_for: str | None
    mode: str
    collected_at: int
    review: str
    owner: str
    sharing: Mapping[str, Any]
    legal_basis: str
    sensitivity: int
    personal: bool
    rollup: str
    derivation: Mapping[str, Any] | None
    soft_checks: tuple[Mapping[str, Any], ...]
    seconds: int
    window: Mapping[str, str] | None
    effective_from: dt.date
    expires_on: dt.date

    @classmethod
    def from_bundle(cls, member: Mapping[str, Any], *, about_people: bool = False) -> Self:
        """The definition in a member of the right shape (`catalog.structure`).

        Members that are left out: a field about people (`about_people`, a matter of its
        kind of subject) is personal, a field about areas is collected at the lowest of
        its levels, any other in villages; no review, sensitivity 1, no roll-up.
        """
        given = {name: value for name, value in member.items() if value is not None}
        levels = tuple(sorted(Level.of(word).value for word in given.get("levels", ())))
        lowest = Level(levels[-1]) if levels else Level.VILLAGE
        sharing = given["sharing"]
        return cls(
            code=given["code"],
            name=_stripped(given["name"]),
            definition=_stripped(given["definition"]),
            synonyms=tuple(dict.fromkeys(word.strip() for word in given.get("synonyms", ()))),
            topic=given["topic"],
            subject_kind=given["subject_kind"],
            levels=levels,
            schema=given["schema"],
            unit=given["unit"].strip() if "unit" in given else None,
            period_type=given["period_type"],
            valid_for=given.get("valid_for"),
            mode=given["mode"],
            collected_at=Level.of(given.get("collected_at", lowest.word)).value,
            review=given.get("review", Review.NONE.value),
            owner=given["owner"],
            sharing={name: sharing.get(name) for name in ("category", "conditions", "basis")},
            legal_basis=given["legal_basis"].strip(),
            sensitivity=given.get("sensitivity", 1),
            personal=given.get("personal", about_people),
            rollup=given.get("rollup", Rollup.NONE.value),
            derivation=given.get("derivation"),
            soft_checks=tuple(given.get("soft_checks", ())),
            seconds=given.get("seconds", 0),
            window=given.get("window"),
            effective_from=dt.date.fromisoformat(given["effective_from"]),
            expires_on=dt.date.fromisoformat(given["expires_on"]),
        )

    def as_bundle(self) -> dict[str, Any]:
        """The member of a bundle that gives this definition: every member, in canonical order."""
        member = {each.name: getattr(self, each.name) for each in fields(self)}
        return member | {
            "name": in_language_order(self.name),
            "definition": in_language_order(self.definition),
            "synonyms": list(self.synonyms),
            "levels": [Level(level).word for level in self.levels],
            "schema": dict(self.schema),
            "collected_at": Level(self.collected_at).word,
            "sharing": {name: self.sharing[name] for name in ("category", "conditions", "basis")},
            "soft_checks": list(self.soft_checks),
            "effective_from": self.effective_from.isoformat(),
            "expires_on": self.expires_on.isoformat(),
        }

    @property
    def is_numeric(self) -> bool:
        return self.schema.get("type") in ("integer", "number")

    @property
    def is_standing(self) -> bool:
        return self.period_type == PeriodType.NONE

    @property
    def may_be_asked(self) -> bool:
        return self.mode == Mode.COLLECT


def text_of(definition: FieldDefinition, owner_name: Mapping[str, str]) -> FieldText:
    """The words by which a field is found; its owner's names are among them."""
    lists = [str(part["code_list"]) for _, part in code_lists_in(definition.schema)]
    return FieldText(
        code=definition.code,
        names=definition.name,
        synonyms=definition.synonyms,
        definitions=definition.definition,
        unit=definition.unit,
        topic=definition.topic,
        subject_kind=definition.subject_kind,
        owner=" ".join([definition.owner, *owner_name.values()]),
        code_list=lists[0] if lists else None,
    )


def _stripped(words: Mapping[str, str]) -> dict[str, str]:
    return {language: text.strip() for language, text in words.items()}


def in_language_order(words: Mapping[str, str]) -> dict[str, str]:
    """Chinese first, then English, then the rest by their tags."""
    return {
        language: words[language]
        for language in sorted(words, key=lambda tag: (tag != "zh", tag != "en", tag))
    }
