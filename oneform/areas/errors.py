"""Errors of areas and subjects."""

from __future__ import annotations

from collections.abc import Iterable

from oneform.kernel.errors import Conflict, Invalid, Mistake, NotFound


class UnknownArea(NotFound):
    def __init__(self, code: str) -> None:
        super().__init__(f"There is no area “{code[:40]}”.")


class UnknownSubject(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such subject within your reach.")


class SubjectExists(Conflict):
    def __init__(self) -> None:
        super().__init__("There is an active subject of this kind with this key already.")


class BrokenFile(Invalid):
    """A file of which nothing was taken; its mistakes in the order of the lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        ordered = sorted(mistakes, key=lambda m: int(m.pointer.removeprefix("line ")))
        some = "one mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
        super().__init__(f"The file has {some}; nothing was changed.", mistakes=ordered)
