"""What is noted of every HTTP request, of the API and of the pages: a line in the log, and counts.

Neither holds who it was, nor the query: when somebody works is nobody's business
(DESIGN.md §4, point 12), and what somebody looks for may name people.
"""

from __future__ import annotations

import time

import flask
import structlog
from prometheus_client import Counter, Histogram

log = structlog.get_logger("oneform.http")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by machines every few seconds; logged where they fail, or with `ONEFORM_LOG_LEVEL=debug`."""

REQUESTS = Counter(
    "oneform_http_requests_total", "HTTP requests answered.", ["method", "route", "status"]
)
SECONDS = Histogram(
    "oneform_http_request_seconds",
    "From the first look at a request to the last byte of its answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
)


def init_app(app: flask.Flask) -> None:
    """Watch an application. To be called before others, so that nothing of theirs is missed."""
    app.before_request(_begin)
    app.after_request(_see)


def _begin() -> None:
    flask.g.began_at = time.perf_counter()


def _see(response: flask.Response) -> flask.Response:
    """Note the request when its answer has been sent, which may be a stream."""
    request = flask.request
    method = request.method if request.method in METHODS else "other"
    route = request.url_rule.rule if request.url_rule is not None else "none"
    path, status = request.path, response.status_code
    began_at = flask.g.get("began_at", time.perf_counter())

    def note() -> None:
        seconds = time.perf_counter() - began_at
        REQUESTS.labels(method, route, status).inc()
        SECONDS.labels(method, route).observe(seconds)
        if status >= 500:
            tell = log.error
        elif path in QUIET:
            tell = log.debug
        else:
            tell = log.info
        tell("request", method=method, path=path, status=status, ms=round(seconds * 1000, 1))

    response.call_on_close(note)
    return response
