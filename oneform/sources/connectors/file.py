"""Connector `file`: CSV files in a folder of this machine.

Settings: `path` of a file, or of a folder all of whose `*.csv` are read as one
table; `encoding` (found out by itself), `delimiter` (comma). Every value is
text; an empty cell is no value. Only regular files are read, so that no read
waits for another program.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from oneform.kernel.errors import Mistake
from oneform.sources.connectors.base import (
    PROBE_ROWS,
    Batch,
    Bounds,
    FetchQuery,
    ProbeResult,
    Row,
    refuse_absent,
)
from oneform.sources.connectors.csv_file import AUTO, ENCODINGS, read_records
from oneform.sources.connectors.folders import find_path, open_regular, readable
from oneform.sources.errors import SourceError


class FileConnector:
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "maxLength": 1000},
            "encoding": {"enum": [AUTO, *ENCODINGS]},
            "delimiter": {"enum": [",", ";", "\t", "|"]},
        },
    }

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],  # noqa: ARG002 - every connector is made like this
        bounds: Bounds,
    ) -> None:
        self._settings = settings
        self._bounds = bounds

    @classmethod
    def hide(cls, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        return dict(settings), {}

    @classmethod
    def review(cls, settings: Mapping[str, Any], bounds: Bounds) -> list[Mistake]:
        """A path that leads outside, or nowhere."""
        try:
            find_path(settings["path"], bounds.folders)
        except SourceError as error:
            return [Mistake("/path", "path", error.detail)]
        return []

    @classmethod
    def secret_names(cls, settings: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG003
        return {}

    @classmethod
    def destination(cls, settings: Mapping[str, Any]) -> str:
        return str(settings["path"])

    def probe(self) -> ProbeResult:
        columns: list[str] = []
        try:
            files = self._files()
            for path in files:
                with readable(path), open_regular(path) as file:
                    records = self._records(file, path)
                    columns = next(records, [])
                    count = sum(1 for _ in islice(records, PROBE_ROWS))
        except SourceError as error:
            return ProbeResult(ok=False, detail=error.detail, columns=columns)
        return ProbeResult(
            ok=True,
            detail=f"{', '.join(path.name for path in files[:3])} can be read.",
            columns=columns,
            sample_count=count,
        )

    def fetch(self, query: FetchQuery) -> Generator[Batch, None, None]:
        for path in self._files():
            with readable(path), open_regular(path) as file:
                rows = self._rows(self._records(file, path), query)
                while batch := list(islice(rows, query.batch_rows)):
                    yield batch

    def _files(self) -> list[Path]:
        """The file itself, or the CSV files of the folder, by name; at least one."""
        path = find_path(self._settings["path"], self._bounds.folders)
        if not path.is_dir():
            return [path]
        with readable(path):
            names = sorted(child.name for child in path.iterdir() if child.suffix.lower() == ".csv")
        if not names:
            raise SourceError(f"There is no CSV file in the folder {path.name}.")
        return [find_path(str(path / name), self._bounds.folders) for name in names]

    def _records(self, file: Any, path: Path) -> Iterator[list[str]]:
        return read_records(
            file,
            path.name,
            self._settings.get("encoding", AUTO),
            self._settings.get("delimiter", ","),
        )

    def _rows(self, records: Iterator[list[str]], query: FetchQuery) -> Iterator[Row]:
        header = next(records, [])
        named = [name for name in (query.area_column, query.period_column) if name]
        refuse_absent([*query.columns, *named], header)
        for name in {*query.columns, *named}:
            if header.count(name) > 1:
                raise SourceError(f"There are several columns {name}.")
        width = len(header)
        pick = _picker([header.index(name) for name in query.columns])
        area = header.index(query.area_column) if query.area_column else None
        period = header.index(query.period_column) if query.period_column else None
        codes, year = query.area_codes, None if query.year is None else f"{query.year:04d}"
        for record in records:
            if len(record) < width:
                # Spreadsheets leave empty cells at the end of a line away.
                record += [""] * (width - len(record))
            if area is not None and codes is not None and record[area].strip() not in codes:
                continue
            if period is not None and year and not record[period].lstrip().startswith(year):
                continue
            yield pick(record)


def _picker(positions: list[int]) -> Callable[[list[str]], Row]:
    if len(positions) == 1:
        only = positions[0]
        return lambda record: (record[only],)
    return operator.itemgetter(*positions)
