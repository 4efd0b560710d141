"""Where in a bundle something is, and what is wrong there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from oneform.kernel.errors import Mistake


@dataclass(frozen=True, slots=True)
class BundleMistake:
    """One thing that is wrong with, or odd about, a bundle.

    `pointer` is a JSON pointer into the file (or the body) that it stands in; `file` is
    its name where a bundle is made of several; `line` is known of YAML, and counts from 1.
    """

    pointer: str
    code: str
    detail: str
    file: str = ""
    line: int | None = None

    @property
    def place(self) -> str:
        """`villages.yaml, line 12, /fields/3/unit`, as far as it is known."""
        line = "" if self.line is None else f"line {self.line}"
        return ", ".join(part for part in (self.file, line, self.pointer) if part)

    def as_mistake(self) -> Mistake:
        """As errors carry it; the pointer is its place, lines and all, where there is a line."""
        located = self.file or self.line is not None
        return Mistake(self.place if located else self.pointer, self.code, self.detail)
