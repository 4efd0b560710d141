"""People who answer, and what they are asked: one account with an open session for each village."""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable

from benchmarks.client import Call
from benchmarks.province import Province
from benchmarks.resolve import run_jobs
from oneform.identity.policy import OPERATOR
from oneform.identity.sessions import PREFIX
from oneform.kernel.ids import pack_id
from oneform.requests.commands import SubmitRequest
from oneform.requests.service import submit_request

ANSWERS = 20
"""Of each submission."""

_STAFF = """
INSERT INTO staff (id, username, name, area_id)
SELECT gen_random_uuid(), 'bench-' || code, name, id FROM area WHERE level = 5 AND valid_to IS NULL
ON CONFLICT DO NOTHING
"""
_ROLES = """
INSERT INTO staff_role (staff_id, role) SELECT id, 'staff' FROM staff WHERE username LIKE 'bench-%'
ON CONFLICT DO NOTHING
"""
_SESSIONS = """
INSERT INTO session_token (token_hash, staff_id, expires_at)
SELECT sha256(convert_to(:prefix || username, 'UTF8')), id, now() + interval '1 day'
FROM staff WHERE username LIKE 'bench-%' ON CONFLICT DO NOTHING
"""
_ASKS = """
SELECT u.code, a.region_id, array_agg(a.id ORDER BY a.field_id) AS ids
FROM ask AS a JOIN area AS u ON u.id = a.unit_id
WHERE a.period = :period AND a.state = 'open' AND u.path LIKE :path || '%'
GROUP BY 1, 2 ORDER BY 1
"""


def settle_villagers(province: Province) -> None:
    """Give every village an account and a session. Twice is fine."""
    with province.runtime.context(OPERATOR) as ctx:
        ctx.sql(_STAFF)
        ctx.sql(_ROLES)
        ctx.sql(_SESSIONS, prefix=PREFIX)


def token_of(village: str) -> str:
    """The session token of a village's account, by its code."""
    return f"{PREFIX}bench-{village}"


def ask_villages(province: Province, scope: str, period: str, fields: int) -> uuid.UUID:
    """Ask all villages of an area for so many fields of a period for which nothing is held."""
    with province.runtime.context(province.agency) as ctx:
        request = submit_request(
            ctx,
            SubmitRequest(
                title="bench",
                purpose="bench",
                legal_basis="bench",
                fields=[f"bench.f{n:02d}" for n in range(1, fields + 1)],
                areas=[scope],
                level="village",
                period=period,
                due=ctx.calendar.add_working_days(ctx.today(), 20).day,
            ),
        )
    run_jobs(province)
    return request.id


def submissions(province: Province, period: str, path: str = "/") -> list[Call]:
    """A submission of `ANSWERS` answers for every so many open asks of a village, shuffled."""
    asks = defaultdict(list)
    with province.runtime.context(OPERATOR) as ctx:
        for row in ctx.sql(_ASKS, period=period, path=path):
            asks[row.code] += [pack_id(row.region_id, id) for id in row.ids]
    chosen = random.Random(1)
    calls = [
        submission(village, ids[n : n + ANSWERS], chosen)
        for village, ids in asks.items()
        for n in range(0, len(ids) - ANSWERS + 1, ANSWERS)
    ]
    chosen.shuffle(calls)
    return calls


def submission(village: str, asks: Iterable[str], chosen: random.Random) -> Call:
    answers = [{"ask": ask, "value": chosen.randrange(5000)} for ask in asks]
    return Call(
        path="/api/v1/submissions",
        token=token_of(village),
        headers={"Idempotency-Key": str(uuid.UUID(int=chosen.getrandbits(128)))},
        body=json.dumps({"answers": answers}),
    )
