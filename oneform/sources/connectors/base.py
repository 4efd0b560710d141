"""What every connector offers, and what it is given. A new kind of store is one module.

A connector reads and never writes. It knows columns and rows; what they mean
(subjects, periods, fields) is the business of `oneform.sources`. To add one:
a class with the members of `Connector`, an entry point in the group
`oneform.connectors`, and a harness in `tests/contract/test_connectors.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Protocol

from oneform.kernel.errors import Mistake
from oneform.sources.errors import SourceError

Row = tuple[Any, ...]
"""Raw values in the order of the query's columns: text, numbers, dates, booleans, None; what a
store only has as text stays text."""

Batch = Sequence[Row]

BATCH_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connector may reach, and how long it may wait."""

    timeout_s: float = 30
    """For a connection, and for each batch."""
    allow_hosts: tuple[str, ...] = ()
    """See `oneform.kernel.egress`."""
    folders: tuple[Path, ...] = ()
    """Folders below which files may be read."""


@dataclass(frozen=True, slots=True)
class FetchQuery:
    """Which columns of which rows.

    Both filters save work: a connector may give rows that they do not let
    through (the caller looks again), but must give all that they do.
    """

    columns: tuple[str, ...]
    area_column: str | None = None
    area_codes: frozenset[str] | None = None
    """Only rows with one of these in `area_column`, compared as the store compares; None: all."""
    period_column: str | None = None
    year: int | None = None
    """Only rows whose `period_column` (a date, a text such as `2025-Q3`, or a number such as 2025
    or 202511) begins with this year; None: all."""
    batch_rows: int = BATCH_ROWS


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether the store can be read, in words, and what is in it."""

    ok: bool
    detail: str
    columns: list[str] = field(default_factory=list)
    sample_count: int = 0
    """Rows read on trial: `PROBE_ROWS` at most."""


PROBE_ROWS = 100


class Connector(Protocol):
    """Reads one store. Made for one use, in one thread; opens nothing before it is asked."""

    settings_schema: ClassVar[Mapping[str, Any]]
    """JSON Schema of `settings`."""

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], bounds: Bounds
    ) -> None: ...

    @classmethod
    def hide(cls, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """The settings as they may be shown, and the secrets that stood in them, by name."""

    @classmethod
    def review(cls, settings: Mapping[str, Any], bounds: Bounds) -> list[Mistake]:
        """What is wrong with settings that fit the schema. Calls nobody; pointers are into them."""

    @classmethod
    def secret_names(cls, settings: Mapping[str, Any]) -> dict[str, str]:
        """Names of the secrets that the settings refer to → pointer into them."""

    @classmethod
    def destination(cls, settings: Mapping[str, Any]) -> str:
        """To whom secrets would be told; when it changes, they have to be given again."""

    def probe(self) -> ProbeResult:
        """Try it. Never raises a SourceError: that is the result."""

    def fetch(self, query: FetchQuery) -> Generator[Batch, None, None]:
        """Rows in batches, in bounded memory; to be closed by the caller.

        SourceError, SourceDown or SourceTimeout.
        """


MAX_PLACES = 1_000
"""Places before or behind the point up to which numbers are worked with; a float has 308."""


def text_of(raw: object) -> str:
    """A key (area code, subject, code) as text, the same from every kind of store; for any value."""
    match raw:
        case None:
            return ""
        case str():
            return raw.strip()
        case bool():
            return "true" if raw else "false"
        case float() if raw.is_integer():
            return str(int(raw))
        case Decimal():
            return _plain(raw)
        case dt.datetime() if raw.time() == dt.time():
            return raw.date().isoformat()
        case dt.date():
            return raw.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(raw).decode(errors="replace").strip()
    try:
        return str(raw)
    except Exception:  # of a driver's own type, or an integer of more digits than Python writes
        return f"({type(raw).__name__})"


def _plain(number: Decimal) -> str:
    """Without an exponent and without zeros at its end; as it is, where that would be very long."""
    if number.is_zero():
        return "0"
    if not is_moderate(number):
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_moderate(number: Decimal) -> bool:
    """Whether a number is finite, and can be worked with: 1E+999999 keeps a process busy for minutes."""
    return number.is_finite() and abs(number.adjusted()) < MAX_PLACES


def refuse_absent(wanted: Iterable[str], present: Iterable[str]) -> None:
    """SourceError when a wanted column is not there, with the names of those that are."""
    there = list(present)
    absent = sorted(set(wanted).difference(there))
    if absent:
        raise SourceError(
            f"There is no column {', '.join(absent)[:300]}; there are {', '.join(there)[:500]}."
        )
