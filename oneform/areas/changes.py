"""The rules of area changes: `open`, `recode`, `rename`, `move`, `merge`, `split`, `close`.

Pure: applies the lines of a file, in their order, to a `Tree`, and finds every
mistake. An area keeps its identity through recode, rename and move. A line with
mistakes is left out, and later lines are not blamed for what it did not do, so
that one slip is told once.

The cells of a line describe the area as it is after the change (`close`: before
it; `merge`: one of the two). What a change of its kind cannot alter may be left
empty, and must be right where it is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from oneform.areas.csvfile import on_line
from oneform.areas.formats import Broken, ChangeLine
from oneform.areas.models import REGION_LEVEL, AreaChangeKind, Level
from oneform.areas.tree import Node, Tree
from oneform.kernel.errors import Mistake

_K = AreaChangeKind

NEEDS: dict[AreaChangeKind, tuple[str, ...]] = {
    _K.OPEN: ("new_code", "level", "name"),
    _K.RECODE: ("old_code", "new_code"),
    _K.RENAME: ("old_code", "name"),
    _K.MOVE: ("old_code", "parent_code"),
    _K.MERGE: ("old_code", "new_code"),
    _K.SPLIT: ("old_code", "new_code", "name"),
    _K.CLOSE: ("old_code",),
}
"""Cells that a change cannot do without."""


def misplaced(level: int, parent: Node | None) -> tuple[str, str] | None:
    """Code and words of why an area of this level cannot hang there; None if it can."""
    if parent is None:
        if level > REGION_LEVEL:
            return (
                "missing_parent",
                f"only levels 1 to {REGION_LEVEL.value} can be without a parent",
            )
    elif level <= parent.level:
        return (
            "wrong_level",
            f"level {level} cannot be below {parent.code}, which is level {parent.level}",
        )
    return None


class _Left(Exception):
    """The line cannot be applied; its mistakes, if it has any of its own, are noted."""


class Changes:
    """Applies lines to a tree. `mistakes` are in the order of the lines."""

    def __init__(self, tree: Tree, today: dt.date) -> None:
        self.tree = tree
        self.today = today
        self.mistakes: list[Mistake] = []
        # Codes that a line left out would have made, and would have set free.
        self._missed: set[str | None] = set()
        self._kept: set[str | None] = set()
        self._apply: dict[AreaChangeKind, Callable[[ChangeLine], None]] = {
            _K.OPEN: self._open,
            _K.RECODE: self._alter,
            _K.RENAME: self._alter,
            _K.MOVE: self._alter,
            _K.MERGE: self._merge,
            _K.SPLIT: self._split,
            _K.CLOSE: self._close,
        }

    def run(self, lines: Sequence[ChangeLine | Broken]) -> None:
        for line in lines:
            if isinstance(line, Broken):
                self._leave(line.there, line.gone)
                continue
            try:
                self._apply_line(line)
            except _Left:
                self._leave(line.new_code, line.old_code)

    def _leave(self, there: str | None, gone: str | None) -> None:
        self._missed.add(there)
        self._kept.add(gone)

    def _apply_line(self, line: ChangeLine) -> None:
        missing = [column for column in NEEDS[line.kind] if getattr(line, column) is None]
        for column in missing:
            self._note(line, "missing_cell", f"{line.kind} needs {column}")
        if line.on_date > self.today:
            self._note(line, "future", f"{line.on_date} is still to come: apply it on that day")
            raise _Left
        if missing:
            raise _Left
        self._apply[line.kind](line)

    # ---- looking up ------------------------------------------------------------

    def _note(self, line: ChangeLine, code: str, detail: str) -> None:
        self.mistakes.append(on_line(line.line, code, detail))

    def _fail(self, line: ChangeLine, code: str, detail: str) -> _Left:
        self._note(line, code, detail)
        return _Left()

    def _find(self, line: ChangeLine, code: str | None, what: str) -> Node:
        node = self.tree.live.get(code or "")
        if node is None:
            if code not in self._missed:
                self._note(line, "unknown_area", f"{what}: there is no area {code} (any more)")
            raise _Left
        return node

    def _old(self, line: ChangeLine) -> Node:
        node = self._find(line, line.old_code, "old_code")
        self._not_before(line, node)
        return node

    def _not_before(self, line: ChangeLine, node: Node) -> None:
        if line.on_date < node.since:
            detail = (
                f"{node.code} is what it is since {node.valid_from}; nothing can be put before that"
            )
            raise self._fail(line, "too_early", detail)

    def _parent(self, line: ChangeLine) -> Node | None:
        return self._find(line, line.parent_code, "parent_code") if line.parent_code else None

    def _placed(self, line: ChangeLine, level: int, parent: Node | None) -> None:
        if fault := misplaced(level, parent):
            raise self._fail(line, *fault)

    def _free(self, line: ChangeLine, code: str) -> None:
        """A code can be taken if nobody has it, nor had it after that day."""
        if code in self.tree.live:
            if code in self._kept:
                raise _Left
            raise self._fail(line, "code_taken", f"there is an area {code} already")
        if line.on_date < (until := self.tree.released.get(code, line.on_date)):
            raise self._fail(line, "code_taken", f"another area was called {code} until {until}")

    def _agrees(self, line: ChangeLine, *nodes: Node, but: Sequence[str] = ()) -> None:
        """What is written of an area and not changed must be so; of several, any one will do."""
        given = {"level": line.level, "name": line.name, "parent_code": line.parent_code}
        wrong = False
        for column, written in given.items():
            true = [self._cell(node, column) for node in nodes]
            if written is not None and column not in but and written not in true:
                column_code = "wrong_" + column.removesuffix("_code")
                self._note(line, column_code, f"{column} is {true[0] or 'empty'}, not {written}")
                wrong = True
        if wrong:
            raise _Left

    def _cell(self, node: Node, column: str) -> object:
        if column == "parent_code":
            parent = self.tree.parent(node)
            return parent.code if parent else None
        return getattr(node, column)

    # ---- the kinds -------------------------------------------------------------

    def _open(self, line: ChangeLine) -> None:
        assert line.new_code
        assert line.name
        assert line.level
        if line.old_code:
            raise self._fail(line, "superfluous_cell", "open has no old_code; see split")
        parent = self._parent(line)
        self._placed(line, line.level, parent)
        self._free(line, line.new_code)
        node = self.tree.open(line.new_code, line.name, line.level, parent, line.on_date)
        self.tree.record(line.kind, line.on_date, new=node)

    def _split(self, line: ChangeLine) -> None:
        assert line.new_code
        assert line.name
        old = self._old(line)
        parent = self._parent(line) or self.tree.parent(old)
        level = line.level or Level(old.level)
        self._placed(line, level, parent)
        self._free(line, line.new_code)
        node = self.tree.open(line.new_code, line.name, level, parent, line.on_date)
        self.tree.record(line.kind, line.on_date, old=(old, old.code, old.name), new=node)

    def _alter(self, line: ChangeLine) -> None:
        """`recode`, `rename` and `move`: the same area, called or placed otherwise."""
        old = self._old(line)
        parent = self._parent(line)
        code = line.new_code or old.code
        is_rename = line.kind is _K.RENAME
        self._agrees(line, old, but=("name",) if is_rename else ("name", "parent_code"))
        if is_rename and code != old.code:
            raise self._fail(line, "superfluous_cell", "rename has no other new_code; see recode")
        if parent is not None:
            self._placed(line, old.level, parent)
        altered = {
            _K.RECODE: code != old.code,
            _K.RENAME: line.name != old.name,
            _K.MOVE: parent is not None and parent.id != old.parent_id,
        }
        if not altered[line.kind]:
            raise self._fail(line, "nothing_changes", f"{old.code} is so already")
        if code != old.code:
            self._free(line, code)
        before = (old, old.code, old.name)
        self.tree.alter(old, line.on_date, code=code, name=line.name, parent=parent)
        self.tree.record(line.kind, line.on_date, old=before, new=old)

    def _merge(self, line: ChangeLine) -> None:
        """The old area ends; what was in it belongs to the new one."""
        old = self._old(line)
        new = self._find(line, line.new_code, "new_code")
        if old is new:
            raise self._fail(line, "nothing_changes", "an area cannot be merged into itself")
        if old.level != new.level:
            detail = f"{old.code} is level {old.level}, {new.code} is level {new.level}"
            raise self._fail(line, "wrong_level", detail)
        self._agrees(line, new, old)
        children = self.tree.children(old)
        for child in children:
            self._not_before(line, child)
        for child in children:
            before = (child, child.code, child.name)
            self.tree.alter(child, line.on_date, parent=new)
            self.tree.record(_K.MOVE, line.on_date, old=before, new=child)
        self.tree.close(old, line.on_date, into=new)
        self.tree.record(line.kind, line.on_date, old=(old, old.code, old.name), new=new)

    def _close(self, line: ChangeLine) -> None:
        old = self._old(line)
        if line.new_code:
            raise self._fail(line, "superfluous_cell", "close has no new_code; see merge")
        self._agrees(line, old)
        children = self.tree.children(old)
        if blamed := [child.code for child in children if child.code not in self._kept]:
            some = ", ".join(blamed[:3])
            self._note(line, "has_children", f"{old.code} still has {len(blamed)} below it: {some}")
        if children:
            raise _Left
        self.tree.close(old, line.on_date)
        self.tree.record(line.kind, line.on_date, old=(old, old.code, old.name))
