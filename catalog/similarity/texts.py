"""The texts under which a field is indexed: its names, synonyms and code, and all of it together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from catalog.similarity.judge import Side
from catalog.similarity.model import FieldText, MatchReason
from catalog.similarity.plain_text import plain
from catalog.similarity.units import read_unit
from catalog.similarity.wording import Wording, read_wording

FAINT: Final = 0.35
"""Weight in a field's whole text of what stands in its definition, topic, owner and kind."""

_CODE_BREAKS: Final = re.compile(r"[._\-/:]+")
_LATIN: Final = re.compile(r"[a-z0-9]")
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class NamedText:
    """One name of the field with the number `field` in its index."""

    field: int
    reason: MatchReason
    wording: str
    side: Side


def looks_like_code(text: str) -> bool:
    """Whether somebody sent a code (`elderly.aged_60_plus`) rather than words."""
    return _CODE.fullmatch(text) is not None


def read_query(query: str) -> Wording:
    """Read what somebody typed or sent: a wording, or a code, whose parts are words."""
    return read_wording(code_words(query) if looks_like_code(query) else query)


def code_words(code: str) -> str:
    """Return the words of a code."""
    return _CODE_BREAKS.sub(" ", code)


def name_texts(number: int, field: FieldText) -> Iterator[tuple[NamedText, Wording]]:
    """Yield every different name of a field, with its unit, and what was read in it."""
    unit = read_unit(field.unit)
    seen: set[str] = set()
    for reason, text in _named(field):
        wording = read_wording(code_words(text) if reason is MatchReason.CODE else text, unit)
        if wording.features and wording.raw not in seen:
            seen.add(wording.raw)
            yield NamedText(number, reason, text, Side.of(wording)), wording


def _named(field: FieldText) -> Iterator[tuple[MatchReason, str]]:
    for name in field.names.values():
        yield MatchReason.NAME, name
    for synonym in field.synonyms:
        yield MatchReason.SYNONYM, synonym
    yield MatchReason.CODE, field.code


def definition_texts(field: FieldText) -> list[Wording]:
    """Return what was read in the definitions that are there, in the order of languages."""
    return [read_wording(text) for text in field.definitions.values() if text]


def whole_text(
    field: FieldText, named: Iterable[Wording], defined: Iterable[Wording]
) -> dict[str, float]:
    """Return the features of all that is said of a field, for queries that mix several things."""
    features: dict[str, float] = {}
    for wording in named:
        for feature, weight in wording.features.items():
            features[feature] = max(weight, features.get(feature, 0.0))
    for wording in defined:
        for feature, weight in wording.features.items():
            features.setdefault(feature, FAINT * weight)
    for text in (code_words(field.topic), field.owner, field.subject_kind):
        for feature, weight in _repeated(text):
            features.setdefault(feature, FAINT * weight)
    return features


@lru_cache(maxsize=512)
def _repeated(text: str) -> tuple[tuple[str, float], ...]:
    """Read what many fields share word for word: topics, owners, kinds of subject."""
    return tuple(read_wording(text).features.items())


def letters(field: FieldText) -> str:
    """Return all that is said of a field as plain letters, to be searched as typed."""
    return plain(
        "\n".join(
            (
                field.code,
                *field.names.values(),
                *field.synonyms,
                *field.definitions.values(),
                field.topic,
                field.owner,
                field.subject_kind,
                field.unit or "",
                field.code_list or "",
            )
        )
    )


def typed_words(query: str) -> list[str]:
    """Return the words of a query as they were typed, each once."""
    return list(dict.fromkeys(plain(query).split()))


def as_typed(word: str) -> re.Pattern[str]:
    """Return what finds a word of `typed_words` in `letters`: a Latin one where a word begins
    (`men` is not in "government"), any other wherever it stands."""
    found = re.escape(word)
    # To look back last lets the search leap from one place of the word to the next.
    return re.compile(f"{found}(?<![a-z0-9]{found})" if _LATIN.match(word) else found)


def tells(word: str) -> bool:
    """Whether a word of `typed_words` says anything by itself, as a lone letter or digit does not."""
    return len(word) > 1 or not _LATIN.match(word)
