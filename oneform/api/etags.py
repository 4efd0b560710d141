"""Conditional requests on single resources that can be changed (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib

import flask
import orjson

from oneform.kernel.errors import Stale


def etag_of(*parts: object) -> str:
    """A tag of what identifies a state: its id and its version, or all that is shown of it."""
    raw = orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()[:32]


def set_etag(etag: str) -> None:
    """Send the tag along; a GET whose If-None-Match has it is answered 304 without a body."""
    flask.g.oneform_etag = etag


def is_conditional() -> bool:
    """Whether the change in hand is meant for one state only, be that readable or not."""
    return "If-Match" in flask.request.headers


def check_etag(etag: str) -> None:
    """Stale unless If-Match is absent, `*`, or names this state. Lock the row before."""
    if is_conditional() and not flask.request.if_match.contains(etag):
        raise Stale(
            "If-Match names another state than the present one: read the thing again first."
        )


def given_etag() -> str | None:
    """The tag of If-Match, for services that compare it themselves; None when absent or `*`.

    Stale for several, a weak one, or one that cannot be read: they name no one present state.
    """
    given = flask.request.if_match
    if not is_conditional() or given.star_tag:
        return None
    tags = given.as_set()
    if len(tags) != 1:
        raise Stale("If-Match must have exactly one strong tag here.")
    return tags.pop()


def is_known(etag: str) -> bool:
    """Whether the client of a GET has this state already, so that its body need not be made."""
    return flask.request.if_none_match.contains_weak(etag)


def tag_response(response: flask.Response) -> flask.Response:
    """Put the tag of `set_etag` on a response."""
    etag = flask.g.pop("oneform_etag", None)
    if etag is not None and response.status_code < 300:
        response.set_etag(etag)
        response.headers.setdefault("Cache-Control", "no-cache")
        response.make_conditional(flask.request)
    return response
