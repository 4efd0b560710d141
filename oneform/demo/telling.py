"""How the story looks on a terminal, wide or narrow, with colours or without; knows no HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.measure import Measurement
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

WORDS = {
    "held": "held already 已有",
    "derived": "computed 计算",
    "shared": "from a store 共享",
    "asked": "asked 待填",
    "answered": "answered 已填",
    "refused": "refused 拒接",
    "unavailable": "not to be had 无来源",
    "pending_grant": "awaits a grant 待授权",
}
STYLES = {"held": "green", "derived": "green", "shared": "cyan", "answered": "green"}
LONGEST_BAR = 28
UNLIMITED = 10_000


Unbroken = Callable[[], contextlib.AbstractContextManager[None]]
"""Within the context what ends the story by force has to wait for a moment."""


class Teller:
    """Prints what happens. Texts from outside are never taken for markup."""

    def __init__(self, console: Console, unbroken: Unbroken = contextlib.nullcontext) -> None:
        self._console = console
        self._unbroken = unbroken
        self._acts = 0

    def act(self, chinese: str, english: str) -> None:
        """The heading of the next act."""
        self._acts += 1
        self._print(Text(f"\n{self._acts}  {english}  {chinese}", style="bold"))

    def say(self, words: str, *, style: str = "") -> None:
        self._print(Text(words, style=style))

    def listed(self, lines: Iterable[tuple[str, str]]) -> None:
        """Two columns without lines."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=False, overflow="fold", style="bold")
        table.add_column(overflow="fold")
        for name, value in lines:
            table.add_row(Text(name), Text(value))
        self._print(table)

    def copied(self, lines: Iterable[tuple[str, str]]) -> None:
        """As `listed`, for what is copied from the terminal: a long value is never broken in two."""
        pairs = list(lines)
        widest = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            line = Text.assemble((f"{name:<{widest}}", "bold"), "  ", value)
            self._console.print(line, highlight=False, soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(box=box.SIMPLE, pad_edge=False)
        for heading in headings:
            table.add_column(heading, overflow="fold")
        cells = list(rows)
        for row in cells:
            table.add_row(*map(Text, row))
        widest = self._console.options.update(max_width=UNLIMITED)
        if Measurement.get(self._console, widest, table).maximum <= self._console.width:
            self._print(table)
            return
        # What is too wide for columns is listed, so that no code is broken in two.
        for row in cells:
            self.say("")
            self.copied(
                (heading, line)
                for heading, cell in zip(headings, row, strict=True)
                for line in cell.split("\n")
            )

    def books(self, cells: Mapping[str, int]) -> None:
        """The books of a request."""
        self._print(self._books(cells))

    @contextlib.contextmanager
    def busy(self, words: str) -> Iterator[None]:
        """While something takes a moment."""
        if not self._console.is_terminal:
            self.say(words)
            yield
            return
        with self._moving(Spinner("dots", text=Text(words))):
            yield

    @contextlib.contextmanager
    def _moving(self, spinner: Spinner) -> Iterator[Live]:
        """Whatever ends it, nothing moves afterwards, and the cursor is there again."""
        live = Live(spinner, console=self._console, transient=True, refresh_per_second=12.5)
        try:
            with self._unbroken():
                live.start(refresh=True)
            yield live
        finally:
            with self._unbroken():
                live.stop()

    @contextlib.contextmanager
    def counting(self, words: str) -> Iterator[Any]:
        """While a request is resolved: give the context's value the books, as often as they are read."""
        if not self._console.is_terminal:
            yield lambda _cells: None
            return
        spinner = Spinner("dots", text=Text(words))
        with self._moving(spinner) as live:
            yield lambda cells: live.update(Group(spinner, self._books(cells)))

    def _books(self, cells: Mapping[str, int]) -> RenderableType:
        total = max(1, cells["total"])
        longest = max(6, min(LONGEST_BAR, self._console.width - 40))
        block = "#" if self._console.options.ascii_only else "█"
        table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
        table.add_column(overflow="fold")
        table.add_column(justify="right")
        table.add_column(no_wrap=True, overflow="crop")
        for status, words in WORDS.items():
            count = cells[status]
            if count:
                bar = block * max(1, round(longest * count / total))
                style = STYLES.get(status, "yellow")
                table.add_row(Text(words), f"{count:,}", Text(bar, style=style))
        table.add_row(Text("total 合计"), f"{cells['total']:,}", "")
        return table

    def _print(self, what: RenderableType) -> None:
        self._console.print(what, highlight=False)
