"""Headers of pages: what a browser may load, and from where."""

from __future__ import annotations

import flask

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""Our own files and nothing else; no inline script, no inline style."""


def dress(response: flask.Response) -> flask.Response:
    """Put on a page what every page carries. The rest comes with every response."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    return response
