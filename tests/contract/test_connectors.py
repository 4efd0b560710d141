"""The contract that every connector keeps. A new kind of store adds its harness to `HARNESSES`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_harnesses import (
    COLUMNS,
    ChineseCsvHarness,
    CsvFolderHarness,
    CsvHarness,
    CsvWithMarkHarness,
    Harness,
    PostgresHarness,
    SqliteHarness,
)

from oneform.sources.connectors.base import FetchQuery, text_of
from oneform.sources.connectors.registry import connector_class, kinds
from oneform.sources.conversion import FieldConverter
from oneform.sources.errors import SourceError

HARNESSES = {
    "sql-postgresql": PostgresHarness,
    "sql-sqlite": SqliteHarness,
    "file-utf-8": CsvHarness,
    "file-utf-8-mark": CsvWithMarkHarness,
    "file-gb18030": ChineseCsvHarness,
    "file-folder": CsvFolderHarness,
}

CONVERTERS = {
    "area": FieldConverter({"type": "string"}),
    "year": FieldConverter({"type": "integer"}),
    "total": FieldConverter({"type": "integer"}),
    "rate": FieldConverter({"type": "number"}),
    "surveyed": FieldConverter({"type": "string", "format": "date"}),
    "grade": FieldConverter({"type": "string"}),
    "note": FieldConverter({"type": "string"}),
}
EXPECTED = [
    ('"420102001001"', "2025", "1203", "12.5", '"2025-11-01"', '"01"', '"山水，“引号”"'),
    ('"420102001002"', "2025", "0", "0.07", '"2024-02-29"', '"02"', None),
    ('"420102001003"', "2025", None, None, None, None, '"a\\nb"'),
    ('"420102001001"', "2024", "1199", "3", '"2024-12-31"', '"01"', '"x"'),
    ('"420103001001"', "2025", "7", "1.1", '"2025-01-01"', '"09"', '"say \\"no\\""'),
]
ALL = FetchQuery(columns=tuple(COLUMNS))


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> Iterator[Harness]:
    folder = tmp_path / "store"
    folder.mkdir()
    harness = HARNESSES[request.param](postgres_url, folder)
    yield harness
    harness.close()


def rows_of(harness: Harness, query: FetchQuery, table: str = "villages") -> list[Any]:
    return [row for batch in harness.connector(table).fetch(query) for row in batch]


def converted(rows: list[Any], columns: tuple[str, ...] = ALL.columns) -> list[Any]:
    return [
        tuple(CONVERTERS[name](raw) for name, raw in zip(columns, row, strict=True)) for row in rows
    ]


def test_every_installed_kind_has_a_harness() -> None:
    assert {name.partition("-")[0] for name in HARNESSES} == set(kinds())


def test_unknown_kind_has_no_connector() -> None:
    assert connector_class("telepathy") is None


def test_same_data_gives_the_same_rows(harness: Harness) -> None:
    assert sorted(converted(rows_of(harness, ALL)), key=str) == sorted(EXPECTED, key=str)


def test_columns_come_in_the_order_asked_for(harness: Harness) -> None:
    columns = ("note", "area", "total")
    rows = converted(rows_of(harness, FetchQuery(columns=columns)), columns)
    assert ('"x"', '"420102001001"', "1199") in rows


def test_one_column_comes_as_rows_of_one(harness: Harness) -> None:
    rows = converted(rows_of(harness, FetchQuery(columns=("total",))), ("total",))
    assert sorted(rows, key=str) == sorted([("1203",), ("0",), (None,), ("1199",), ("7",)], key=str)


def test_filters_keep_every_row_that_they_let_through(harness: Harness) -> None:
    codes = frozenset({"420102001001", "420102001002", "999999999999"})
    query = FetchQuery(
        columns=ALL.columns,
        area_column="area",
        area_codes=codes,
        period_column="year",
        year=2025,
    )
    rows = rows_of(harness, query)
    kept = [row for row in rows if text_of(row[0]) in codes and text_of(row[1]) == "2025"]
    assert sorted(converted(kept), key=str) == sorted(EXPECTED[:2], key=str)
    assert len(rows) < len(EXPECTED)


def test_dates_are_filtered_by_year(harness: Harness) -> None:
    query = FetchQuery(columns=ALL.columns, period_column="surveyed", year=2024)
    assert sorted(converted(rows_of(harness, query)), key=str) == sorted(
        [EXPECTED[1], EXPECTED[3]], key=str
    )


def test_no_area_gives_no_row(harness: Harness) -> None:
    query = FetchQuery(columns=("total",), area_column="area", area_codes=frozenset())
    assert rows_of(harness, query) == []


def test_long_lists_of_areas_are_cut(harness: Harness) -> None:
    codes = frozenset(str(420102001001 + n) for n in range(3000))
    query = FetchQuery(columns=ALL.columns, area_column="area", area_codes=codes)
    assert len(rows_of(harness, query)) == 4


def test_absent_table_is_told_in_words(harness: Harness) -> None:
    with pytest.raises(SourceError, match=r"There is no .*nowhere"):
        rows_of(harness, ALL, "nowhere")


def test_absent_column_is_told_with_those_that_are_there(harness: Harness) -> None:
    with pytest.raises(SourceError, match="no column heads, tails; there are area, year"):
        rows_of(harness, FetchQuery(columns=("tails", "total", "heads")))


def test_absent_filter_column_is_told(harness: Harness) -> None:
    query = FetchQuery(columns=("total",), area_column="place", area_codes=frozenset({"1"}))
    with pytest.raises(SourceError, match="no column place"):
        rows_of(harness, query)


def test_probe_tells_columns_and_tries_rows(harness: Harness) -> None:
    result = harness.connector().probe()
    assert result.ok
    assert result.columns == list(COLUMNS)
    assert 0 < result.sample_count <= len(EXPECTED)


def test_probe_of_what_is_not_there_is_a_result(harness: Harness) -> None:
    result = harness.connector("nowhere").probe()
    assert not result.ok
    assert "nowhere" in result.detail


def test_silent_store_ends_in_words(harness: Harness) -> None:
    with harness.stalled(), pytest.raises(SourceError) as caught:
        list(harness.connector(timeout_s=0.5).fetch(ALL))
    assert caught.value.detail


def test_long_table_streams_in_bounded_memory(harness: Harness) -> None:
    rows = 400_000
    harness.add_long_table(rows)
    query = FetchQuery(columns=("area", "total"), batch_rows=10_000)
    before, most, seen, total = resident_mb(), 0.0, 0, 0
    for batch in harness.connector("long").fetch(query):
        assert len(batch) <= 10_000
        seen += len(batch)
        total += sum(int(row[1]) for row in batch)
        most = max(most, resident_mb() - before)
    assert seen == rows
    assert total == rows * (rows + 1) // 2
    assert most < 30  # all rows at once would be 60 and more


def test_reading_may_stop_early(harness: Harness) -> None:
    harness.add_long_table(100_000)
    batches = harness.connector("long").fetch(FetchQuery(columns=("total",), batch_rows=100))
    assert 0 < len(next(iter(batches))) <= 100
    batches.close()  # type: ignore[attr-defined]


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("this system does not tell")
