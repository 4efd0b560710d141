"""submit: submissions of 20 answers by eight clients at once, beside a bare Flask view.

Both behind gunicorn as `oneform up` starts it, on the same durable PostgreSQL, in rounds that take
turns, so that the machine's moods hit both. `bare/submitting.py` says what the bare view does.
"""

from __future__ import annotations

from benchmarks import stored
from benchmarks.client import Call
from benchmarks.province import Province
from benchmarks.rows import Row
from benchmarks.serving import BARE, OURS, WebServer, serving
from benchmarks.villagers import ANSWERS, ask_villages, settle_villagers, submissions

BAR = 1 / 0.6
"""At least 60 % of the bare view's rate."""

PERIOD = "2020"
"""One of which nothing is held, so that everything is asked."""

ROUNDS = 5
WARM_UP = 1_000
MOST = 2_000
"""Submissions of a round."""


def run(province: Province) -> list[Row]:
    settle_villagers(province)
    ask_villages(province, province.scope, PERIOD, 2 * ANSWERS)
    province.settle_down()
    calls = submissions(province, PERIOD)
    stored_row = stored.run(province, calls)
    each = min(MOST, (len(calls) - 2 * WARM_UP) // (2 * ROUNDS))
    with serving(province.runtime.settings, OURS, BARE) as (ours, bare):
        seconds = {ours: 0.0, bare: 0.0}
        for server in (ours, bare):
            _send(server, calls, WARM_UP)
        for _ in range(ROUNDS):
            for server in (ours, bare):
                seconds[server] += _send(server, calls, each)
    count, cells = ROUNDS * each, ROUNDS * each * ANSWERS
    return [
        Row("submit", cells, seconds[ours], seconds[bare], BAR, rate=count / seconds[ours]),
        stored_row,
    ]


def _send(server: WebServer, calls: list[Call], count: int) -> float:
    """Send the next so many calls; seconds."""
    chosen = [calls.pop() for _ in range(count)]
    return server.send_all(chosen, 201)
