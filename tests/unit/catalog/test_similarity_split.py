"""What the suggestions are tuned by: the tune part of the real questions, and no wording of the other."""

from __future__ import annotations

from pathlib import Path

from benchmarks.suggestions.questions import Part, read_questions
from catalog.similarity.plain_text import plain

ROOT = Path(__file__).parents[3]

EVERYDAY = frozenset(
    {"园地", "卫生所", "卫生站", "孤儿", "一孩户", "有线电视", "林地面积", "耕地面积"}
    | {"生产总值"}  # reported as taken for another, and mended
)
"""Words that anybody who writes of villages uses."""


def _wordings(part: Part) -> set[str]:
    return {plain(question.name) for question in read_questions() if question.part is part}


def test_no_wording_of_the_test_part_alone_is_quoted_in_the_code_or_its_tests() -> None:
    known = "\n".join(_wordings(Part.TUNE))
    alone = {wording for wording in _wordings(Part.TEST) if wording not in known}
    assert len(alone) > 100
    files = [
        *(ROOT / "catalog" / "similarity").rglob("*.py"),
        *(ROOT / "tests" / "unit" / "catalog").glob("test_similarity_*.py"),
    ]
    own = Path(__file__)
    quoted = {
        (wording, str(file.relative_to(ROOT)))
        for file in files
        if file != own
        for text in [plain(file.read_text(encoding="utf-8"))]
        for wording in alone
        if wording in text
    }
    assert {one for one in quoted if one[0] not in EVERYDAY} == set()
    assert {wording for wording, _ in quoted} == EVERYDAY
