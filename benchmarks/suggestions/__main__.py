"""Run the benchmark: `python -m benchmarks.suggestions [--json] [--fields N | --no-timing]`.

Exits 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.suggestions.measure import Setting, answer
from benchmarks.suggestions.questions import read_questions
from benchmarks.suggestions.report import build_report, text_table, tune_failures


def main() -> int:
    """Measure, print, and say by the exit status whether the bars hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suggestions", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--fields", type=int, default=10_000, help="catalogue size for timing")
    parser.add_argument("--no-timing", action="store_true", help="measure recall only")
    parser.add_argument(
        "--failures", action="store_true", help="only list what the tune part misses"
    )
    options = parser.parse_args()
    questions = read_questions()
    if options.failures:
        print("\n".join(tune_failures(answer(questions, Setting.PLAIN), questions)))
        return 0
    document = build_report(questions, None if options.no_timing else options.fields)
    if options.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print("\n".join(text_table(document)))
    return 0 if all(bar["holds"] for bar in document["bars"]) else 1


if __name__ == "__main__":
    sys.exit(main())
