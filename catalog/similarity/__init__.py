"""Finding fields by their words: search, suggestions for what is off the list, near doubles.

Pure: no database, no HTTP, no clock. `FieldIndex` is built from `FieldText`s once for each state
of the catalogue; who may see which field, and which state is in force, is the caller's business.
Inside: `clean` takes off what a form adds, `lexicon` knows the words, `wording` makes weighted
features of both, `postings` finds what shares most of them, `judge` and `peers` weigh the rest.
"""

from catalog.similarity.index import STRONG, FieldIndex
from catalog.similarity.model import FieldText, Match, MatchReason

__all__ = ["STRONG", "FieldIndex", "FieldText", "Match", "MatchReason"]
