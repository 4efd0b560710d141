"""The index over all fields of one state of the catalogue: search, suggestions, similar fields.

Built once for each state and never changed afterwards, so that threads may share it. What a build
and a query cost at 10,000 fields is measured by `benchmarks/suggestions`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from catalog.similarity.clean import LONGEST
from catalog.similarity.judge import Side, balance, fit
from catalog.similarity.model import FieldText, Match, MatchReason
from catalog.similarity.peers import Likeness
from catalog.similarity.plain_text import plain
from catalog.similarity.postings import Postings
from catalog.similarity.spelling import Speller, near_codes
from catalog.similarity.tally import Hit, Tally
from catalog.similarity.texts import (
    NamedText,
    as_typed,
    definition_texts,
    letters,
    looks_like_code,
    name_texts,
    read_query,
    tells,
    typed_words,
    whole_text,
)
from catalog.similarity.units import people_and_cattle, read_unit
from catalog.similarity.wording import Wording

STRONG: Final = 0.64
"""From this score on a suggestion is probably the field that was meant (`benchmarks/suggestions`)."""

JUDGED: Final = 120
"""Names that are compared closely, of those that share most."""

SUGGESTED: Final = 0.15
"""Least likeness worth a suggestion."""
FAINT: Final = 0.3
"""Below this a field is not suggested for a word that no name has if all it shares is 户 or 人."""
FOUND: Final = 0.3
"""Least score of a search's hit."""
COVERED: Final = 0.5
"""Least part of a query that a field must have somewhere."""
CORRECTED: Final = 0.97
"""What a slip of spelling leaves of a score."""
WHOLE: Final = 0.55
"""Most that a suggestion can reach by words from several places; less than strong."""
ALL_WORDS: Final = 0.6
"""Share of a search's score for having all words somewhere; the rest is for the name that fits."""


