"""The web application: API and pages together, on one runtime."""

from __future__ import annotations

import flask

from oneform import web
from oneform.api import application as api
from oneform.api import problems
from oneform.api.blueprints import UndeclaredAccess
from oneform.config import secret_key
from oneform.identity.access import access_of
from oneform.runtime import Runtime, observing
from oneform.runtime.http import EXTENSION
from oneform.runtime.whole_bodies import Request


def create_app(runtime: Runtime) -> flask.Flask:
    """The application on a runtime. UndeclaredAccess when a route says not who may use it."""
    app = flask.Flask("oneform", static_folder=None)
    app.request_class = Request
    app.extensions[EXTENSION] = runtime
    app.config["SECRET_KEY"] = secret_key(runtime.settings)
    observing.init_app(app)
    api.init_app(app, runtime.settings)
    web.register(app, problems.answer_http_error)
    check_access(app)
    return app


def check_access(app: flask.Flask) -> None:
    """UndeclaredAccess, naming every route that declares nothing."""
    undeclared = sorted(
        endpoint for endpoint, view in app.view_functions.items() if access_of(view) is None
    )
    if undeclared:
        raise UndeclaredAccess(f"no access is declared by: {', '.join(undeclared)}")
