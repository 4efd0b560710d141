"""Our own style sheet, script and icon. Their addresses change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import flask

from oneform.web.pages import Pages, public

pages = Pages("assets", detached=True)

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def fingerprint(name: str) -> str:
    """A short digest of a file's content."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file."""
    return flask.url_for("web_assets.show_asset", name=name, v=fingerprint(name))


@pages.get("/static/<name>")
@public
def show_asset(name: str) -> flask.Response:
    path = STATIC / name
    if path.suffix not in _TYPES or not path.is_file():
        flask.abort(404)
    response = flask.Response(path.read_bytes(), mimetype=_TYPES[path.suffix])
    is_current = flask.request.args.get("v") == fingerprint(name)
    response.headers["Cache-Control"] = FOREVER if is_current else "no-cache"
    response.set_etag(fingerprint(name))
    response.make_conditional(flask.request)
    return response


@pages.get("/favicon.ico")
@public
def show_icon() -> flask.Response:
    """For browsers that look here whatever a page says."""
    return show_asset("icon.svg")
