"""Putting the pages on a Flask application."""

from __future__ import annotations

import importlib

import flask

from oneform.runtime.http import EXTENSION
from oneform.web import errors, languages, layout, visitors
from oneform.web.errors import ProgramAnswer

MODULES = (
    "oneform.web.assets",
    "oneform.web.account",
    "oneform.web.home",
    "oneform.web.control_numbers",
    "oneform.web.form.views",
    "oneform.web.submissions",
)
"""Modules with pages."""


def register(app: flask.Flask, answer_program: ProgramAnswer) -> None:
    """Register the pages, their languages, sessions and error pages.

    `answer_program` answers those who asked for an address that there is not, and are no browser.
    """
    runtime = app.extensions[EXTENSION]
    languages.init_app(app, runtime.settings.timezone)
    visitors.init_app(app)
    layout.init_app(app)
    errors.init_app(app, answer_program)
    for module in MODULES:
        app.register_blueprint(importlib.import_module(module).pages)
