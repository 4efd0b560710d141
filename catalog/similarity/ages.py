"""Ages and durations in a wording, as one form each: 六十周岁及以上, 60+, aged 60 and over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_YEARS: Final = r"(?:周?岁|years?(?: old| of age)?|yrs?)"
_AND: Final = r"[\s_]*(?:\(?含\)?|及|或|and|or|&)?[\s_]*"
_RANGE: Final = re.compile(
    rf"(?<![\d.])(\d{{1,3}})\s*{_YEARS}?\s*(?:-|~|—|–|至|到|to)\s*(\d{{1,3}})\s*{_YEARS}"
    rf"|\b(?:aged?|ages)[\s_]*(\d{{1,3}})[\s_]*(?:-|~|to)[\s_]*(\d{{1,3}})\b"
)
_FROM: Final = re.compile(
    rf"(?<![\d.])(\d{{1,3}})\s*{_YEARS}{_AND}(?:以上|over|above|older|plus|\+)"
    rf"|年?满\s*(\d{{1,3}})\s*{_YEARS}(?!{_AND}以)"
    rf"|\b(?:aged?[\s_]*)?(\d{{2,3}})(?:\s*\+|[\s_]*(?:plus|and[\s_]over|and[\s_]above|and[\s_]older|or[\s_]over)\b)"
    rf"|\b(?:over|above)[\s_](\d{{2,3}})\b"
)
_BELOW: Final = re.compile(
    rf"(?<![\d.])(\d{{1,3}})\s*{_YEARS}{_AND}(?:以下|以内|under|below|younger)"
    rf"|\b(?:under|below)[\s_](?:age[\s_])?(\d{{1,2}})\b"
)
_DURATION: Final = re.compile(
    r"(?:超过|满)?\s*(半|\d{1,2}|[一二三六])\s*(个月|年)(?:及|或)?(?:以[上内下])?"
)
_THRESHOLD: Final = re.compile(
    r"(?<![\d.])(\d+(?:\.\d+)?)\s*([万亿]?(?:元|亩|人|户|公里|米|平方米|吨|毫升|%))(?:及|\(?含\)?|或)?(以上|以下|以内)"
)
_HINT: Final = re.compile(
    r"岁|年|个月|以[上下内]|\+|plus|over|under|below|above|older|younger|year|yrs|age"
)
_SMALL: Final = {"半": 0.5, "一": 1.0, "二": 2.0, "三": 3.0, "六": 6.0}
OLD: Final = 60
YOUNG: Final = 18


@dataclass(frozen=True, slots=True)
class Ages:
    """The text without them, age marks such as `60+`, `<18`, `16-59`, and months such as `6m`,
    thresholds such as `1000元以下`."""

    text: str
    ages: tuple[str, ...]
    durations: tuple[str, ...]
    thresholds: tuple[str, ...]

    @property
    def old(self) -> bool:
        """Whether an age group of old people (60 and over, the Law on the Elderly) is named."""
        return any(age.endswith("+") and int(age[:-1]) >= OLD for age in self.ages)

    @property
    def young(self) -> bool:
        """Whether an age group of minors (under 18, the Law on Minors) is named."""
        return any(age.startswith("<") and int(age[1:]) <= YOUNG for age in self.ages)


def take_ages(text: str) -> Ages:
    """Take ages and durations out of a cleaned text."""
    if not _HINT.search(text):
        return Ages(text, (), (), ())
    ages: list[str] = []
    durations: list[str] = []
    thresholds: list[str] = []

    def between(found: re.Match[str]) -> str:
        low, high = (part for part in found.groups() if part)
        ages.append(f"{int(low)}-{int(high)}")
        return " "

    def upwards(found: re.Match[str]) -> str:
        ages.append(f"{int(next(filter(None, found.groups())))}+")
        return " "

    def downwards(found: re.Match[str]) -> str:
        ages.append(f"<{int(next(filter(None, found.groups())))}")
        return " "

    def lasting(found: re.Match[str]) -> str:
        number = _SMALL[found[1]] if found[1] in _SMALL else float(found[1])
        durations.append(f"{number * (12 if found[2] == '年' else 1):g}m")
        return " "

    def bounding(found: re.Match[str]) -> str:
        thresholds.append(f"{float(found[1]):g}{found[2]}{found[3]}")
        return " "

    for pattern, take in (
        (_RANGE, between),
        (_FROM, upwards),
        (_BELOW, downwards),
        (_DURATION, lasting),
        (_THRESHOLD, bounding),
    ):
        text = pattern.sub(take, text)
    return Ages(text, tuple(ages), tuple(durations), tuple(thresholds))
