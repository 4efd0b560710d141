"""What counts as a JSON value here, and JSON pointers. No schemas (see `jsonschemas`).

A value is JSON if it is made of exactly dict (with str keys), list, str, int, float, bool
and None; if its numbers are finite and its integers have at most 64 bits (RFC 8259
promises no more, and writers such as orjson refuse more); if its text can be stored
(PostgreSQL holds neither U+0000 nor half of a surrogate pair); and if it is neither
deeper nor larger than the limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from oneform.kernel.errors import Mistake

MAX_DEPTH = 32
MAX_NODES = 10_000
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1

Path = tuple[str | int, ...]


def json_pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path: `""` is the whole, `/a~1b/0` a part."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def is_json(value: object) -> bool:
    """Whether `json_mistakes` finds nothing; quick for the values that are the rule."""
    if isinstance(value, dict | list):
        return not json_mistakes(value)
    return _flaw(value) is None


def json_mistakes(
    value: object, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES
) -> list[Mistake]:
    """Why a value is not JSON: mistakes with the codes `json`, `depth` or `size`.

    Ends at the first limit broken, so that a small text that unfolds into a huge
    value (YAML aliases) or a value that contains itself costs no more than the limit.
    """
    mistakes: list[Mistake] = []
    waiting: list[tuple[object, Path]] = [(value, ())]
    seen = 0
    while waiting:
        part, path = waiting.pop()
        seen += 1
        if seen > max_nodes:
            return [*mistakes, Mistake("", "size", f"has more than {max_nodes} parts")]
        if len(path) > max_depth:
            return [*mistakes, Mistake("", "depth", f"is nested deeper than {max_depth} levels")]
        if flaw := _flaw(part):
            mistakes.append(Mistake(json_pointer(_printable(path)), "json", flaw))
        elif type(part) is dict:
            for name, inner in part.items():
                if name_flaw := _name_flaw(name):
                    mistakes.append(Mistake(json_pointer(_printable(path)), "json", name_flaw))
                else:
                    waiting.append((inner, (*path, name)))
        elif type(part) is list:
            waiting.extend((inner, (*path, i)) for i, inner in enumerate(part))
    return sorted(mistakes, key=lambda mistake: mistake.pointer)


def _flaw(part: object) -> str | None:
    """Why a part, apart from what it contains, is not JSON."""
    kind = type(part)
    if kind is str:
        return _text_flaw(str(part))
    if part is None or kind is bool or kind is dict or kind is list:
        return None
    if isinstance(part, int) and kind is int:
        return None if MIN_INTEGER <= part <= MAX_INTEGER else "is an integer of more than 64 bits"
    if isinstance(part, float) and kind is float:
        return None if math.isfinite(part) else "is not a finite number"
    return f"is no JSON value but a {kind.__name__}"


def _text_flaw(text: str) -> str | None:
    if "\0" in text:
        return "contains the character U+0000"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "contains half of a surrogate pair"
    return None


def _name_flaw(name: object) -> str | None:
    if type(name) is not str:
        return f"has a member whose name is no text but a {type(name).__name__}"
    flaw = _text_flaw(name)
    return flaw and f"has a member whose name {flaw}"


def _printable(path: Path) -> Path:
    # A pointer goes into an answer, so the flaw of a text must not be in it.
    return tuple(part if isinstance(part, int) else part[:200] for part in path)
