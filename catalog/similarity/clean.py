"""From the wording of a form to the words that carry its meaning.

Takes off what a form adds around a question: numbering, 其中, years, 年末, units in brackets,
and keeps apart what is said in passing in brackets. What the words mean is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from catalog.similarity.plain_text import plain
from catalog.similarity.units import DIMENSION, read_unit

LONGEST: Final = 400
"""Characters that are read; no question is longer, and nobody may make us read 10 MB."""

_CIRCLED: Final = re.compile(r"[\u2460-\u249b\u2776-\u2793]")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRACKETS: Final = str.maketrans("【】〔〕「」〈〉[]{}《》", "()()()()()()  ")
_OTHER_BRACKETS: Final = frozenset(map(chr, _BRACKETS))
_BRACKETED: Final = re.compile(r"\(([^()]*)\)")
_INSERTED: Final = re.compile(r"(?<=[\u4e00-\u9fff])\(([\u4e00-\u9fff]{1,3})\)(?=[\u4e00-\u9fff])")
_NUMBERING: Final = re.compile(
    r"\s*(?:[一二三四五六七八九十]{1,3}\s*[、.:)]|\d{1,3}(?:\.\d{1,3})*\s*(?:[、:)]|\.(?!\d)|(?<=\d\.\d)\s)|[#*•\-—]+)\s*"
)
_PREFIX_SIGNS: Final = frozenset("其包含另")
_PREFIX: Final = re.compile(r"(?:其中|包括|含|另)\s*[:,、]|^其中")
_LONGEST_UNIT: Final = 12
_BEFORE_UNIT: Final = re.compile(r"单位\s*:?\s*|[/,、:;\s]")
_DATE: Final = re.compile(
    r"(?:截至|截止到?|至|到)?(?<![\da-z.])(?:19|20)\d{2}(?:\s*年?\s*[-~—至到]\s*(?:19|20)\d{2}(?!\d))?"
    r"(?:\s*[-./年]\s*(?:1[0-2]|0?[1-9])(?:\s*[-./月]\s*(?:3[01]|[12]\d|0?[1-9])(?!\d)\s*日?|\s*月|(?!\d))"
    r"|\s*-?\s*[qQsS][1-4]|\s*年度?|(?!\d))(?:末|底|初)?"
    r"|(?<!\d)(?:1[0-2]|0?[1-9])月(?:(?:3[01]|[12]\d|0?[1-9])日)?(?:末|底|初)?|第?[一二三四1-4]季度?|[上下]半年"
)
_DATED: Final = re.compile(r"\d|季|半年")
_PERIOD_SIGNS: Final = frozenset("年月期季截当目现岁")
_PERIOD: Final = re.compile(
    r"截至|截止|当年|本年度?|年度|全年|年末|年底|年初(?!数)|月末|月底|期末|季末|季度|当期|本期|当月|本月|当前|目前|现有"
    r"|历年|分年度每年|每年"
)
_NUMERAL: Final = re.compile(r"([一二三四五六七八九十两]{1,3})(?=周岁|岁|个月|年以[上下])")
_DIGITS: Final = {c: n for n, c in enumerate("一二三四五六七八九", start=1)} | {"两": 2}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The words that ask, what stands beside them in brackets, and the unit if one is printed."""

    text: str
    asides: tuple[str, ...]
    unit: str | None


def clean(raw: str) -> Cleaned:
    """Clean one wording; any string is fine, of which the first `LONGEST` characters are read."""
    text = raw[:LONGEST]
    if not text.islower():
        text = _CAMEL.sub(" ", text)
    text = plain(_CIRCLED.sub(" ", text))
    if not _OTHER_BRACKETS.isdisjoint(text):
        text = text.translate(_BRACKETS)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = _unnumbered(text)
    asides: list[str] = []
    unit = None
    if "(" in text:
        text = _INSERTED.sub(_insert, text)
        text, asides, unit = _take_brackets(text)
    if not _PREFIX_SIGNS.isdisjoint(text):
        text = _unnumbered(_PREFIX.sub(" ", text))
    text, printed = _take_unit_at_end(text)
    unit = unit or printed
    return Cleaned(_plain(text), tuple(filter(None, map(_plain, asides))), unit)


def _unnumbered(text: str) -> str:
    found = _NUMBERING.match(text)
    return text[found.end() :] if found else text


def _insert(found: re.Match[str]) -> str:
    """Take the brackets off what is part of the word: 文化(图书)室, 执业(助理)医师."""
    return found[0] if read_unit(found[1]) else found[1]


def _take_brackets(text: str) -> tuple[str, list[str], str | None]:
    asides: list[str] = []
    units: list[str] = []

    def take(found: re.Match[str]) -> str:
        inside = found[1].strip()
        if unit := read_unit(inside):
            units.append(unit)
        elif not re.fullmatch(r"[\d一二三四五六七八九十]{0,3}|多选|单选|必填|选填", inside):
            asides.append(inside)
        return "" if inside else " "

    for _ in range(3):  # brackets within brackets; deeper ones are no question any more
        text = _BRACKETED.sub(take, text)
    return text, asides, units[0] if units else None


def _take_unit_at_end(text: str) -> tuple[str, str | None]:
    """Take off a unit that follows a slash, comma, colon or space (常住人口数/人, 面积 单位:亩)."""
    start = max(len(text) - _LONGEST_UNIT, 0)
    for found in list(_BEFORE_UNIT.finditer(text, start))[-2:]:  # two: 元/年 holds a slash itself
        unit = read_unit(text[found.end() :])
        if unit and DIMENSION[unit] != "时间":  # the 年 of "2025 年" is none
            return text[: found.start()], unit
    return text, None


def _plain(text: str) -> str:
    if _DATED.search(text):
        text = _DATE.sub(" ", text)
    if not _PERIOD_SIGNS.isdisjoint(text):
        text = _NUMERAL.sub(lambda found: str(_arabic(found[1])), _PERIOD.sub(" ", text))
    return " ".join(text.split()).strip(" -~—.,:;、。/")


def _arabic(numeral: str) -> int:
    """Read a Chinese numeral below one hundred (六十五, 十八, 三)."""
    tens, ten, ones = numeral.rpartition("十")
    if not ten:
        return int("".join(str(_DIGITS.get(c, 0)) for c in numeral))
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)
