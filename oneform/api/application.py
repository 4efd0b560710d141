"""Putting the API on a Flask application."""

from __future__ import annotations

import importlib

import flask

from oneform.api import BLUEPRINTS, bodies, docs, headers, problems, rates
from oneform.api.openapi import Api
from oneform.api.orjson_provider import OrjsonProvider
from oneform.config import Settings


def init_app(app: flask.Flask, settings: Settings) -> None:
    """Register everything of the API: error answers, headers, limits, views, their description."""
    app.json = OrjsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_mb * 1024 * 1024
    problems.init_app(app)
    headers.init_app(app)
    rates.init_app(app, settings)
    app.teardown_request(bodies.close_body)
    api = Api(app)
    for module in BLUEPRINTS:
        api.register_blueprint(importlib.import_module(module).blueprint)
    docs.init_app(app, api)
