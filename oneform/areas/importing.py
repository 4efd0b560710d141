"""The rules of importing areas: what is wrong with a file, and what it makes of the tree.

Pure. A file states what is so at present: areas that it does not name are left
alone; one that it names otherwise is renamed or moved, from `valid_from` where
the line gives one, else from today; an empty optional cell says nothing. A code
names an area, so an import never recodes, and it never closes, changes a level
or takes a parent away: that is for area changes (`changes`). A line with
`valid_to` adds an area that is no more. `valid_from` is the first day under the
stated name and parent; a day that is on record already stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oneform.areas.changes import misplaced
from oneform.areas.csvfile import on_line
from oneform.areas.formats import AreaLine, Broken
from oneform.areas.models import AreaChangeKind
from oneform.areas.tree import NEVER, Node, Tree
from oneform.kernel.errors import Mistake


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many areas a file made, altered, and found as they are."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


class AreaImport:
    """One file against a tree. Judge first; apply only if there was no mistake.

    `ended` are the areas that are no more, by code and last day.
    """

    def __init__(
        self,
        lines: Sequence[AreaLine],
        broken: Iterable[Broken],
        tree: Tree,
        ended: Mapping[tuple[str, dt.date], Node],
        today: dt.date,
    ) -> None:
        self.tree = tree
        self.today = today
        self.mistakes: list[Mistake] = []
        self._ended = ended
        self._doubtful = {line.there for line in broken}
        self._lines: dict[str, AreaLine] = {}
        for line in lines:
            if (first := self._lines.setdefault(line.code, line)) is not line:
                self._note(line, "duplicate_code", f"{line.code} is on line {first.line} already")

    def _note(self, line: AreaLine, code: str, detail: str) -> None:
        self.mistakes.append(on_line(line.line, code, detail))

    # ---- judging ---------------------------------------------------------------

    def judge(self) -> list[Mistake]:
        """Every mistake of the lines, with each other and with what is known."""
        circular = self._circles()
        for line in self._lines.values():
            if line.code not in circular:
                self._judge_place(line)
            known = self._known(line)
            self._judge_days(line, known)
            if known:
                self._judge_known(line, known)
        return self.mistakes

    def _circles(self) -> set[str]:
        """Codes of lines that are above themselves, each noted."""
        done: set[str] = set()
        circular: set[str] = set()
        for start in self._lines:
            trail: dict[str, None] = {}
            code: str | None = start
            while code in self._lines and code not in done and code not in trail:
                trail[code] = None
                code = self._lines[code].parent_code
            if code in trail:
                way = list(trail)
                circular.update(way[way.index(code) :])
            done.update(trail)
        for code in circular:
            line = self._lines[code]
            if line.parent_code == code:
                self._note(line, "own_parent", f"{code} is its own parent")
            else:
                self._note(line, "cycle", f"{code} is above itself, by way of {line.parent_code}")
        return circular

    def _judge_place(self, line: AreaLine) -> None:
        above = line.parent_code
        if above in self._doubtful:
            return
        if above is None:
            if fault := misplaced(line.level, None):
                self._note(line, *fault)
            return
        stated = self._lines.get(above)
        parent = self.tree.live.get(above)
        if stated is None and parent is None:
            self._note(line, "missing_parent", f"there is no area {above} to hang it below")
            return
        level = stated.level if stated else parent.level if parent else 0
        if line.level <= level:
            detail = f"level {line.level} cannot be below {above}, which is level {level}"
            self._note(line, "wrong_level", detail)
        if (
            stated
            and stated.valid_to
            and (line.valid_to is None or line.valid_to > stated.valid_to)
        ):
            self._note(line, "parent_ended", f"{above} is no more since {stated.valid_to}")

    def _judge_days(self, line: AreaLine, known: Node | None) -> None:
        for column, day in (("valid_from", line.valid_from), ("valid_to", line.valid_to)):
            if day is not None and day > self.today:
                self._note(line, "future", f"{column} {day} is still to come")
        until = self.tree.released.get(line.code)
        dated = line.valid_from or line.valid_to
        if known is None and until and dated and (line.valid_from or NEVER) < until:
            detail = f"another area was called {line.code} until {until}"
            self._note(line, "code_taken", detail)

    def _judge_known(self, line: AreaLine, known: Node) -> None:
        if line.level != known.level:
            detail = f"{line.code} is known as level {known.level}; close it and open another"
            self._note(line, "level_changed", detail)
        if line.valid_to is None:
            above = self.tree.parent(known)
            if above and line.parent_code is None and not misplaced(line.level, None):
                self._note(line, "missing_parent", f"{line.code} is known to be below {above.code}")
            elif line.valid_from and line.valid_from < known.since and self._is_other(line, known):
                self._note(line, "too_early", f"{line.code} is what it is since {known.valid_from}")
        elif known.valid_to is None:
            self._note(line, "closes", f"{line.code} exists; end it with area changes")
        elif line.name != known.name:
            self._note(line, "ended", f"{line.code} ended as {known.name}; that is not rewritten")

    def _known(self, line: AreaLine) -> Node | None:
        if line.valid_to is not None and (ended := self._ended.get((line.code, line.valid_to))):
            return ended
        return self.tree.live.get(line.code)

    def _is_other(self, line: AreaLine, known: Node) -> bool:
        above = self.tree.parent(known)
        return line.name != known.name or line.parent_code != (above.code if above else None)

    # ---- applying --------------------------------------------------------------

    def apply(self) -> ImportReport:
        """Put the lines into the tree; only after `judge` found nothing."""
        assert not self.mistakes
        created = updated = 0
        placed: dict[str, Node] = {}
        for line in sorted(self._lines.values(), key=lambda line: (line.level, line.code)):
            known = self._known(line)
            above = line.parent_code
            parent = (placed.get(above) or self.tree.live[above]) if above else None
            if known is None:
                placed[line.code] = self._open(line, parent)
                created += 1
            else:
                placed[line.code] = known
                updated += known.valid_to is None and self._update(line, known, parent)
        return ImportReport(created, updated, len(self._lines) - created - updated)

    def _open(self, line: AreaLine, parent: Node | None) -> Node:
        # A code that was somebody else's before is this area's from today, unless the line knows.
        reused = line.valid_from is None and line.code in self.tree.released
        node = self.tree.open(
            line.code,
            line.name,
            line.level,
            parent,
            self.today if reused else line.valid_from,
            valid_to=line.valid_to,
            urban_rural_class=line.urban_rural_class,
        )
        if reused:
            self.tree.record(AreaChangeKind.OPEN, self.today, new=node)
        return node

    def _update(self, line: AreaLine, node: Node, parent: Node | None) -> bool:
        changed = self._is_other(line, node)
        if changed:
            self._alter(line, node, parent)
        elif line.valid_from and node.valid_from is None:
            node.valid_from = line.valid_from
            changed = True
        if line.urban_rural_class not in (None, node.urban_rural_class):
            node.urban_rural_class = line.urban_rural_class
            changed = True
        if changed:
            self.tree.touch(node)
        return changed

    def _alter(self, line: AreaLine, node: Node, parent: Node | None) -> None:
        on = line.valid_from or self.today
        before = (node, node.code, node.name)
        renamed = line.name != node.name
        moved = parent is not None and parent.id != node.parent_id
        self.tree.alter(node, on, name=line.name, parent=parent)
        if renamed:
            self.tree.record(AreaChangeKind.RENAME, on, old=before, new=node)
        if moved:
            self.tree.record(AreaChangeKind.MOVE, on, old=before, new=node)
