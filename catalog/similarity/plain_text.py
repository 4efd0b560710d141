"""Letters as they are compared."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Return the text without differences of width and case."""
    return unicodedata.normalize("NFKC", text).casefold()
