"""Files with plain values: YAML or JSON in UTF-8, and the line of every part. Pure.

What YAML may say is in `catalog.yaml_reader`; what the values mean, in `catalog.check`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NoReturn

from catalog.places import BundleMistake
from catalog.yaml_reader import MAX_DEPTH, Lines, read_yaml

MAX_BYTES = 64 * 2**20


class Syntax(StrEnum):
    YAML = "yaml"
    JSON = "json"


class Unreadable(ValueError):
    """A file without a value; `mistakes` are all that could be found."""

    def __init__(self, mistakes: Sequence[BundleMistake]) -> None:
        super().__init__("; ".join(mistake.detail for mistake in mistakes))
        self.mistakes = list(mistakes)


class Document:
    """The value of a file, and what it is called where there are several (else `""`)."""

    def __init__(
        self, value: Any, name: str = "", *, lines: Lines | None = None, text: str = ""
    ) -> None:
        self.value = value
        self.name = name
        self._lined = value
        self._lines = lines
        self._text = text

    def line_of(self, pointer: str) -> int | None:
        """The line of a part or, where it is not there, of what it would be in."""
        if self._lines is None:
            # Python's JSON parser knows no lines. Most JSON is YAML too, and read once
            # more as such when somebody asks; the rest (escaped surrogates) has no lines.
            self._lined, self._lines, mistakes = read_yaml(self._text)
            self._lines = {} if mistakes else self._lines
        part, line = self._lined, None
        for name in pointer.split("/")[1:]:
            lines = self._lines.get(id(part), {})
            step: Any = name.replace("~1", "/").replace("~0", "~")
            if isinstance(part, list):
                step = int(name) if name.isdecimal() else None
            if step not in lines:
                break
            part, line = part[step], lines[step]
        return line


def read_document(raw: bytes, syntax: Syntax, name: str = "") -> Document:
    """The value of a file's bytes: UTF-8, with or without BOM. Unreadable otherwise."""
    if len(raw) > MAX_BYTES:
        _refuse(name, "size", f"is larger than {MAX_BYTES // 2**20} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(name, "encoding", "is not UTF-8 here", raw.count(b"\n", 0, error.start) + 1)
    return _read_json(text, name) if syntax is Syntax.JSON else _read_yaml(text, name)


def _refuse(name: str, code: str, detail: str, line: int | None = None) -> NoReturn:
    raise Unreadable([BundleMistake("", code, detail, file=name, line=line)])


def _read_yaml(text: str, name: str) -> Document:
    value, lines, mistakes = read_yaml(text)
    if mistakes:
        raise Unreadable([replace(mistake, file=name) for mistake in mistakes])
    return Document(value, name, lines=lines)


def _read_json(text: str, name: str) -> Document:
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(name, "syntax", f"is no JSON: {error.msg}", error.lineno)
    except RecursionError:
        _refuse(name, "depth", f"is nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        # Found without its place; the other reader may know it.
        _read_yaml(text, name)
        _refuse(name, "syntax", str(error))
    return Document(value, name, text=text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("has a member twice")
    return members


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
