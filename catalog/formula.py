"""Parsing of formulas over fields and of conditions of counts. Pure; nothing is evaluated.

    formula    elderly.aged_60_plus / population.resident_total * 100
    condition  resident.age >= 60 and (resident.sex == "2" or resident.status in ["1", "3"])

A formula has field codes, decimal numbers, `+ - * /`, a sign and parentheses; a
condition compares field codes with literals (`== != < <= > >= in`) and joins with
`and`, `or`, `not` and parentheses, `and` before `or`. Whether the fields exist and
fit together is for `catalog.check_derivations`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeVar

from catalog.expressions import (
    Binary,
    Comparison,
    Condition,
    Expression,
    Joined,
    Literal,
    Name,
    Negative,
    Not,
    Number,
)

Tree = TypeVar("Tree")

MAX_LENGTH = 2_000
MAX_TOKENS = 400  # bounds the height of the tree, which others walk recursively
MAX_NESTING = 30
FIELD_CODE = r"[a-z][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_]*)*"


class FormulaError(ValueError):
    """A text that is no formula or condition; `column` counts from 1."""

    def __init__(self, column: int, detail: str) -> None:
        super().__init__(f"column {column}: {detail}")
        self.column = column


def parse_formula(text: str) -> Expression:
    """The tree of a formula; FormulaError if it is none, or divides by the number 0."""
    return _whole(text, _Parser.sum)


def parse_condition(text: str) -> Condition:
    """The tree of a condition; FormulaError if it is none."""
    return _whole(text, _Parser.any_of)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


_TOKENS = re.compile(
    rf"""
      (?P<number>[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))
    | (?P<word>{FIELD_CODE}(?![A-Za-z0-9_.]))
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<symbol>==|!=|<=|>=|[-+*/()<>,\[\]])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*")
_RESERVED = frozenset({"and", "or", "not", "in", "true", "false"})
_COMPARING = ("==", "!=", "<=", ">=", "<", ">")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = _skip(text, 0)
    while place < len(text):
        match = _TOKENS.match(text, place)
        if match is None:
            raise FormulaError(place + 1, f"{text[place : place + 20]!r} cannot stand here")
        kind, found = str(match.lastgroup), match[0]
        if len(tokens) == MAX_TOKENS:
            raise FormulaError(place + 1, f"more than {MAX_TOKENS} names, numbers and signs")
        tokens.append(_Token("reserved" if found in _RESERVED else kind, found, place + 1))
        place = _skip(text, match.end())
    return [*tokens, _Token("end", "the end", len(text) + 1)]


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _whole(text: str, rule: Callable[[_Parser], Tree]) -> Tree:
    if len(text) > MAX_LENGTH:
        raise FormulaError(MAX_LENGTH + 1, f"longer than {MAX_LENGTH} characters")
    parser = _Parser(_tokens(text))
    tree = rule(parser)
    if parser.token.kind != "end":
        raise parser.unexpected("an operator or the end")
    return tree


class _Parser:
    """Recursive descent over the tokens of one text, to a bounded depth."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.nesting = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def unexpected(self, wanted: str) -> FormulaError:
        return FormulaError(self.token.column, f"{wanted} is wanted, not {self.token.text[:40]}")

    def take(self, *texts: str) -> _Token | None:
        """The present token, if it is one of these symbols or words; then the next is present."""
        token = self.token
        if token.kind not in ("symbol", "reserved") or token.text not in texts:
            return None
        self.place += 1
        return token

    def inside(self, rule: Callable[[_Parser], Tree], closing: str | None = None) -> Tree:
        """What a sign, `not` or an opening parenthesis leads into."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise FormulaError(self.token.column, f"nested deeper than {MAX_NESTING} levels")
        tree = rule(self)
        if closing is not None and not self.take(closing):
            raise self.unexpected(closing)
        self.nesting -= 1
        return tree

    def sum(self) -> Expression:
        tree = self.product()
        while operator := self.take("+", "-"):
            tree = Binary(operator.text, tree, self.product())
        return tree

    def product(self) -> Expression:
        tree = self.factor()
        while operator := self.take("*", "/"):
            right = self.factor()
            if operator.text == "/" and isinstance(right, Number) and not right.value:
                raise FormulaError(operator.column, "divides by zero")
            tree = Binary(operator.text, tree, right)
        return tree

    def factor(self) -> Expression:
        if self.take("-"):
            return Negative(self.inside(_Parser.factor))
        if self.take("("):
            return self.inside(_Parser.sum, ")")
        token = self.token
        if token.kind not in ("number", "word"):
            raise self.unexpected("a field, a number or (")
        self.place += 1
        return Name(token.text) if token.kind == "word" else Number(Decimal(token.text))

    def any_of(self) -> Condition:
        return self.joined("or", lambda parser: parser.joined("and", _Parser.term))

    def joined(self, word: str, rule: Callable[[_Parser], Condition]) -> Condition:
        parts = [rule(self)]
        while self.take(word):
            parts.append(rule(self))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def term(self) -> Condition:
        if self.take("not"):
            return Not(self.inside(_Parser.term))
        if self.take("("):
            return self.inside(_Parser.any_of, ")")
        token = self.token
        if token.kind != "word":
            raise self.unexpected("a field, not or (")
        self.place += 1
        if self.take("in"):
            return Comparison(token.text, "in", self.literals())
        operator = self.take(*_COMPARING)
        if operator is None:
            raise self.unexpected("a comparison (== != < <= > >= in)")
        return Comparison(token.text, operator.text, (self.literal(),))

    def literals(self) -> tuple[Literal, ...]:
        if not self.take("["):
            raise self.unexpected("[")
        found = [self.literal()]
        while self.take(","):
            found.append(self.literal())
        if not self.take("]"):
            raise self.unexpected("]")
        return tuple(found)

    def literal(self) -> Literal:
        if word := self.take("true", "false"):
            return word.text == "true"
        sign = -1 if self.take("-") else 1
        token = self.token
        if token.kind == "number":
            self.place += 1
            return sign * Decimal(token.text)
        if token.kind != "string" or sign < 0:
            raise self.unexpected("a number, a string in double quotes, true or false")
        self.place += 1
        try:
            return str(json.loads(token.text))
        except ValueError:
            raise FormulaError(token.column, f"{token.text[:40]} is no JSON string") from None
