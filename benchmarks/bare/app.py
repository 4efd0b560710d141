"""Bare Flask views beside ours: the same work on the same tables, written by hand for these calls alone.

What somebody would write who needs just this and knows psycopg: no layers, no ORM, one connection
for each thread, statements prepared, JSON by orjson, nothing general. Each view knows its callers
(a session of a person; a key of an agency) and looks the token up as ours does.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import flask
import psycopg
from psycopg.rows import namedtuple_row

app = flask.Flask(__name__)
_local = threading.local()


def connection() -> psycopg.Connection[Any]:
    """This thread's own connection, as ours are: no compiling, the day in UTC."""
    if not hasattr(_local, "connection"):
        url = os.environ["ONEFORM_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
        _local.connection = psycopg.connect(
            url, row_factory=namedtuple_row, options="-c timezone=UTC -c jit=off"
        )
    found: psycopg.Connection[Any] = _local.connection
    return found


def token() -> str:
    return flask.request.headers["Authorization"].removeprefix("Bearer ")


@app.get("/healthz")
def healthz() -> str:
    return "ok"


from benchmarks.bare import reading, submitting  # noqa: E402, F401 - their views
