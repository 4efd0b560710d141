"""Why an answer cannot be taken, in the reader's words.

Which rule is broken is found by the schema itself and by the services; only
their words are made here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

from flask_babel import gettext  # type: ignore[import-untyped]

from catalog.formats import FORMATS
from oneform.collection.commands import NOTE_IS_MISSING, MistakeCode
from oneform.kernel.jsonschemas import compile_schema
from oneform.web.formats import number_words

Names = Callable[[str], str]
"""The name of a field by its code."""


def schema_words(schema: Mapping[str, Any], value: Any) -> str | None:
    """What about the value the schema objects to; None if nothing."""
    found = compile_schema(dict(schema), FORMATS).errors(value)
    if not found:
        return None
    part = schema.get("items", schema) if found[0].pointer else schema
    return _keyword_words(found[0].code, part)


def _keyword_words(keyword: str, schema: Mapping[str, Any]) -> str:
    bound = schema.get(keyword)
    match keyword:
        case "minimum" if bound == 0:
            return str(gettext("This cannot be less than nothing: 0 or more"))
        case "minimum":
            return str(gettext("This has to be %(number)s or more", number=_number(bound)))
        case "exclusiveMinimum":
            return str(gettext("This has to be more than %(number)s", number=_number(bound)))
        case "maximum":
            return str(gettext("This has to be %(number)s or less", number=_number(bound)))
        case "exclusiveMaximum":
            return str(gettext("This has to be less than %(number)s", number=_number(bound)))
        case "multipleOf":
            return str(gettext("This has to be a multiple of %(number)s", number=_number(bound)))
        case "type" if schema.get("type") == "integer":
            return str(gettext("This has to be a whole number, without a decimal point"))
        case "minLength":
            return str(gettext("Write at least %(number)s characters", number=_number(bound)))
        case "maxLength":
            return str(gettext("Write at most %(number)s characters", number=_number(bound)))
        case "enum":
            return str(gettext("Choose one from the list"))
        case "format":
            return _format_words(str(bound))
        case "pattern":
            return str(gettext("This is not written as it should be: look at it again"))
        case _:
            return str(gettext("This cannot be taken: look at it again"))


def _number(bound: Any) -> str:
    return number_words(bound) if isinstance(bound, int | float) else str(bound)


def _format_words(name: str) -> str:
    match name:
        case "date":
            return str(gettext("There is no such day"))
        case "cn-mobile":
            return str(gettext("A mobile number has 11 digits and begins with 1"))
        case "cn-resident-id":
            return str(
                gettext("This identity number cannot be right: compare it digit by digit (18)")
            )
        case "cn-uscc":
            return str(gettext("This credit code cannot be right: compare it sign by sign (18)"))
        case "cn-area-code":
            return str(gettext("An area code has 12 digits"))
        case _:
            return str(gettext("This is not written as it should be: look at it again"))


def mistake_words(code: str, detail: str, name_of: Names) -> str:
    """The words for a mistake that a service found in an answer."""
    match code:
        case MistakeCode.NOT_OPEN | MistakeCode.UNKNOWN_ASK:
            return str(gettext("This has been answered meanwhile: you need not do anything"))
        case MistakeCode.OUTSIDE_REACH:
            return str(gettext("This belongs to another village now"))
        case MistakeCode.NOTHING_TO_CONFIRM:
            return str(gettext("There is no earlier value any more: please write it"))
        case MistakeCode.WARNING_UNCONFIRMED:
            return warning_words(detail, name_of)
        case _:
            return str(gettext("This cannot be taken: look at it again"))


MANY_TIMES = 10
"""From here on how many times says more than how many per cent."""

_CHANGE = re.compile(
    r"changes by (?P<sign>[+-])(?P<change>\d+%) from (?P<previous>\S+); more than (?P<share>\d+%)"
)
_MORE = re.compile(r"is more than (?P<code>[\w.]+), which is (?P<other>[-\d.e+]*\d)")
_LESS = re.compile(r"is less than (?P<code>[\w.]+), which is (?P<other>[-\d.e+]*\d)")
_PARTS = re.compile(
    r"the parts add up to (?P<sum>[-\d.e+]*\d), (?P<code>[\w.]+) is (?P<total>[-\d.e+]*\d)"
)


def lacks_note(code: str, detail: str) -> bool:
    """Whether the person said that an odd value is right, and did not say why."""
    return code == MistakeCode.WARNING_UNCONFIRMED and NOTE_IS_MISSING in detail


def note_words(text: str) -> str:
    """What to do then; `text` is what was typed."""
    return str(gettext("Write a few words under “Reason”: why it is %(text)s", text=text))


def warning_words(detail: str, name_of: Names) -> str:
    """The words of a soft check (`oneform.collection.checks`) in the reader's language."""
    words = list(_warnings(detail, name_of))
    return reduce(_two_sentences, words) if words else detail


def _two_sentences(one: str, other: str) -> str:
    return str(gettext("%(one)s %(other)s", one=one, other=other))


def _warnings(detail: str, name_of: Names) -> Iterator[str]:
    for match in _CHANGE.finditer(detail):
        found = match.groupdict()
        is_more, times = found.pop("sign") == "+", int(found["change"].rstrip("%")) // 100 + 1
        if is_more and times >= MANY_TIMES:
            del found["change"]
            yield gettext(
                "About %(times)s times as much as last time (%(previous)s); usually it changes by %(share)s at the most.",
                times=number_words(times),
                **found,
            )
        elif is_more:
            yield gettext(
                "%(change)s more than last time (%(previous)s); usually not more than %(share)s.",
                **found,
            )
        else:
            yield gettext(
                "%(change)s less than last time (%(previous)s); usually not more than %(share)s.",
                **found,
            )
    for match in _MORE.finditer(detail):
        yield gettext(
            "This is more than “%(name)s” (%(other)s).",
            name=name_of(match["code"]),
            other=match["other"],
        )
    for match in _LESS.finditer(detail):
        yield gettext(
            "This is less than “%(name)s” (%(other)s).",
            name=name_of(match["code"]),
            other=match["other"],
        )
    for match in _PARTS.finditer(detail):
        yield gettext(
            "The parts add up to %(sum)s, but “%(name)s” is %(total)s.",
            name=name_of(match["code"]),
            sum=match["sum"],
            total=match["total"],
        )
