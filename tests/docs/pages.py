"""Pages whose commands are run, and held to what the page says that they print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import oneform

DOCS = Path(oneform.__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of block"


@dataclass(frozen=True)
class Step:
    """Commands, and what they print (None: not said)."""

    commands: str
    printed: str | None


def steps(page: str) -> list[Step]:
    """The `sh` blocks in their order, each with the `text` block that follows it."""
    found: list[Step] = []
    for language, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        if language == "sh":
            found.append(Step(text, None))
        elif language == "text":
            assert found[-1].printed is None, "two outputs of one block"
            found[-1] = Step(found[-1].commands, text)
    return found


def follow(page: str, folder: Path, given: Mapping[str, str]) -> None:
    """Run all commands of a page in a folder; fails with every difference from what it says."""
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("curl or bash is not installed")
    found = steps(page)
    script = "set -eu\n" + "".join(f"{step.commands}\necho '{MARK}'\n" for step in found)
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment | {"LC_ALL": "C.UTF-8"} | dict(given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning:" not in done.stderr, done.stderr
    printed = done.stdout.split(f"{MARK}\n")
    assert len(printed) == len(found) + 1
    wrong = [difference(step, text) for step, text in zip(found, printed, strict=False)]
    if any(wrong):
        pytest.fail("\n".join(filter(None, wrong)), pytrace=False)


def pattern(printed: str) -> str:
    """What is printed as a regular expression; `…` stands for anything."""
    return ".*?".join(map(re.escape, printed.split("…")))


def difference(step: Step, printed: str) -> str | None:
    """What a step printed and should not have."""
    plain = printed.replace("\r", "")
    if step.printed is None or re.fullmatch(pattern(step.printed), plain, re.DOTALL):
        return None
    return f"{step.commands}printed\n{plain}and the page says\n{step.printed}"
