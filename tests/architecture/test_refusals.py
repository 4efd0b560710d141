"""Every refusal that the program knows is met by name in a test."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import oneform
from catalog.judging import Reason
from oneform.collection.commands import MistakeCode
from oneform.sources.conversion import RefusalCode
from oneform.values.imports.conflicts import ConflictCode

ROOT = Path(oneform.__file__).parents[1]
LISTED: tuple[type[StrEnum], ...] = (MistakeCode, RefusalCode, ConflictCode, Reason)
"""Refusals that are members of an enum."""


def trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def named_in_tests() -> set[str]:
    """Every text and every name in the tests, but for this one."""
    words: set[str] = set()
    for path, tree in trees("tests"):
        if path == Path(__file__):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value.removeprefix("urn:oneform:problem:"))
            elif isinstance(node, ast.Name):
                words.add(node.id)
            elif isinstance(node, ast.Attribute):
                words.add(node.attr)
    return words


def problems() -> Iterator[tuple[str, str]]:
    """Class and code of each error of the domain."""
    for _, tree in trees("oneform", "catalog"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            for line in node.body:
                match line:
                    case ast.Assign(
                        targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))
                    ):
                        yield node.name, code


def mistakes() -> Iterator[str]:
    """Code of each `Mistake(pointer, code, detail)`."""
    for _, tree in trees("oneform", "catalog"):
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Name(id="Mistake"), args=[_, ast.Constant(value=str(code)), *_]
                ):
                    yield code


def test_every_problem_is_met_in_a_test() -> None:
    named = named_in_tests()
    met = {(name, code) for name, code in problems() if {name, code} & named}
    assert set(problems()) - met == set()


def test_every_mistake_is_met_in_a_test() -> None:
    codes = {*mistakes(), *(member.value for enum in LISTED for member in enum)}
    members = {member.value: member.name for enum in LISTED for member in enum}
    named = named_in_tests()
    assert {code for code in codes if not {code, members.get(code)} & named} == set()
