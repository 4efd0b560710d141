"""Where rows wait before they are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.sources import spool as module
from oneform.sources.errors import SourceError
from oneform.sources.spool import Pile, Spool, escaped


def text_of(spool: Spool, pile: Pile, region_id: int) -> str:
    return b"".join(spool.blocks(pile, region_id)).decode()


@pytest.mark.parametrize("in_memory", [1 << 20, 100])
def test_lines_come_back_by_region_and_pile(
    monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(module, "MAX_IN_MEMORY", in_memory)
    with Spool() as spool:
        for number in range(50):
            spool.add(Pile.VALUES, number % 3, [f"值{number}\n"])
            spool.add(Pile.REFUSED, 2, [f"r{number}\n"])
        assert spool.regions() == [0, 1, 2]
        assert text_of(spool, Pile.VALUES, 1) == "".join(f"值{n}\n" for n in range(1, 50, 3))
        assert text_of(spool, Pile.REFUSED, 2) == "".join(f"r{n}\n" for n in range(50))
        assert text_of(spool, Pile.REFUSED, 1) == ""
        # What was read can be read again: a transaction may have to be done anew.
        assert text_of(spool, Pile.VALUES, 1).startswith("值1\n")


def test_nothing_is_left_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "MAX_IN_MEMORY", 10)
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    with Spool() as spool:
        spool.add(Pile.VALUES, 1, ["x" * 100])
        assert list(tmp_path.iterdir())
        spool.clear()
        assert list(tmp_path.iterdir()) == []
        assert spool.regions() == []
        spool.add(Pile.VALUES, 2, ["y" * 100])
        assert text_of(spool, Pile.VALUES, 2) == "y" * 100
    assert list(tmp_path.iterdir()) == []


def test_endless_source_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with Spool() as spool:
        for _ in range(10):
            spool.add(Pile.VALUES, 1, ["x" * 100])
        with pytest.raises(SourceError, match="in one call"):
            spool.add(Pile.VALUES, 1, ["x"])


@given(st.text())
def test_escaped_text_is_one_column_of_one_line(text: str) -> None:
    line = escaped(text)
    assert not set(line) & set("\t\n\r")
    assert line.replace("\\\\", "\0").count("\\") == sum(text.count(c) for c in "\t\n\r")
