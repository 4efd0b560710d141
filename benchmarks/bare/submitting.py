"""Taking in a submission by hand.

In one transaction: look the session up; lock the Idempotency-Key and look for its answer; share
the region; lock the asks; judge the answers (integers from 0 on, asks of the caller's area, open);
write provenance, submission, answers and values, the old values to the history; end the asks;
move the books of the requests that want these fields of this place; put it on record; keep the
answer. Knows that all fields are of one kind, are never reviewed and have no soft checks, that
asks were put to the place that they are about, and that requests wait for whatever is asked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

import flask
import orjson

from benchmarks.bare.app import app, connection, token

_SESSION = """
SELECT s.id, s.username, area.path, ARRAY(SELECT role FROM staff_role WHERE staff_id = s.id) AS roles
FROM session_token AS t JOIN staff AS s ON s.id = t.staff_id JOIN area ON area.id = s.area_id
WHERE t.token_hash = %s AND t.expires_at > %s AND s.disabled_at IS NULL
"""
_LOCK = "SELECT pg_try_advisory_xact_lock(%s) AS locked"
_KEPT = "SELECT fingerprint, status, body FROM idempotency_key WHERE owner = %s AND key = %s"
_SHARE = "SELECT pg_advisory_xact_lock_shared(%s)"
_ASKS = """
SELECT a.id, a.field_id, a.period, a.subject_id, a.unit_id, a.state,
  (SELECT path FROM area WHERE id = a.unit_id) AS path
FROM ask AS a WHERE a.region_id = %s AND a.id = ANY(%s) ORDER BY a.id FOR UPDATE OF a
"""
_PROVENANCE = """
INSERT INTO provenance (kind, actor_kind, actor_id, actor_label, ref)
VALUES ('submission', 'person', %s, %s, %s) RETURNING id
"""
_SUBMISSION = """
INSERT INTO submission (id, unit_id, staff_id, mode, accepted, in_review, invalid)
VALUES (%s, %s, %s, 'all', %s, 0, '[]')
"""
_ANSWERS = """
INSERT INTO answer (region_id, ask_id, submission_id, kind, value, state)
SELECT %s, g.ask_id, %s, 'value', g.value, 'recorded'
FROM unnest(%s::bigint[], %s::jsonb[]) AS g(ask_id, value)
"""
_HISTORY = """
INSERT INTO cell_value_history (region_id, field_id, period, subject_id, superseded_at, value,
  missing, observed_on, provenance_id, recorded_at, since, since_kind, fresh_until)
SELECT v.region_id, v.field_id, v.period, v.subject_id, now(), v.value, v.missing, v.observed_on,
  v.provenance_id, v.recorded_at, v.since, v.since_kind, v.fresh_until
FROM unnest(%s::int[], %s::text[], %s::bigint[]) AS g(field_id, period, subject_id)
JOIN cell_value AS v ON v.region_id = %s AND v.field_id = g.field_id AND v.period = g.period
  AND v.subject_id = g.subject_id
"""
_VALUES = """
INSERT INTO cell_value (region_id, field_id, period, subject_id, value, observed_on, provenance_id,
  recorded_at, since, since_kind)
SELECT %s, g.field_id, g.period, g.subject_id, g.value, oneform_today(), %s, now(), now(), 'answered'
FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::jsonb[]) AS g(field_id, period, subject_id, value)
ORDER BY 2, 3, 4
ON CONFLICT (region_id, field_id, period, subject_id) DO UPDATE SET value = excluded.value,
  observed_on = excluded.observed_on, provenance_id = excluded.provenance_id,
  recorded_at = excluded.recorded_at
"""
_END_ASKS = """
UPDATE ask SET state = 'answered', ended_at = now() WHERE region_id = %s AND id = ANY(%s)
"""
_DROP_DRAFTS = "DELETE FROM answer_draft WHERE region_id = %s AND ask_id = ANY(%s)"
_BOOKS = """
UPDATE request_unit AS ru SET asked = ru.asked - m.n, answered = ru.answered + m.n
FROM (SELECT ru.request_id, ru.region_id, ru.place_id, ru.unit_id, count(*) AS n
      FROM unnest(%s::int[], %s::text[], %s::bigint[]) AS g(field_id, period, place_id)
      JOIN request_unit AS ru ON ru.place_id = g.place_id AND ru.region_id = %s AND ru.asked > 0
      JOIN request_field AS rf ON rf.request_id = ru.request_id AND rf.field_id = g.field_id
        AND rf.period = g.period
      GROUP BY 1, 2, 3, 4) AS m
