"""The story on a narrow terminal: what is to be copied from it stays in one piece."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from oneform.demo.telling import Teller

CODE = "population.registered_total"
HEADINGS = ("refused", "reason", "nearest on the list")
ROWS = [("常住人口数", "unknown", f"年末户籍人口数 {CODE} (0.83)\nnothing like it")]


@pytest.mark.parametrize("width", [40, 80])
def test_no_code_of_a_table_is_broken_in_two(width: int) -> None:
    screen = io.StringIO()
    Teller(Console(file=screen, width=width)).table(HEADINGS, iter(ROWS))
    told = screen.getvalue()
    for words in (*HEADINGS, CODE, "常住人口数", "nothing like it"):
        assert words in told


def test_table_has_columns_where_there_is_room() -> None:
    screen = io.StringIO()
    Teller(Console(file=screen, width=80)).table(HEADINGS, iter(ROWS))
    assert any("unknown" in line and CODE in line for line in screen.getvalue().splitlines())
