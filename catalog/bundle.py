"""Catalogue bundles (API.md, section 7): reading them from files, writing them canonically.

Here a bundle is only put together of files; whether it is right is for `catalog.check`,
and what becomes of it for `catalog.importing`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from catalog.documents import Document, Syntax, Unreadable, read_document
from catalog.places import BundleMistake
from catalog.structure import BUNDLE
from catalog.yaml_reader import reads_as_text
from oneform.kernel.jsonvalues import json_pointer

KINDS: Final = ("agencies", "subject_kinds", "code_lists", "fields")
SYNTAXES: Final = {".yaml": Syntax.YAML, ".yml": Syntax.YAML, ".json": Syntax.JSON}


@dataclass(frozen=True, slots=True)
class Member:
    """One agency, kind of subject, code list or field, as it was written."""

    kind: str
    value: Any
    document: Document
    index: int

    def mistake(self, pointer: str, code: str, detail: str) -> BundleMistake:
        """A mistake at a pointer into this member, with file and line."""
        pointer = f"/{self.kind}/{self.index}{pointer}"
        line = self.document.line_of(pointer)
        return BundleMistake(pointer, code, detail, file=self.document.name, line=line)


@dataclass(slots=True)
class Bundle:
    """The members of one or several files, and what is wrong with the files as such."""

    agencies: list[Member] = field(default_factory=list)
    subject_kinds: list[Member] = field(default_factory=list)
    code_lists: list[Member] = field(default_factory=list)
    fields: list[Member] = field(default_factory=list)
    flaws: list[BundleMistake] = field(default_factory=list)

    def add(self, document: Document) -> None:
        """Take in a document's members, or note why it has none."""
        flaws = _Flaws(document)
        head = document.value
        if not isinstance(head, dict):
            flaws.note("", "type", "must be an object with the member bundle")
        else:
            if head.get("bundle") != BUNDLE:
                flaws.note("/bundle", "bundle", f"the member bundle must say {BUNDLE}")
            for name in sorted(head.keys() - {"bundle", *KINDS}):
                flaws.note(json_pointer([name]), "unknown", f"a bundle has no member {name[:80]}")
            for kind in KINDS:
                members = [] if head.get(kind) is None else head[kind]
                if not isinstance(members, list):
                    flaws.note("/" + kind, "type", "must be an array")
                    continue
                mine: list[Member] = getattr(self, kind)
                mine.extend(Member(kind, each, document, i) for i, each in enumerate(members))
        self.flaws.extend(flaws.found)


@dataclass(slots=True)
class _Flaws:
    document: Document
    found: list[BundleMistake] = field(default_factory=list)

    def note(self, pointer: str, code: str, detail: str) -> None:
        line = self.document.line_of(pointer)
        name = self.document.name
        self.found.append(BundleMistake(pointer, code, detail, file=name, line=line))


def bundle_of(*values: Any) -> Bundle:
    """The bundle in plain values, such as bodies of HTTP."""
    bundle = Bundle()
    for value in values:
        bundle.add(Document(value))
    return bundle


def parse_bundle(raw: bytes, syntax: Syntax) -> Bundle:
    """The bundle in the bytes of one file; never fails, but may have flaws."""
    bundle = Bundle()
    _add(bundle, raw, syntax, "")
    return bundle


def read_bundle(path: Path) -> Bundle:
    """The bundle in a file, or in all YAML and JSON files of a folder as if they were one.

    OSError where it cannot be read; anything else that is wrong is a flaw of the bundle.
    """
    if not path.is_dir():
        return parse_bundle(path.read_bytes(), SYNTAXES.get(path.suffix.lower(), Syntax.YAML))
    bundle = Bundle()
    files = sorted(each for each in path.rglob("*") if each.suffix.lower() in SYNTAXES)
    for each in files:
        syntax = SYNTAXES[each.suffix.lower()]
        _add(bundle, each.read_bytes(), syntax, each.relative_to(path).as_posix())
    if not files:
        bundle.flaws.append(BundleMistake("", "empty", f"{path.name} holds no YAML or JSON file"))
    return bundle


def _add(bundle: Bundle, raw: bytes, syntax: Syntax, name: str) -> None:
    try:
        bundle.add(read_document(raw, syntax, name))
    except Unreadable as error:
        bundle.flaws.extend(error.mistakes)


def bundle_document(
    agencies: Iterable[Mapping[str, Any]],
    subject_kinds: Iterable[Mapping[str, Any]],
    code_lists: Iterable[Mapping[str, Any]],
    fields: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """A bundle as a plain value, in canonical order: by codes; items of a list as they come."""
    members: Sequence[Iterable[Mapping[str, Any]]] = (agencies, subject_kinds, code_lists, fields)
    return {
        "bundle": BUNDLE,
        **{
            kind: sorted(each, key=lambda member: str(member["code"]))
            for kind, each in zip(KINDS, members, strict=True)
        },
    }


def dump_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def dump_yaml(document: Mapping[str, Any]) -> str:
    """YAML that `read_document` reads as the same value; days of fields stand without quotes."""
    fields = [
        {**member, **{day: dt.date.fromisoformat(member[day]) for day in _DAYS}}
        for member in document.get("fields", ())
    ]
    return yaml.dump(
        {**document, "fields": fields},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=1000,
    )


_DAYS = ("effective_from", "expires_on")
# What the emitter takes for the end of a line, and what it would print as if it were nothing.
_AWKWARD = frozenset("\x85\u2028\u2029\ufeff")
_Base: Any = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper


class _Dumper(_Base):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        quoted = not reads_as_text(text) or not _AWKWARD.isdisjoint(text)
        node: yaml.ScalarNode = self.represent_scalar(
            "tag:yaml.org,2002:str", text, style='"' if quoted else None
        )
        return node


_Dumper.add_representer(str, _Dumper.represent_text)