WHERE ru.request_id = m.request_id AND ru.region_id = m.region_id AND ru.place_id = m.place_id
  AND ru.unit_id = m.unit_id
RETURNING ru.request_id, ru.asked
"""
_IS_OVER = """
UPDATE request SET state = 'fulfilled', completed_at = now() WHERE id = ANY(%s)
  AND NOT EXISTS (SELECT FROM request_unit AS ru WHERE ru.request_id = request.id
                  AND ru.asked + ru.pending_grant > 0)
"""
_AUDIT = """
INSERT INTO audit_event (tag, actor_kind, actor_id, actor_label, target_type, target_id, data)
VALUES ('answers.submitted', 'person', %s, %s, 'submission', %s, %s)
"""
_KEEP = """
INSERT INTO idempotency_key (owner, key, fingerprint, status, headers, body)
VALUES (%s, %s, %s, 201, '{"Content-Type": "application/json"}', %s)
"""


@app.post("/api/v1/submissions")
def submit() -> flask.Response:
    body = flask.request.get_data(cache=False)
    answers = orjson.loads(body)["answers"]
    key = flask.request.headers["Idempotency-Key"]
    db = connection()
    with db.transaction():
        found = db.execute(
            _SESSION, [hashlib.sha256(token().encode()).digest(), dt.datetime.now(dt.UTC)]
        ).fetchone()
        if found is None or "staff" not in found.roles:
            return flask.Response(status=401)
        owner = f"person:{found.id}"
        number = int.from_bytes(hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:7])
        locked = db.execute(_LOCK, [number]).fetchone()
        kept = db.execute(_KEPT, [owner, key]).fetchone()
        fingerprint = hashlib.sha256(body).digest()
        if kept is not None:
            same = kept.fingerprint == fingerprint
            return flask.Response(kept.body, status=kept.status if same else 422)
        if not locked.locked:
            return flask.Response(status=409)
        return _take_in(db, found, owner, key, fingerprint, answers)


def _take_in(
    db: Any, staff: Any, owner: str, key: str, fingerprint: bytes, answers: list[dict[str, Any]]
) -> flask.Response:
    given = {}
    for answer in answers:
        region_id, ask_id = map(int, answer["ask"].split("-"))
        if type(answer["value"]) is not int or answer["value"] < 0:
            return flask.Response(status=422)
        given[ask_id] = answer["value"]
    db.execute(_SHARE, [1 << 56 | region_id])
    asks = db.execute(_ASKS, [region_id, list(given)]).fetchall()
    if len(asks) < len(given) or any(
        ask.state != "open" or not ask.path.startswith(staff.path) for ask in asks
    ):
        return flask.Response(status=422)
    submission = uuid.uuid4()
    ids = [ask.id for ask in asks]
    fields = [ask.field_id for ask in asks]
    periods = [ask.period for ask in asks]
    subjects = [ask.subject_id for ask in asks]
    values = [orjson.dumps(given[ask.id]).decode() for ask in asks]
    origin = db.execute(_PROVENANCE, [str(staff.id), staff.username, submission]).fetchone().id
    db.execute(_SUBMISSION, [submission, asks[0].unit_id, staff.id, len(asks)])
    db.execute(_ANSWERS, [region_id, submission, ids, values])
    db.execute(_HISTORY, [fields, periods, subjects, region_id])
    db.execute(_VALUES, [region_id, origin, fields, periods, subjects, values])
    db.execute(_END_ASKS, [region_id, ids])
    db.execute(_DROP_DRAFTS, [region_id, ids])
    moved = db.execute(_BOOKS, [fields, periods, subjects, region_id]).fetchall()
    if over := [row.request_id for row in moved if row.asked == 0]:
        db.execute(_IS_OVER, [over])
    data = f'{{"accepted": {len(asks)}, "in_review": 0, "invalid": 0}}'
    db.execute(_AUDIT, [str(staff.id), staff.username, str(submission), data])
    receipt = orjson.dumps({"id": submission, "accepted": len(asks), "in_review": 0, "invalid": []})
    db.execute(_KEEP, [owner, key, fingerprint, receipt])
    return flask.Response(receipt, status=201, mimetype="application/json")
