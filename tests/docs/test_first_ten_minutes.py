"""Every command of docs/first-ten-minutes.md is run, and answers what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import oneform
from oneform.demo.county import HEALTH

PAGE = Path(oneform.__file__).parents[1] / "docs" / "first-ten-minutes.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of block"


@dataclass(frozen=True)
class Step:
    """Commands, and what they print (None: not said)."""

    commands: str
    printed: str | None


def steps() -> list[Step]:
    """The `sh` blocks in their order, each with the `text` block that follows it."""
    found: list[Step] = []
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "sh":
            found.append(Step(text, None))
        elif language == "text":
            assert found[-1].printed is None, "two outputs of one block"
            found[-1] = Step(found[-1].commands, text)
    return found


def pattern(printed: str) -> str:
    """What is printed as a regular expression; `…` stands for anything."""
    return ".*?".join(map(re.escape, printed.split("…")))


def test_every_command_answers_as_the_page_says(demo: Any, tmp_path: Path) -> None:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("curl or bash is not installed")
    script = "set -eu\n" + "".join(f"{step.commands}\necho '{MARK}'\n" for step in steps())
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment |= {
        "API": f"{demo.address}/api/v1",
        "KEY": demo.world.keys[HEALTH.code],
        "YEAR": str(demo.world.year),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(f"{MARK}\n")
    assert len(printed) == len(steps()) + 1
    wrong = [difference(step, found) for step, found in zip(steps(), printed, strict=False)]
    if any(wrong):
        pytest.fail("\n".join(filter(None, wrong)), pytrace=False)


def difference(step: Step, printed: str) -> str | None:
    """What a step printed and should not have."""
    plain = printed.replace("\r", "")
    if step.printed is None or re.fullmatch(pattern(step.printed), plain, re.DOTALL):
        return None
    return f"{step.commands}printed\n{plain}and the page says\n{step.printed}"


def test_the_page_shows_what_its_commands_print() -> None:
    kinds = [language for language, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]
    assert set(kinds) == {"console", "sh", "text"}
    assert sum(step.printed is not None for step in steps()) >= 9


def test_a_page_that_says_something_else_is_found_out() -> None:
    assert re.fullmatch(pattern("422 …\n"), "422 urn:x\n", re.DOTALL)
    assert not re.fullmatch(pattern("422 …\n"), "400 urn:x\n", re.DOTALL)
    assert not re.fullmatch(pattern("a.c\n"), "abc\n", re.DOTALL)
