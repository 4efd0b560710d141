"""Names of states: whoever changes a thing can say which state of it they have read."""

from __future__ import annotations

import hashlib

import orjson


def etag_of(*parts: object) -> str:
    """A tag of what identifies a state: its id and its version, or all that is shown of it."""
    raw = orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()[:32]
