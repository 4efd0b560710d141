"""Pages lead to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")])
SOURCES = [
    file
    for folder in ("oneform", "catalog", "workers", "benchmarks", "tests")
    for file in (ROOT / folder).rglob("*.py")
]
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]+)?\)")
_NAMED = re.compile(r"(?<![\w/.*-])([A-Z]+\.md)\b")


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        "#" + re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    targets = [(page.parent / path if path else page, anchor) for path, anchor in links]
    assert [str(target) for target, _ in targets if not target.exists()] == []
    assert [(str(t), anchor) for t, anchor in targets if anchor and anchor not in _anchors(t)] == []


def test_every_page_that_the_code_names_is_there() -> None:
    pages = {page.name for page in PAGES}
    named = {
        (name, file.name)
        for file in SOURCES
        for name in _NAMED.findall(file.read_text(encoding="utf-8"))
    }
    assert {name for name, _ in named} >= {"DESIGN.md", "API.md"}
    assert sorted(pair for pair in named if pair[0] not in pages) == []
