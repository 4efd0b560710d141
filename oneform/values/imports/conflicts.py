"""Why a row of an import is refused: stable codes, and the shape in which they are told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ConflictCode(StrEnum):
    # The row itself cannot be read.
    MALFORMED = "malformed"  # no JSON object, or another number of cells than the header
    REQUIRED = "required"  # a member is missing or empty
    UNKNOWN_MEMBER = "unknown_member"
    TYPE = "type"  # a member is of another type than it has to be
    TEXT = "text"  # text, or a number, that cannot be stored
    NO_VALUE = "no_value"  # null or empty: what is not known is left out

    # What it names does not fit.
    UNKNOWN_FIELD = "unknown_field"
    NOT_IN_FORCE = "not_in_force"  # neither today nor on the day of the observation
    NOT_OWNER = "not_owner"
    WRONG_PERIOD = "wrong_period"
    OBSERVED_ON = "observed_on"  # no day, or one to come
    UNKNOWN_SUBJECT = "unknown_subject"
    AMBIGUOUS_SUBJECT = "ambiguous_subject"  # the key is there twice
    OUTSIDE_REACH = "outside_reach"
    WRONG_LEVEL = "wrong_level"
    SCHEMA = "schema"
    DUPLICATE = "duplicate"  # an earlier row of the file gives this cell


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that is wrong with a row. `row` is its line in the file, `pointer` a JSON pointer
    into the row (CSV: the column)."""

    row: int
    pointer: str
    code: ConflictCode
    detail: str
