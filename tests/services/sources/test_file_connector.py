"""What is special about file sources: folders, links, encodings, broken files."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneform.sources.connectors.base import Bounds, FetchQuery
from oneform.sources.connectors.file import FileConnector
from oneform.sources.errors import SourceError

QUERY = FetchQuery(columns=("area", "total"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def fetched(folder: Path, path: str = "a.csv", **settings: str) -> list[tuple[str, ...]]:
    connector = FileConnector({"path": path, **settings}, {}, Bounds(folders=(folder,)))
    return [tuple(row) for batch in connector.fetch(QUERY) for row in batch]


@pytest.mark.parametrize("path", ["../out.csv", "link.csv", "linked/out.csv", "sub/../../out.csv"])
def test_nothing_outside_the_folders_is_read(folder: Path, path: str) -> None:
    outside = folder.parent / "out.csv"
    outside.write_text("area,total\n1,2\n")
    (folder / "sub").mkdir()
    (folder / "link.csv").symlink_to(outside)
    (folder / "linked").symlink_to(folder.parent)
    with pytest.raises(SourceError, match="There is no file"):
        fetched(folder, path)
    with pytest.raises(SourceError, match="There is no file"):
        fetched(folder, str(outside))


def test_link_in_a_folder_of_files_is_not_followed_outside(folder: Path) -> None:
    outside = folder.parent / "out.csv"
    outside.write_text("area,total\n1,2\n")
    (folder / "year").mkdir()
    (folder / "year" / "x.csv").symlink_to(outside)
    with pytest.raises(SourceError, match="There is no file"):
        fetched(folder, "year")


def test_links_within_the_folders_are_followed(folder: Path) -> None:
    (folder / "real.csv").write_text("area,total\n1,2\n")
    (folder / "a.csv").symlink_to("real.csv")
    assert fetched(folder) == [("1", "2")]
    assert fetched(folder, str(folder / "real.csv")) == [("1", "2")]


def test_second_folder_is_looked_in_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.csv").write_text("area,total\n1,2\n")
    bounds = Bounds(folders=(folder, tmp_path / "more"))
    assert FileConnector({"path": "a.csv"}, {}, bounds).probe().ok


def test_empty_folder_is_told(folder: Path) -> None:
    (folder / "year").mkdir()
    with pytest.raises(SourceError, match="no CSV file"):
        fetched(folder, "year")


def test_empty_file_has_no_columns(folder: Path) -> None:
    (folder / "a.csv").write_text("")
    with pytest.raises(SourceError, match="no column"):
        fetched(folder)


def test_header_alone_is_no_row(folder: Path) -> None:
    (folder / "a.csv").write_text("area,total\n")
    assert fetched(folder) == []


def test_chinese_beyond_the_first_block_is_found(folder: Path) -> None:
    """Excel saves GB18030; a long plain beginning must not make it UTF-8."""
    lines = ["area,total"] + ["420102001001,1"] * 100_000 + ["村,2"]
    (folder / "a.csv").write_bytes("\n".join(lines).encode("gb18030"))
    assert fetched(folder)[-1] == ("村", "2")


def test_utf_16_of_spreadsheets_is_read(folder: Path) -> None:
    (folder / "a.csv").write_bytes("area\ttotal\n村\t2\n".encode("utf-16"))
    assert fetched(folder, delimiter="\t") == [("村", "2")]


def test_workbook_is_told_as_such(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(SourceError, match=r"a\.csv is a workbook \(Excel\)"):
        fetched(folder)


def test_named_encoding_is_used(folder: Path) -> None:
    (folder / "a.csv").write_bytes("area,total\n村,2\n".encode("gb18030"))
    with pytest.raises(SourceError, match="not text in utf-8"):
        fetched(folder, encoding="utf-8")


def test_bytes_that_are_no_text_are_told_with_their_place(folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"area,total\n1,2\n\xff\xff\xff,3\n")
    with pytest.raises(SourceError, match=r"a\.csv, after line \d: is not text in gb18030"):
        fetched(folder)


def test_open_quote_is_told(folder: Path) -> None:
    (folder / "a.csv").write_text('area,total\n1,2\n"3,4\n')
    with pytest.raises(SourceError, match="is no CSV"):
        fetched(folder)


def test_shifted_line_is_told_with_its_number(folder: Path) -> None:
    (folder / "a.csv").write_text("area,total\n1,2\n3,4,5\n")
    with pytest.raises(SourceError, match="line 3: 3 cells under 2 headings"):
        fetched(folder)


def test_missing_and_superfluous_empty_cells_at_the_end_do_not_matter(folder: Path) -> None:
    (folder / "a.csv").write_text("area,total\n1\n\n2,3,,\n")
    assert fetched(folder) == [("1", ""), ("2", "3")]


def test_headings_are_trimmed(folder: Path) -> None:
    (folder / "a.csv").write_text(" area , total\n1,2\n")
    assert fetched(folder) == [("1", "2")]


def test_heading_twice_is_told(folder: Path) -> None:
    (folder / "a.csv").write_text("area,total,total\n1,2,3\n")
    with pytest.raises(SourceError, match="several columns total"):
        fetched(folder)


def test_huge_cell_is_told(folder: Path) -> None:
    (folder / "a.csv").write_text("area,total\n1," + "9" * 200_000 + "\n")
    with pytest.raises(SourceError, match="field larger than field limit"):
        fetched(folder)


def test_review_tells_what_leads_nowhere(folder: Path) -> None:
    (mistake,) = FileConnector.review({"path": "../a.csv"}, Bounds(folders=(folder,)))
    assert mistake.pointer == "/path"
    (folder / "a.csv").write_text("area\n")
    assert FileConnector.review({"path": "a.csv"}, Bounds(folders=(folder,))) == []
