"""read: a request's state and a form of 200 asks, beside bare views with the same queries.

The request is that of forty fields of all villages; the form one of a village that was asked for
five years at once. Both sides behind gunicorn, in turn, as in `submit`.
"""

from __future__ import annotations

import uuid

from benchmarks.client import Call
from benchmarks.province import FIELDS, Province
from benchmarks.resolve import run_jobs
from benchmarks.rounds import in_turn
from benchmarks.rows import Row
from benchmarks.serving import BARE, OURS, WebServer, serving
from benchmarks.villagers import ask_villages, settle_villagers, token_of
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR

BAR = 2.5
ASKS = 200
YEARS = range(1950, 1950 + ASKS // FIELDS)
ROUNDS = 3
WARM_UP = 80
REQUESTS = {"full": 200, "small": 60}
FORMS = {"full": 300, "small": 60}

# A township of few villages: whose form is read, others need not be asked for so much.
_TOWNSHIP = """
SELECT t.code, min(v.code) AS village FROM area AS t JOIN area AS v ON v.parent_id = t.id
WHERE t.level = 4 AND v.level = 5 AND t.path LIKE (SELECT path FROM area WHERE code = :scope) || '%'
GROUP BY t.code ORDER BY count(*), t.code LIMIT 1
"""


def run(province: Province) -> list[Row]:
    settle_villagers(province)
    request_id = province.submit()
    run_jobs(province)
    with province.runtime.context(OPERATOR) as ctx:
        key = issue_key(ctx, "bench").key
        place = ctx.sql(_TOWNSHIP, scope=province.scope).one()
    for year in YEARS:
        ask_villages(province, place.code, str(year), FIELDS)
    province.settle_down()
    cells = province.count(
        f"SELECT sum(held + asked) FROM request_unit WHERE request_id = '{request_id}'"
    )
    with serving(province.runtime.settings, OURS, BARE) as servers:
        return [
            _row(
                "read request", cells, servers, _request(request_id, key), REQUESTS[province.size]
            ),
            _row("read form", ASKS, servers, _form(place.village), FORMS[province.size]),
        ]


def _request(request_id: uuid.UUID, key: str) -> Call:
    return Call(path=f"/api/v1/requests/{request_id}", token=key)


def _form(village: str) -> Call:
    return Call(path="/api/v1/form", token=token_of(village))


def _row(name: str, cells: int, servers: list[WebServer], call: Call, count: int) -> Row:
    ours, bare = servers
    for server in servers:
        server.send_all([call] * WARM_UP, 200)
    seconds, bare_seconds = in_turn(
        lambda: ours.send_all([call] * count, 200),
        lambda: bare.send_all([call] * count, 200),
        rounds=ROUNDS,
    )
    return Row(name, cells, seconds, bare_seconds, BAR, rate=count / seconds)
