"""Strict reading of YAML into plain values, with the line of every part. Pure.

Only what JSON can say: no anchors or aliases (a few lines could unfold into gigabytes),
no tags, no second document, no key twice. Scalars are read as in the core schema of
YAML 1.2, and a little more carefully: a date stays the text that it is, `no` is no
boolean, and `01` keeps its zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from catalog.places import BundleMistake
from oneform.kernel.jsonvalues import json_pointer

MAX_DEPTH = 40

Path = tuple[str | int, ...]
Lines = dict[int, dict[str | int, int]]
"""`id` of a collection → key or index → line, from 1."""

_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,29})")
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")


def read_yaml(text: str) -> tuple[Any, Lines, list[BundleMistake]]:
    """The value of a text, the lines of its parts, and what is wrong with it as YAML.

    With mistakes, the value is not to be used. They name no file.
    """
    reader = _Reader()
    value: Any = None
    try:
        value = reader.read(text)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        words = ", ".join(filter(None, (error.context, error.problem)))
        # What never ends is missed behind the last line.
        line = min(mark.line, text.count("\n")) + 1 if mark else None
        if "nesting depth" in words:  # libyaml has a limit of its own, and may meet it before us
            reader.note((), "depth", f"is nested deeper than {MAX_DEPTH} levels", line)
        else:
            reader.note((), "syntax", f"is no YAML: {words}", line)
    except yaml.YAMLError as error:
        # A ReaderError knows only the character, which is none that text contains.
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        reader.note((), "syntax", "contains a character that YAML does not allow", line)
    except _TooDeep:
        pass
    return value, reader.lines, reader.mistakes


def reads_as_text(text: str) -> bool:
    """Whether a text means itself when it is written without quotes."""
    return text not in _WORDS and not _NUMBER.fullmatch(text)


class _TooDeep(Exception):
    pass


class _Reader:
    def __init__(self) -> None:
        self.lines: Lines = {}
        self.mistakes: list[BundleMistake] = []

    def note(self, path: Path, code: str, detail: str, line: int | None) -> None:
        self.mistakes.append(BundleMistake(json_pointer(path), code, detail, line=line))

    def read(self, text: str) -> Any:
        events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        value: Any = None
        documents = 0
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                found = self.part(next(events), events, ())
                value = found if documents == 1 else value
                if documents == 2:
                    self.note((), "syntax", "begins a second document here", line)
        return value

    def part(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        """The value that begins with an event; its other events are taken from `events`."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self.note(path, "alias", "anchors and aliases (& and *) are not supported", line)
        if isinstance(event, yaml.AliasEvent):
            return None
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self.note(path, "tag", f"the tag {event.tag[:80]} is not supported", line)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.tag is None
            return self.scalar(event.value, path, line) if plain else event.value
        if len(path) >= MAX_DEPTH:
            self.note(path[:3], "depth", f"is nested deeper than {MAX_DEPTH} levels", line)
            raise _TooDeep
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, path)
        return self.mapping(events, path)

    def scalar(self, text: str, path: Path, line: int) -> Any:
        """What a text without quotes means."""
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if not _NUMBER.fullmatch(text):
            return text
        number = float(text)
        if number in (float("inf"), float("-inf")):
            self.note(path, "json", "is a number out of range", line)
        return number

    def sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        lines = self.lines[id(items)] = {}
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            place = len(items)
            lines[place] = event.start_mark.line + 1
            items.append(self.part(event, events, (*path, place)))
        return items

    def mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        members: dict[str, Any] = {}
        lines = self.lines[id(members)] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            self.part(event, events, path)
            name = event.value if isinstance(event, yaml.ScalarEvent) else None
            if name is None and not isinstance(event, yaml.AliasEvent):
                self.note(path, "syntax", "has a key that is no text", line)
            value = self.part(next(events), events, (*path, name or "?"))
            if name is not None and name in members:
                detail = f"has the member {name[:80]} twice; the first is in line {lines[name]}"
                self.note(path, "duplicate", detail, line)
            elif name is not None:
                members[name], lines[name] = value, line
        return members
