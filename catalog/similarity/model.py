"""What goes into the index and what comes out: plain values, no database and no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class MatchReason(StrEnum):
    """Why a field matches; in `Match.reasons` followed by `:` and a detail where there is one."""

    CODE = "code"
    NAME = "name"
    SYNONYM = "synonym"
    DEFINITION = "definition"
    WORDS = "words"
    SPELLING = "spelling"
    UNIT = "unit"
    CODE_LIST = "code_list"
    SUBJECT_KIND = "subject_kind"
    DIFFERS = "differs"
    UNIT_DIFFERS = "unit_differs"


@dataclass(frozen=True, slots=True)
class FieldText:
    """The words of one field: `names` and `definitions` by language, `unit` as printed (人, 万元)."""

    code: str
    names: Mapping[str, str]
    synonyms: Sequence[str] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    topic: str = ""
    subject_kind: str = ""
    owner: str = ""
    code_list: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A field that fits, how well (0 to 1), and why: `name:常住人口数`, `unit:人`, `differs:男/女`."""

    code: str
    score: float
    reasons: list[str]
