"""Every command of docs/first-ten-minutes.md is run, and answers what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pages import BLOCK, DOCS, follow, pattern, steps

from oneform.demo.county import HEALTH

PAGE = "first-ten-minutes.md"


def test_every_command_answers_as_the_page_says(demo: Any, tmp_path: Path) -> None:
    given = {
        "API": f"{demo.address}/api/v1",
        "KEY": demo.world.keys[HEALTH.code],
        "YEAR": str(demo.world.year),
    }
    follow(PAGE, tmp_path, given)


def test_the_page_shows_what_its_commands_print() -> None:
    kinds = [language for language, _ in BLOCK.findall((DOCS / PAGE).read_text(encoding="utf-8"))]
    assert set(kinds) == {"console", "sh", "text"}
    assert sum(step.printed is not None for step in steps(PAGE)) >= 9


def test_a_page_that_says_something_else_is_found_out() -> None:
    assert re.fullmatch(pattern("422 …\n"), "422 urn:x\n", re.DOTALL)
    assert not re.fullmatch(pattern("422 …\n"), "400 urn:x\n", re.DOTALL)
    assert not re.fullmatch(pattern("a.c\n"), "abc\n", re.DOTALL)
