"""Reading files of values: what is a row, what is a conflict, and what refuses the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.kernel.errors import Invalid
from oneform.values.imports import blocks
from oneform.values.imports.conflicts import Conflict
from oneform.values.imports.reading import guess_format, read_rows
from oneform.values.imports.rows import FileFormat, Row
from oneform.values.imports.texts import CellReader

TODAY = "2026-03-16"
SCHEMAS: dict[str, dict[str, Any]] = {
    "people": {"type": "integer"},
    "rate": {"type": ["number", "null"]},
    "note": {"type": "string"},
    "since": {"type": "string", "format": "date"},
    "has": {"type": "boolean"},
    "parts": {"type": "array"},
}
HEADER = "field,subject,period,value,observed_on\n"


def read(data: bytes | str, format: FileFormat) -> tuple[list[Row], list[Conflict]]:
    raw = data.encode() if isinstance(data, str) else data
    batches = list(
        read_rows(io.BytesIO(raw), format, read_cell=CellReader(SCHEMAS.get), today=TODAY)
    )
    conflicts = [conflict for batch in batches for conflict in batch.conflicts]
    assert sum(batch.refused for batch in batches) == len({c.row for c in conflicts})
    return [row for batch in batches for row in batch.rows], conflicts


def read_csv(data: bytes | str) -> tuple[list[Row], list[Conflict]]:
    return read(data, FileFormat.CSV)


def read_json(data: bytes | str) -> tuple[list[Row], list[Conflict]]:
    return read(data, FileFormat.JSONL)


def told(conflicts: list[Conflict]) -> list[tuple[int, str, str]]:
    return [(c.row, c.pointer, c.code.value) for c in conflicts]


def mistakes(data: bytes | str, format: FileFormat) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read(data, format)
    return [(mistake.pointer, mistake.code) for mistake in refused.value.mistakes]


# ---- CSV ---------------------------------------------------------------------


def test_csv_rows_are_numbered_by_their_lines() -> None:
    rows, conflicts = read_csv(HEADER + "people,4201,2025,12,2025-12-31\n\nnote,4201,,a,\n")
    assert rows == [
        (2, "people", "4201", "2025", "12", "2025-12-31"),
        (4, "note", "4201", "", '"a"', TODAY),
    ]
    assert conflicts == []


def test_csv_columns_come_in_any_order_and_the_optional_ones_may_be_absent() -> None:
    rows, _ = read_csv("value,subject,field\n12,4201,people\n")
    assert rows == [(2, "people", "4201", "", "12", TODAY)]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_csv_with_a_byte_order_mark_and_with_either_line_end(start: bytes, end: bytes) -> None:
    data = start + end.join([HEADER.strip().encode(), "note,4201,,甲,".encode(), b""])
    assert read_csv(data)[0] == [(2, "note", "4201", "", '"甲"', TODAY)]


def test_csv_cell_over_several_lines_is_numbered_by_its_first() -> None:
    rows, _ = read_csv(HEADER + 'note,4201,,"a\nb",\npeople,4201,,1,\n')
    assert rows == [
        (2, "note", "4201", "", '"a\\nb"', TODAY),
        (4, "people", "4201", "", "1", TODAY),
    ]


@pytest.mark.parametrize("character", ["\u2028", "\x0b", "\x85", "\x1c"])
def test_only_line_ends_end_a_line(character: str) -> None:
    rows, conflicts = read_csv(f"{HEADER}note,4201,,a{character}b,\npeople,4201,,1,\n")
    assert [row[0] for row in rows] == [2, 3]
    assert conflicts == []
    line = json.dumps({"field": "n", "subject": "s", "value": f"a{character}"}, ensure_ascii=False)
    if character >= " ":
        assert [row[0] for row in read_json(f"{line}\n{line}\n")[0]] == [1, 2]


CELLS = [
    ("people", "1203", 1203),
    ("people", " 1,203 ", 1203),
    ("people", "１２０３", 1203),
    ("people", "1203.00", 1203),
    ("people", "007", 7),
    ("people", "-3", -3),
    ("people", "+3", 3),
    ("people", "0", 0),
    ("people", "12e2", 1200),
    ("people", "9223372036854775807", 2**63 - 1),
    ("people", "9223372036854775808", "9223372036854775808"),
    ("people", "1e999999999", "1e999999999"),
    ("people", "twelve", "twelve"),
    ("people", "12 人", "12 人"),
    ("people", "1,2,3", "1,2,3"),
    ("people", "٣", "٣"),
    ("rate", "12.50", 12.5),
    ("rate", "1/2", "1/2"),
    ("rate", "NaN", "NaN"),
    ("note", "007", "007"),
    ("note", "true", "true"),
    ("unheard_of", "7", "7"),
    ("since", "2026/3/6", "2026-03-06"),
    ("since", "2026年3月6日", "2026-03-06"),
    ("since", "2026-02-30", "2026-02-30"),
    ("since", "6.3.2026", "6.3.2026"),
    ("has", "是", True),
    ("has", "FALSE", False),
    ("has", "0", False),
    ("has", "maybe", "maybe"),
    ("parts", "[1, 2]", [1, 2]),
    ("parts", "[1, 2", "[1, 2"),
    ("parts", '["\\u0000"]', '["\\u0000"]'),
]


@pytest.mark.parametrize(("field", "cell", "value"), CELLS)
def test_csv_cell_is_read_by_the_type_of_its_field(field: str, cell: str, value: object) -> None:
    written = CellReader(SCHEMAS.get)(field, cell.strip())
    assert (json.loads(written), type(json.loads(written))) == (value, type(value))


def test_csv_rows_that_lack_something_are_reported() -> None:
    _, conflicts = read_csv(
        HEADER + ",4201,,1,\npeople,,2025,,\npeople,4201\n,,,,\npeople,4201,,\0,\n , ,,,\n"
    )
    assert told(conflicts) == [
        (2, "/field", "required"),
        (3, "/subject", "required"),
        (3, "/value", "no_value"),
        (4, "", "malformed"),
        (6, "", "text"),
    ]


BROKEN_HEADERS = {
    "": [("line 1", "empty")],
    " \n": [("line 1", "empty")],
    "field,subject\n": [("line 1", "missing_column")],
    "feld;subject;value\n": [
        *[("line 1", "missing_column")] * 3,
        ("line 1", "unknown_column"),
    ],
    "field,subject,value,value,note\n": [
        ("line 1", "unknown_column"),
        ("line 1", "duplicate_column"),
    ],
}


@pytest.mark.parametrize("header", BROKEN_HEADERS)
def test_csv_header_that_says_too_little_or_too_much_refuses_the_file(header: str) -> None:
    assert mistakes(header, FileFormat.CSV) == BROKEN_HEADERS[header]


@pytest.mark.parametrize("rows", ['note,4201,,"a"b,\n', 'note,4201,,"never closed,\nx,y,z\n'])
def test_csv_quotation_marks_that_do_not_match_refuse_the_file(rows: str) -> None:
    (found,) = mistakes(HEADER + rows, FileFormat.CSV)
    assert found[1] == "quotation"


# ---- JSON Lines --------------------------------------------------------------


def line(**members: Any) -> str:
    row = {"field": "people", "subject": "4201", "value": 12, **members}
    return json.dumps({name: value for name, value in row.items() if value is not ...}) + "\n"


def test_json_rows_are_numbered_by_their_lines() -> None:
    text = line(period="2025", observed_on="2025-12-31") + "\n" + line(value="a", period=None)
    rows, conflicts = read_json(text)
    assert rows == [
        (1, "people", "4201", "2025", "12", "2025-12-31"),
        (3, "people", "4201", "", '"a"', TODAY),
    ]
    assert conflicts == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1203.0, "1203"),
        (-0.0, "0"),
        (12.5, "12.5"),
        (True, "true"),
        ("1203", '"1203"'),
        ('a "quoted" \\ text', '"a \\"quoted\\" \\\\ text"'),
        ([1.0, {"a": None}], '[1.0,{"a":null}]'),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
    ],
)
def test_json_value_is_kept_as_it_is_meant(value: object, written: str) -> None:
    ((*_, found, _day),), conflicts = read_json(line(value=value))
    assert (found, conflicts) == (written, [])


BROKEN_LINES = {
    "{": ("", "malformed"),
    "[]": ("", "malformed"),
    "12": ("", "malformed"),
    "nonsense": ("", "malformed"),
    '{"field": "a", "subject": "b", "value": 1} {}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": NaN}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": 1e999}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": 1, "value": 2}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": 1, "v\\u0061lue": 2}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": {"x": 1, "x": 2}}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": "\\ud800"}': ("", "malformed"),
    '{"field": "a", "subject": "b", "value": "\\u0000"}': ("/value", "text"),
    '{"field": "\\u0000", "subject": "b", "value": 1}': ("/field", "text"),
    '{"field": "a", "subject": "b", "value": 9223372036854775808}': ("/value", "text"),
    '{"field": "a", "subject": "b", "value": 123456789012345678901}': ("/value", "text"),
    '{"field": "a", "subject": "b", "value": [18446744073709551616]}': ("/value/0", "text"),
    '{"field": "a", "subject": "b", "value": ' + "[" * 40 + "]" * 40 + "}": ("", "text"),
    '{"field": "a", "subject": "b", "value": ' + "[" * 5000 + "]" * 5000 + "}": ("", "malformed"),
    '{"field": "a", "subject": "b", "value": null}': ("/value", "no_value"),
    '{"field": "a", "subject": "b"}': ("/value", "no_value"),
    '{"field": "", "subject": "b", "value": 1}': ("/field", "required"),
    '{"subject": "b", "value": 1}': ("/field", "required"),
    '{"field": "a", "subject": 420100000000, "value": 1}': ("/subject", "type"),
    '{"field": "a", "subject": "b", "value": 1, "period": 2025}': ("/period", "type"),
    '{"field": "a", "subject": "b", "value": 1, "observed_on": 5}': ("/observed_on", "type"),
    '{"field": "a", "subject": "b", "value": 1, "unit": "km"}': ("/unit", "unknown_member"),
}


@pytest.mark.parametrize("text", BROKEN_LINES)
def test_json_line_that_cannot_be_read_is_reported_and_the_next_one_goes_on(text: str) -> None:
    rows, conflicts = read_json(f"{text}\n{line()}")
    assert told(conflicts) == [(1, *BROKEN_LINES[text])]
    assert [row[0] for row in rows] == [2]


def test_every_mistake_of_a_json_row_is_told() -> None:
    _, conflicts = read_json('{"field": 1, "period": 2, "note": 3}\n')
    assert told(conflicts) == [
        (1, "/note", "unknown_member"),
        (1, "/field", "type"),
        (1, "/subject", "required"),
        (1, "/period", "type"),
        (1, "/value", "no_value"),
    ]


# ---- both --------------------------------------------------------------------


@pytest.mark.parametrize("format", FileFormat)
def test_file_in_another_encoding_is_refused_with_its_lines(format: FileFormat) -> None:
    gbk = HEADER + "note,4201,,湖北,\nnote,4201,,a,\nnote,4202,,湖北,\n"
    assert mistakes(gbk.encode("gbk"), format) == [("line 2", "encoding"), ("line 4", "encoding")]
    assert mistakes(gbk.encode("utf-16"), format) == [("line 1", "encoding")]
    many = gbk + gbk.splitlines(keepends=True)[1] * 40_000  # several blocks
    assert mistakes(many.encode("gbk"), format) == [("line 2", "encoding")]


@pytest.mark.parametrize("format", FileFormat)
def test_line_longer_than_a_megabyte_refuses_the_file(format: FileFormat) -> None:
    data = HEADER + "x" * (blocks.MAX_LINE + blocks.BLOCK)
    assert mistakes(data, format) == [("line 2", "too_long")]


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b'{"field"', FileFormat.JSONL),
        (b'\xef\xbb\xbf\n {"field"', FileFormat.JSONL),
        (b"field,", FileFormat.CSV),
        (b"", FileFormat.CSV),
    ],
)
def test_format_is_guessed_from_the_first_character(data: bytes, format: FileFormat) -> None:
    assert guess_format(io.BytesIO(data)) is format


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    TEXT,
    st.lists(st.integers(-9, 9), max_size=3),
    st.dictionaries(TEXT, st.integers(-9, 9), max_size=2),
)


@given(
    st.lists(st.tuples(TEXT, TEXT, TEXT | st.just(""), VALUES), min_size=1, max_size=30),
    st.integers(20, 400),
)
def test_json_file_comes_out_as_it_went_in_wherever_blocks_end(
    rows: list[tuple[str, str, str, Any]], size: int
) -> None:
    text = "".join(
        json.dumps(
            {"field": field, "subject": subject, "period": period, "value": value},
            ensure_ascii=size % 2 == 0,
        )
        + "\n"
        for field, subject, period, value in rows
    )
    found, conflicts = in_blocks_of(size, lambda: read_json(text))
    assert conflicts == []
    assert [(f, s, p, json.loads(v)) for _, f, s, p, v, _ in found] == rows
    assert [row[0] for row in found] == list(range(1, len(rows) + 1))


@given(
    st.lists(st.tuples(TEXT, TEXT, TEXT | st.just(""), TEXT), min_size=1, max_size=30),
    st.integers(20, 400),
)
def test_csv_file_comes_out_as_it_went_in_wherever_blocks_end(
    rows: list[tuple[str, str, str, str]], size: int
) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["field", "subject", "period", "value"])
    writer.writerows(rows)
    found, conflicts = in_blocks_of(size, lambda: read_csv(stream.getvalue()))
    whole = [tuple(cell.strip() for cell in row) for row in rows]
    good = [row for row in whole if row[0] and row[1] and row[3]]
    assert [(f, s, p, json.loads(v)) for _, f, s, p, v, _ in found] == good
    blank = [row for row in whole if not any(row)]
    assert len({c.row for c in conflicts}) == len(rows) - len(good) - len(blank)


def in_blocks_of(size: int, read: Callable[[], Any]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size)
        return read()
