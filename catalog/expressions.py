"""Trees of formulas over fields and of conditions, and their canonical text. Pure.

They are made by `catalog.formula` and computed by the part that holds the values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Number:
    value: Decimal

    def __str__(self) -> str:
        return f"{self.value:f}"


@dataclass(frozen=True, slots=True)
class Name:
    """A field, by its code."""

    code: str

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Negative:
    of: Expression

    def __str__(self) -> str:
        return f"-{_bracketed(self.of)}"


@dataclass(frozen=True, slots=True)
class Binary:
    """`operator` is one of `+ - * /`."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"{_bracketed(self.left)} {self.operator} {_bracketed(self.right)}"


Expression = Number | Name | Negative | Binary


def _bracketed(part: Expression) -> str:
    return f"({part})" if isinstance(part, Binary | Negative) else str(part)


Literal = str | bool | Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of `== != < <= > >=` with one operand, or `in` with one or more."""

    code: str
    operator: str
    operands: tuple[Literal, ...]

    def __str__(self) -> str:
        shown = [_literal(operand) for operand in self.operands]
        right = f"[{', '.join(shown)}]" if self.operator == "in" else shown[0]
        return f"{self.code} {self.operator} {right}"


@dataclass(frozen=True, slots=True)
class Not:
    of: Condition

    def __str__(self) -> str:
        return f"not ({self.of})"


@dataclass(frozen=True, slots=True)
class Joined:
    """Two or more conditions of which all (`and`) or at least one (`or`) must hold."""

    operator: str
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return f" {self.operator} ".join(f"({part})" for part in self.parts)


Condition = Comparison | Not | Joined


def _literal(operand: Literal) -> str:
    if isinstance(operand, bool):
        return "true" if operand else "false"
    return json.dumps(operand, ensure_ascii=False) if isinstance(operand, str) else f"{operand:f}"


def names(tree: Expression | Condition) -> list[str]:
    """The field codes in a tree, each once, in the order in which they come."""
    return list(dict.fromkeys(_names(tree)))


def _names(tree: Expression | Condition) -> Iterator[str]:
    match tree:
        case Name(code):
            yield code
        case Negative(of):
            yield from _names(of)
        case Binary(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case Comparison() | Not() | Joined():
            yield from (comparison.code for comparison in comparisons(tree))


def comparisons(tree: Condition) -> Iterator[Comparison]:
    """Every comparison in a condition, from left to right."""
    match tree:
        case Comparison():
            yield tree
        case Not(of):
            yield from comparisons(of)
        case Joined(_, parts):
            for part in parts:
                yield from comparisons(part)
