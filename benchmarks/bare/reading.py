"""Reading a request and a form by hand: the very queries of ours, their rows put into JSON as they are.

The request: key, request. The form: session, unit, counts, asks, the catalogue's stamp, what was
answered before, who asks; definitions of fields are kept in the process, as ours are.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import flask
import orjson
import sqlalchemy as sa

from benchmarks.bare.app import app, connection, token
from catalog import stamp
from oneform.collection import form, previous, reach
from oneform.collection.lifecycle import LATE_DAYS
from oneform.identity import keys, sessions
from oneform.kernel.db import driver_text
from oneform.requests import asked_by, reading


def _driver(statement: str | sa.TextClause) -> str:
    return driver_text(statement if isinstance(statement, str) else statement.text)


_CLIENT = _driver(keys._CLIENT)
_REQUEST = _driver(reading._ONE)
_SESSION = _driver(sessions._PRINCIPAL)
_UNIT = _driver(reach._UNIT + "id = :id")
_COUNTS = _driver(form._COUNTS)
_ASKS = _driver(form._ASKS)
_STAMP = _driver(stamp._STAMP)
_LOOK = _driver(previous._LOOK)
_WHO = _driver(asked_by._WHO)
_FIELDS = "SELECT v.*, f.code FROM field_version AS v JOIN field AS f ON f.id = v.field_id"

_fields: dict[int, Any] = {}


def _json(found: Any) -> flask.Response:
    return flask.Response(orjson.dumps(found, default=str), mimetype="application/json")


@app.get("/api/v1/requests/<uuid:request_id>")
def read_request(request_id: Any) -> flask.Response:
    key_id, _, secret = token().removeprefix(keys.PREFIX).partition("_")
    db = connection()
    with db.transaction():
        client = db.execute(_CLIENT, {"key_id": key_id}).fetchone()
        if client is None or client.key_hash != hashlib.sha256(secret.encode()).digest():
            return flask.Response(status=401)
        row = db.execute(_REQUEST, {"id": request_id}).fetchone()
        if row is None or row.agency_id != client.agency_id:
            return flask.Response(status=404)
        return _json(row._asdict())


@app.get("/api/v1/form")
def read_form() -> flask.Response:
    db = connection()
    with db.transaction():
        hashed = hashlib.sha256(token().encode()).digest()
        found = db.execute(_SESSION, {"hash": hashed, "now": dt.datetime.now(dt.UTC)}).fetchone()
        if found is None or "staff" not in found.roles:
            return flask.Response(status=401)
        unit = db.execute(_UNIT, {"id": found.area_id}).fetchone()
        counts = db.execute(_COUNTS, {"unit": unit.id}).fetchone()
        nothing = dict.fromkeys(("topic", "kind", "period", "after_label", "after_id"))
        asks = db.execute(_ASKS, {"unit": unit.id, "rows": form.ROWS, **nothing}).fetchall()
        db.execute(_STAMP).fetchone()
        if not _fields:
            _fields.update((row.id, row._asdict()) for row in db.execute(_FIELDS))
        return _json(
            {
                "unit": unit._asdict(),
                "counts": counts._asdict(),
                "fields": [_fields[id] for id in {ask.field_version_id for ask in asks}],
                "asks": _asks(db, unit.region_id, asks),
            }
        )


def _asks(db: Any, region_id: int, asks: list[Any]) -> list[dict[str, Any]]:
    earlier = {
        (row.field_id, row.period, row.subject_id): row._asdict()
        for row in db.execute(
            _LOOK,
            {
                "region": region_id,
                "fields": [ask.field_id for ask in asks],
                "periods": [ask.period for ask in asks],
                "subjects": [ask.subject_id for ask in asks],
                "are_held": [False for _ in asks],
                "reach": previous.REACH,
            },
        )
    }
    askers: dict[tuple[int, str, int], list[Any]] = {}
    for row in db.execute(
        _WHO,
        {
            "region": region_id,
            "fields": sorted({ask.field_id for ask in asks}),
            "subjects": sorted({ask.subject_id for ask in asks}),
            "earliest": dt.datetime.now(dt.UTC).date() - dt.timedelta(days=LATE_DAYS),
        },
    ):
        asker = row._asdict()
        for name in ("subject_id", "fields", "periods"):
            del asker[name]
        for field_id, period in zip(row.fields, row.periods, strict=True):
            askers.setdefault((field_id, period, row.subject_id), []).append(asker)
    told = []
    for ask in asks:
        cell = (ask.field_id, ask.period, ask.subject_id)
        told.append(
            {
                **ask._asdict(),
                "previous": earlier.get(cell),
                "requested_by": askers.get(cell, []),
            }
        )
    return told
