"""The table of `docs/reach.md`: who may call what, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oneform.identity.policy import Role

PAGE = Path(__file__).parents[2] / "docs" / "reach.md"
PEOPLE = tuple(role.value for role in Role)
KEYS = ("key", "reading_key")
ACTORS = ("nobody", *KEYS, *PEOPLE)
PLACES = ("own", "others'", "none such")


@dataclass(frozen=True)
class Expected:
    """An answer: one of the statuses, and words that stand in it."""

    statuses: frozenset[int]
    words: str = ""


@dataclass(frozen=True)
class Line:
    method: str
    path: str
    who: frozenset[str]
    named: str
    answers: dict[str, Expected]
    """By place; where a place makes no sense there is none."""

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        at_root = ("/api/", "/oauth/", "/docs", "/healthz", "/readyz", "/metrics")
        return not self.path.startswith(at_root)

    @property
    def is_public(self) -> bool:
        return "nobody" in self.who


def read_table() -> list[Line]:
    """Every line of every table of the page."""
    lines = []
    for text in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        method, _, path = cells[0].partition(" ")
        if text.startswith("|") and path.startswith("/"):
            answers = {
                place: _expected(cell)
                for place, cell in zip(PLACES, cells[3:], strict=True)
                if cell
            }
            lines.append(Line(method, path, _who(cells[1]), cells[2], answers))
    return lines


def _who(cell: str) -> frozenset[str]:
    groups = {"everybody": ACTORS, "signed in": (*KEYS, *PEOPLE), "people": PEOPLE}
    who = {name for word in cell.split(", ") for name in groups.get(word, (word,))}
    assert who <= set(ACTORS), cell
    return frozenset(who)


def _expected(cell: str) -> Expected:
    numbers = cell.replace(",", " ").split()
    statuses = [word for word in numbers if word.isdecimal() and len(word) == 3]
    words = cell.split(statuses[-1], maxsplit=1)[1].strip()
    return Expected(frozenset(map(int, statuses)), words)
