"""`python -m benchmarks`: run rows, print their table, write `benchmarks/results/latest.json`.

`BENCH=resolve,export` picks some; `BENCH_SIZE=small` shortens. Ends with 1 when a bar is missed,
with 2 for words that it does not know, with 130 when it is stopped (Ctrl-C, SIGTERM).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from benchmarks import export, fetch, growth, import_values, job, read, resolve, submit
from benchmarks.province import SIZES, Province, open_province
from benchmarks.rows import Row, table, write
from oneform.cli.interrupts import Interrupts
from oneform.interrupting import INTERRUPTED

RESULTS = Path(os.environ.get("BENCH_RESULTS") or Path(__file__).parent / "results" / "latest.json")

BENCHMARKS: dict[str, Callable[[Province], list[Row]]] = {
    "resolve": resolve.run,
    "export": export.run,
    "submit": submit.run,
    "read": read.run,
    "import": import_values.run,
    "fetch": fetch.run,
    "job": job.run,
    "growth": growth.run,
}
"""On one province, in this order: what a row leaves behind is there for the next."""


def main() -> int:
    chosen = [name for name in os.environ.get("BENCH", "").split(",") if name] or list(BENCHMARKS)
    size = os.environ.get("BENCH_SIZE") or "full"
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown or size not in SIZES:
        print(
            f"BENCH takes {', '.join(BENCHMARKS)}; BENCH_SIZE takes {', '.join(SIZES)}",
            file=sys.stderr,
        )
        return 2
    rows: list[Row] = []
    try:
        with Interrupts().listening(), open_province(size) as province:
            for name in chosen:
                print(f"{name} …", file=sys.stderr, flush=True)
                rows += BENCHMARKS[name](province)
                # A run that is cut short leaves what it has measured.
                write(rows, RESULTS)
    except KeyboardInterrupt:
        if rows:
            print(table(rows))
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    # Standard output is for the table.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    sys.exit(main())
