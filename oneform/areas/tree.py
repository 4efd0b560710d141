"""A part of the area tree in memory: what a file does to it, and what is to be written.

Pure: loaded by `loading`, written by `writing`, changed by `importing` and `changes`, which
know the rules. Here are only the edits, and the record of them in an `Outcome`.
The part holds every area that a file names and all that are above those.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from oneform.areas.models import REGION_LEVEL, AreaChangeKind

NEVER = dt.date.min
"""Stands for the open beginning: `valid_from` of what was always so."""


@dataclass(slots=True)
class Node:
    """An area: its present state, and the path that is stored for it (None: opened just now)."""

    id: int
    code: str
    name: str
    level: int
    parent_id: int | None
    region_id: int
    urban_rural_class: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    path: str | None = None

    @property
    def since(self) -> dt.date:
        """First day of the present state, for comparisons."""
        return self.valid_from or NEVER


@dataclass(frozen=True, slots=True)
class Past:
    """A row of `area_history`: a state that ended on `valid_to`."""

    area_id: int
    code: str
    name: str
    level: int
    parent_id: int | None
    urban_rural_class: str | None
    valid_from: dt.date | None
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class Change:
    """A row of `area_change`."""

    kind: AreaChangeKind
    on_date: dt.date
    from_id: int | None
    to_id: int | None
    old_code: str | None
    new_code: str | None
    old_name: str | None
    new_name: str | None


@dataclass(slots=True)
class Outcome:
    """Everything that has to be written, and who has to be told."""

    opened: list[Node] = field(default_factory=list)
    changed: dict[int, Node] = field(default_factory=dict)
    """Areas that were there before and are different now, closed ones among them."""
    history: list[Past] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    """Closed areas that were there before."""
    merged: dict[int, int] = field(default_factory=dict)
    """Into which area a closed one went, be it new or old."""

    def successors(self) -> dict[int, int]:
        """Where what is in merged areas ends up: an area may be merged further in the same file."""
        ends = {}
        for old, new in self.merged.items():
            while new in self.merged:
                new = self.merged[new]
            ends[old] = new
        return {old: new for old, new in ends.items() if old in self.closed}


class Tree:
    """Areas by id and, where they exist today, by code. Edits are recorded in `outcome`.

    `ids` yields numbers for new areas; `released` is the day until which a code
    was last in use by an area that has it no more.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        ids: Iterator[int],
        released: Mapping[str, dt.date] | None = None,
    ) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.live = {node.code: node for node in self.nodes.values() if node.valid_to is None}
        self.released = dict(released or {})
        self.outcome = Outcome()
        self._ids = ids
        self._children: dict[int | None, set[int]] = defaultdict(set)
        for node in self.live.values():
            self._children[node.parent_id].add(node.id)

    def parent(self, node: Node) -> Node | None:
        return None if node.parent_id is None else self.nodes[node.parent_id]

    def children(self, node: Node) -> list[Node]:
        """Its living children, as far as they were loaded, in the order of their codes."""
        return sorted((self.nodes[i] for i in self._children[node.id]), key=lambda n: n.code)

    def lineage(self, node: Node) -> list[Node]:
        """From the root to the area itself."""
        above = self.parent(node)
        return [*(self.lineage(above) if above else []), node]

    def path(self, node: Node) -> str:
        return "".join(f"/{n.id}" for n in self.lineage(node)) + "/"

    def open(
        self,
        code: str,
        name: str,
        level: int,
        parent: Node | None,
        valid_from: dt.date | None,
        *,
        valid_to: dt.date | None = None,
        urban_rural_class: str | None = None,
    ) -> Node:
        """Add an area. Its region is the county above it today, or itself (DESIGN.md, section 3)."""
        node = Node(
            next(self._ids),
            code,
            name,
            int(level),
            parent.id if parent else None,
            0,
            urban_rural_class,
            valid_from,
            valid_to,
        )
        self.nodes[node.id] = node
        counties = [n.id for n in self.lineage(node) if n.level == REGION_LEVEL]
        node.region_id = counties[0] if counties else node.id
        self.outcome.opened.append(node)
        if valid_to is None:
            self.live[code] = node
            self._children[node.parent_id].add(node.id)
        return node

    def alter(
        self,
        node: Node,
        on: dt.date,
        *,
        code: str | None = None,
        name: str | None = None,
        parent: Node | None = None,
    ) -> None:
        """Give an area another code, name or parent from a day on; what it was goes to the history.

        A state that lasted no day at all leaves no trace there.
        """
        if node.since < on:
            self.outcome.history.append(
                Past(
                    node.id,
                    node.code,
                    node.name,
                    node.level,
                    node.parent_id,
                    node.urban_rural_class,
                    node.valid_from,
                    on,
                )
            )
        node.valid_from = on
        if code is not None and code != node.code:
            self._release(node, on)
            node.code = code
            self.live[code] = node
        if name is not None:
            node.name = name
        if parent is not None and parent.id != node.parent_id:
            self._children[node.parent_id].discard(node.id)
            node.parent_id = parent.id
            self._children[parent.id].add(node.id)
            if node.path is not None:
                self.outcome.moved.add(node.id)
        self.touch(node)

    def close(self, node: Node, on: dt.date, into: Node | None = None) -> None:
        """End an area; its last state stays its own."""
        self._release(node, on)
        self._children[node.parent_id].discard(node.id)
        node.valid_to = on
        if node.path is not None:
            self.outcome.closed.add(node.id)
        if into is not None:
            self.outcome.merged[node.id] = into.id
        self.touch(node)

    def touch(self, node: Node) -> None:
        """Have an area written that was there before."""
        if node.path is not None:
            self.outcome.changed[node.id] = node

    def record(
        self,
        kind: AreaChangeKind,
        on: dt.date,
        *,
        old: tuple[Node, str, str] | None = None,
        new: Node | None = None,
    ) -> None:
        """Put a change on record; `old` with the code and the name that it had before."""
        self.outcome.changes.append(
            Change(
                kind,
                on,
                old[0].id if old else None,
                new.id if new else None,
                old[1] if old else None,
                new.code if new else None,
                old[2] if old else None,
                new.name if new else None,
            )
        )

    def _release(self, node: Node, on: dt.date) -> None:
        del self.live[node.code]
        self.released[node.code] = max(on, self.released.get(node.code, NEVER))
