"""Load on an installation of its own: `python -m benchmarks.load --help`.

Ends with 1 when something that was answered 2xx is not there, or anything else is not as promised;
with 130 when it is stopped (Ctrl-C, SIGTERM).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.load.checking import check
from benchmarks.load.installation import installed_load
from benchmarks.load.load import Load
from benchmarks.load.tally import table
from benchmarks.load.world import Plan
from oneform.cli.interrupts import Interrupts
from oneform.interrupting import INTERRUPTED

FINISH_WITHIN_S = 300.0


def main() -> int:
    options = _options()
    plan = Plan(
        agencies=options.agencies,
        villages=options.villages,
        pace_s=options.pace,
        seed=options.seed,
    )
    load: Load | None = None
    try:
        with (
            Interrupts().listening(),
            installed_load(plan, web_workers=options.web_workers, workers=options.workers) as load,
        ):
            found = work(load, options.minutes)
    except KeyboardInterrupt:
        if load is not None:
            print(table(load.tally.as_dict()))
        print("Stopped; whether all is there was not looked for.", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(found, indent=1) if options.json else _text(found))
    return 1 if found["broken"] else 0


def work(load: Load, minutes: float) -> dict[str, Any]:
    """Let the clients work, finish, and look whether all is there."""
    load.start()
    print(f"{minutes:g} minutes …", file=sys.stderr, flush=True)
    time.sleep(minutes * 60)
    print("finishing what was begun …", file=sys.stderr, flush=True)
    load.finish(FINISH_WITHIN_S)
    found = load.tally.as_dict()
    print("looking whether all is there …", file=sys.stderr, flush=True)
    check(load)
    return {**found, "promised": load.promises.as_dict(), "broken": load.tally.broken}


def _text(found: dict[str, Any]) -> str:
    promised = ", ".join(f"{n:,} {what}" for what, n in found["promised"].items())
    verdict = "NOT as promised" if found["broken"] else "all of it there, exactly once"
    return f"{table(found)}\naccepted: {promised}: {verdict}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--agencies", type=int, default=4, help="agencies that request and fetch")
    parser.add_argument("--villages", type=int, default=12, help="villages whose staff answer")
    parser.add_argument("--pace", type=float, default=0.2, help="mean pause of a client, seconds")
    parser.add_argument("--seed", type=int, default=1, help="what the clients draw from")
    parser.add_argument("--web-workers", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if options.minutes < 0 or options.pace < 0:
        parser.error("time does not run backwards")
    if min(options.agencies, options.villages, options.web_workers, options.workers) < 1:
        parser.error("there must be one of each at least")
    return options


if __name__ == "__main__":
    sys.exit(main())
