"""Conditional requests on single resources that can be changed (RFC 9110, section 13)."""

from __future__ import annotations

import flask

from oneform.kernel.errors import Stale


def set_etag(etag: str) -> None:
    """Send the tag along; a GET whose If-None-Match has it is answered 304 without a body."""
    flask.g.oneform_etag = etag


def given_etag() -> str | None:
    """The tag of If-Match, for services to compare once they hold the thing; None when absent or `*`.

    Stale for several, a weak one, or one that cannot be read: they name no one present state.
    """
    given = flask.request.if_match
    if "If-Match" not in flask.request.headers or given.star_tag:
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