class FieldIndex:
    """Fields by their words. Equal input gives equal answers; ties go in the order of codes."""

    def __init__(self, fields: Iterable[FieldText]) -> None:
        self._fields = tuple(sorted(fields, key=lambda field: field.code))
        self._codes = [plain(field.code) for field in self._fields]
        self._letters = [letters(field) for field in self._fields]
        self._texts: list[NamedText] = []
        names: list[dict[str, float]] = []
        definitions: list[dict[str, float]] = []
        wholes: list[dict[str, float]] = []
        self._defined: list[int] = []
        self._by_list: dict[str, list[int]] = defaultdict(list)
        for number, field in enumerate(self._fields):
            named = list(name_texts(number, field))
            defined = definition_texts(field)
            self._texts.extend(text for text, _ in named)
            names.extend(wording.features for _, wording in named)
            self._defined.extend(number for _ in defined)
            definitions.extend(wording.features for wording in defined)
            if field.code_list:
                self._by_list[field.code_list].append(number)
            wholes.append(whole_text(field, (wording for _, wording in named), defined))
        self._names = Postings(names, [text.field for text in self._texts])
        self._definitions = Postings(definitions, self._defined)
        self._wholes = Postings(wholes, range(len(wholes)))
        self._speller = Speller(self._names.features)

    def __len__(self) -> int:
        return len(self._fields)

    def suggest(self, query: str, *, limit: int = 3) -> list[Match]:
        """Return the fields that a string which is not on the list may have meant, best first.

        The string may be a code, a name of any department in Chinese or English, with numbering,
        years and units; any string is fine. Fewer than `limit`, or none, where nothing else is alike.
        """
        query = query[:LONGEST].strip()
        wording, sure = self._read(query)
        tally = self._named_like(wording, sure)
        for number, part in self._wholes.covering(wording.features, COVERED).items():
            tally.offer(number, WHOLE * part, MatchReason.WORDS)
        typed = typed_words(query)
        # What says nothing (`a`, `1`, `数量`) stands in every second field.
        says = wording.features and any(map(tells, typed))
        for number in self._holding(typed) if says else ():
            tally.offer(number, WHOLE, MatchReason.WORDS)
        if looks_like_code(query):
            for number, alike in near_codes(plain(query), self._codes):
                tally.offer(
                    number, alike, MatchReason.CODE if alike == 1.0 else MatchReason.SPELLING
                )
        tally.drop(self._absurd(wording))
        return self._matches(tally, wording, SUGGESTED, limit)

    def search(self, query: str, *, limit: int | None = 20) -> list[Match]:
        """Return the fields that have the words of the query, best first; None for all of them.

        A word counts as typed wherever it stands (code, names, synonyms, definitions, topic,
        owner, unit), so that `popul` and `民政 低保` find something, but a Latin one only where
        a word begins; whole wordings count by their meaning as in `suggest`.
        """
        query = query[:LONGEST].strip()
        typed = typed_words(query)
        if not typed:
            return []
        wording, sure = self._read(query)
        fitting = self._named_like(wording, sure)
        covered = self._wholes.covering(wording.features, COVERED)
        covered |= dict.fromkeys(self._holding(typed), 1.0)
        tally = Tally()
        for number in {*covered, *fitting}:
            hit = fitting.get(number) or Hit(0.0, MatchReason.WORDS)
            part = covered.get(number, 0.0)
            blended = ALL_WORDS * part + (1 - ALL_WORDS) * hit.score
            tally.offer(number, max(hit.score, blended), hit.how)
            if self._codes[number] == typed[0] == plain(query):
                tally.offer(number, 1.0, MatchReason.CODE)
        return self._matches(tally, wording, FOUND, limit)

    def similar(self, field: FieldText, *, limit: int = 5) -> list[Match]:
        """Return the fields that may say the same as a proposed one, itself left out.

        Names and definitions say how much; kind of subject, code list and unit weigh it.
        """
        pairs: dict[int, Likeness] = defaultdict(Likeness)
        for _, wording in name_texts(-1, field):
            side = Side.of(wording)
            for score, text in self._fits(wording):
                pairs[text.field].named(score, side, text)
        for wording in definition_texts(field):
            for overlap in self._definitions.nearest(wording.features, JUDGED):
                pair = pairs[self._defined[overlap.text]]
                pair.definition = max(pair.definition, balance(overlap))
        for number in self._by_list.get(field.code_list or "", ()):
            pairs.setdefault(number, Likeness())
        matches = [
            Match(other.code, round(pair.score(field, other), 4), pair.reasons(field, other))
            for other, pair in ((self._fields[n], pair) for n, pair in pairs.items())
            if other.code != field.code
        ]
        matches.sort(key=lambda match: (-match.score, match.code))
        return [match for match in matches[:limit] if match.score >= SUGGESTED]

    def _absurd(self, query: Wording) -> Callable[[int, float], bool]:
        """Return what says whether a field, for all its score, is nothing to suggest."""
        tells = query.tells
        alike = {self._texts[text].field for text in self._names.covering(tells, 0.0)}

        def other_beings(number: int) -> bool:
            unit = read_unit(self._fields[number].unit)
            return people_and_cattle(query.dimension, query.unit, unit)

        # 乡村户数 may mean 常住户数; of 失独家庭户数, where no name says 失独, only 户 is left.
        strange = not tells.keys() <= self._names.features
        strange = strange or (bool(tells) and all(map(other_beings, alike)))

        def absurd(number: int, score: float) -> bool:
            return other_beings(number) or (strange and score < FAINT and number not in alike)

        return absurd

    def _holding(self, typed: list[str]) -> Sequence[int]:
        """Return the fields in which every word stands as it was typed."""
        found: Sequence[int] = range(len(self._letters))
        for word in typed:
            if not found:
                break
            stands = as_typed(word).search
            found = [number for number in found if stands(self._letters[number])]
        return found

    def _read(self, query: str) -> tuple[Wording, float]:
        """Read a query with its slips corrected, and how sure that leaves us (1: no slip)."""
        corrected = self._speller.correct(query)
        return read_query(corrected), 1.0 if corrected == query else CORRECTED

    def _named_like(self, query: Wording, sure: float) -> Tally:
        tally = Tally()
        for score, text in self._fits(query):
            tally.offer(text.field, sure * score, text)
        return tally

    def _fits(self, query: Wording) -> Iterator[tuple[float, NamedText]]:
        """Yield how well the names nearest to a wording fit it."""
        side = Side.of(query)
        for overlap in self._names.nearest(query.features, JUDGED):
            text = self._texts[overlap.text]
            yield fit(side, text.side, overlap), text

    def _matches(
        self, tally: Tally, query: Wording, at_least: float, limit: int | None
    ) -> list[Match]:
        side = Side.of(query)
        return [
            Match(self._fields[number].code, round(hit.score, 4), hit.reasons(side))
            for number, hit in tally.ranked(at_least, limit)
        ]
