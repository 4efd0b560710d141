"""Where rows wait between the call and the transaction: in memory while few, on disk when many.

Lines are in PostgreSQL's COPY text format, one file for each region and table.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from oneform.sources.errors import SourceError

MAX_IN_MEMORY = 8 * 1024 * 1024
MAX_BYTES = 4 * 1024**3
"""A view without an end would fill the disk; region by region, a source may give more."""
_BLOCK = 256 * 1024

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

NOWHERE = 0
"""Stands for the region of rows that have none."""


def escaped(text: str) -> str:
    """Text as a column of a COPY line."""
    return text.translate(_ESCAPES)


class SpoolFailed(Exception):
    """This machine cannot keep what a source gives: that is no fault of the source's."""


class Pile(StrEnum):
    """For which table lines wait."""

    VALUES = "values"
    REFUSED = "refused"


class Spool:
    """Collects lines; a context, at whose end they are gone."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Pile, int], list[bytes]] = defaultdict(list)
        self._in_memory = 0
        self._total = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._on_disk: set[tuple[Pile, int]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything: the call failed half-way."""
        self._lines.clear()
        self._on_disk.clear()
        self._in_memory = self._total = 0
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def add(self, pile: Pile, region_id: int, lines: list[str]) -> None:
        """SourceError when it is too much altogether; SpoolFailed."""
        block = "".join(lines).encode()
        self._total += len(block)
        if self._total > MAX_BYTES:
            raise SourceError(f"The source gives more than {MAX_BYTES >> 30} GiB in one call.")
        self._lines[pile, region_id].append(block)
        self._in_memory += len(block)
        if self._in_memory > MAX_IN_MEMORY:
            try:
                self._write()
            except OSError as error:
                raise SpoolFailed(str(error)) from error

    def _write(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="oneform-fetch-")
        for key, blocks in self._lines.items():
            with self._path(key).open("ab") as file:
                file.writelines(blocks)
            self._on_disk.add(key)
        self._lines.clear()
        self._in_memory = 0

    def _path(self, key: tuple[Pile, int]) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / f"{key[0].value}-{key[1]}"

    def regions(self) -> list[int]:
        """Regions that have lines of any kind, ascending; NOWHERE first."""
        return sorted({region_id for _, region_id in (*self._lines, *self._on_disk)})

    def blocks(self, pile: Pile, region_id: int) -> Iterator[bytes]:
        """The lines of a region, in blocks for COPY."""
        key = (pile, region_id)
        if key in self._on_disk:
            with self._path(key).open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
        yield from self._lines.get(key, ())
