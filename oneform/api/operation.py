"""For operators and their machines: whether the installation can work, and its numbers."""

from __future__ import annotations

import ipaddress
import os
import secrets
from typing import Any

import flask
from marshmallow import fields
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from oneform.api.blueprints import Blueprint, current_runtime, may_fail, public
from oneform.api.schemas import Schema
from oneform.kernel.errors import Forbidden, Unauthenticated
from oneform.runtime.gauges import Installation
from oneform.runtime.health import Condition, readiness
from oneform.runtime.metrics_folder import VARIABLE

blueprint = Blueprint(
    "operation", __name__, at_root=True, detached=True, description="Of the whole installation."
)

EXTENSION = "oneform-gauges"


class ReadinessOut(Schema):
    status = fields.String(
        required=True, metadata={"enum": [condition.value for condition in Condition]}
    )
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "`ok`, or what is wrong, by what was looked at."},
    )


@blueprint.get("/readyz")
@blueprint.response(200, ReadinessOut, description="`ok`, or `degraded`: what is sent is taken.")
@blueprint.alt_response(503, schema=ReadinessOut, description="`unavailable`")
@public
def readyz() -> Any:
    """Can the installation do its work?

    Looks at the database, its migrations, Redis and the workers. `degraded`, with 200, while Redis
    or all workers are away: requests and answers are taken in, the work on them waits.
    """
    found = readiness(current_runtime())
    answer = {"status": found.condition.value, "checks": found.checks}
    return answer, 503 if found.condition is Condition.UNAVAILABLE else 200


@blueprint.get("/metrics")
@blueprint.response(200, fields.String(), content_type="text/plain")
@blueprint.alt_response(401, description="A token is configured, and this is another one.")
@blueprint.alt_response(403, description="No token is configured, and this comes from elsewhere.")
@public
@may_fail(Unauthenticated, Forbidden)
def metrics() -> flask.Response:
    """Numbers of the installation, as Prometheus reads them.

    With the token that the operator has configured (`ONEFORM_METRICS_TOKEN`); without one only
    from the machine itself, and not through a proxy.
    """
    _admit()
    registry = CollectorRegistry()
    if VARIABLE in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    else:
        registry.register(_Counts())
    registry.register(_installation())
    return flask.Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Counts(Collector):
    """What this process alone has counted, where there is no server of several."""

    def collect(self) -> Any:
        return REGISTRY.collect()


def _installation() -> Installation:
    """The collector of this application, which keeps its answers for a while."""
    extensions = flask.current_app.extensions
    found = extensions.setdefault(EXTENSION, Installation(current_runtime()))
    assert isinstance(found, Installation)
    return found


def _admit() -> None:
    """Unauthenticated or Forbidden for whoever is not the operator's Prometheus."""
    token = current_runtime().settings.metrics_token
    if token is not None:
        scheme, _, given = flask.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            given.strip().encode(), token.encode()
        ):
            raise Unauthenticated("This needs the token of ONEFORM_METRICS_TOKEN.")
    elif not _comes_from_this_machine():
        raise Forbidden("Without ONEFORM_METRICS_TOKEN this is shown to the machine itself only.")


def _comes_from_this_machine() -> bool:
    """Whether the caller is on loopback, and no proxy there speaks for somebody else."""
    headers = flask.request.headers
    if "X-Forwarded-For" in headers or "Forwarded" in headers:
        return False
    try:
        return ipaddress.ip_address(flask.request.remote_addr or "").is_loopback
    except ValueError:
        return False
