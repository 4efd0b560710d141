"""Fills the tables of `starter-catalogue.md` from the files of the starter catalogue.

    python docs/make_starter_table.py

A table stands between two comments of the page, `<!-- table: NAME -->` and `<!-- end -->`;
everything else is written by hand. A test holds the page to what this makes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from catalog.starter import FOLDER, asked_in, field_files

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "starter-catalogue.md"
KINDS = ("area", "household", "resident", "enterprise")
MODES = ("collect", "share", "derive")
_STANDARD = re.compile(
    r"(?:GB|JGJ)(?:/T)? [0-9.]+-[0-9]{4}|国办发〔[0-9]+〕[0-9]+号|国统字〔[0-9]+〕[0-9]+号"
)

_LAW = re.compile(r"《((?:[^《》]|《[^《》]*》)+)》([^《]*)")
_ARTICLE = re.compile(r"第[一二三四五六七八九十百零]+条")
_DIGITS = "零一二三四五六七八九"
_TENS = {"十": 10, "百": 100}


class Topic(NamedTuple):
    name: str
    title: str
    fields: list[dict[str, Any]]
    bureaus: Counter[str]
    questions: set[str]


def read_topics() -> list[Topic]:
    return [_topic(path) for path in field_files()]


def _topic(path: Path) -> Topic:
    text = path.read_text(encoding="utf-8")
    bureaus: Counter[str] = Counter()
    questions: set[str] = set()
    for asked in asked_in(text):
        bureaus.update(asked.bureaus)
        questions.update(asked.questions)
    title = text.splitlines()[0].removeprefix("# ").rstrip(".")
    return Topic(path.stem, title, yaml.safe_load(text)["fields"], bureaus, questions)


def topics_table(topics: list[Topic]) -> str:
    head = ("topic", "", "fields", *KINDS, *MODES, "questions", "asked by")
    rows = [_counts(topic.name, topic.title, topic) for topic in topics]
    total = Topic(
        "",
        "",
        [field for topic in topics for field in topic.fields],
        sum((topic.bureaus for topic in topics), Counter()),
        {question for topic in topics for question in topic.questions},
    )
    return _table(head, [*rows, _counts("**all**", "", total)])


def _counts(name: str, title: str, topic: Topic) -> tuple[str, ...]:
    kinds = Counter(field["subject_kind"] for field in topic.fields)
    modes = Counter(field["mode"] for field in topic.fields)
    numbers = [len(topic.fields), *(kinds[k] for k in KINDS), *(modes[m] for m in MODES)]
    shown = [str(number or "") for number in (*numbers, len(topic.questions))]
    asked = ", ".join(f"{bureau} {times}" for bureau, times in topic.bureaus.most_common())
    return name, title, *shown, asked


def standards_table() -> str:
    rows = []
    for path in sorted((FOLDER / "code_lists").glob("*.yaml")):
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["code_lists"]:
            standard = _STANDARD.search(each["name"]["zh"])
            source = standard[0] if standard else "—"
            rows.append((f"`{each['code']}`", each["name"]["zh"], source, str(len(each["items"]))))
    return _table(("code list", "name", "standard or document", "items"), rows)


def sharing_table(topics: list[Topic]) -> str:
    fields = [field for topic in topics for field in topic.fields]
    rows = []
    for category in ("unconditional", "conditional", "restricted"):
        of = Counter(f["sensitivity"] for f in fields if f["sharing"]["category"] == category)
        rows.append((category, *(str(of[grade] or "") for grade in (1, 2, 3, 4))))
    return _table(("sharing category", "grade 1", "grade 2", "grade 3", "grade 4"), rows)


def laws_table(topics: list[Topic]) -> str:
    """Every law or document that a field rests on or is withheld by, with the articles cited."""
    fields: Counter[str] = Counter()
    articles: dict[str, set[str]] = {}
    for field in (field for topic in topics for field in topic.fields):
        cited: set[str] = set()
        for basis in filter(None, (field["legal_basis"], field["sharing"]["basis"])):
            for title, rest in _LAW.findall(basis):
                cited.add(title)
                articles.setdefault(title, set()).update(_ARTICLE.findall(rest))
        fields.update(cited)
    rows = [
        (title, "、".join(sorted(articles[title], key=_number)), str(fields[title]))
        for title in sorted(fields)
    ]
    return _table(("law or document", "articles", "fields"), rows)


def _number(article: str) -> int:
    """Read 第一百零二条 as 102."""
    total = digit = 0
    for sign in article:
        if sign in _TENS:
            total, digit = total + (digit or 1) * _TENS[sign], 0
        elif sign in _DIGITS:
            digit = _DIGITS.index(sign)
    return total + digit


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_tables(page: str) -> str:
    """The page with every table as the catalogue has it now."""
    topics = read_topics()
    tables = {
        "topics": topics_table(topics),
        "standards": standards_table(),
        "sharing": sharing_table(topics),
        "laws": laws_table(topics),
    }
    for name, table in tables.items():
        opening, closing = f"<!-- table: {name} -->\n", "<!-- end -->"
        if page.count(opening) != 1:
            raise ValueError(f"the page needs one place for the table {name}")
        before, _, rest = page.partition(opening)
        page = f"{before}{opening}{table}\n{closing}{rest.partition(closing)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
