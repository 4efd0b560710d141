"""Blueprints of pages: every page declares its access, and runs in one unit of work.

What happens to a request, in this order: CSRF token, session, access, the view,
its template, the commit, the answer. Views get their context with
`current_context()`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import flask
from flask.typing import ResponseReturnValue

from oneform.identity.access import Access, access_of, needs, public
from oneform.identity.policy import PUBLIC
from oneform.runtime.http import act_as, current_context, current_runtime, in_unit
from oneform.web import errors
from oneform.web.visitors import csrf, find_visitor

__all__ = ["Pages", "current_context", "current_runtime", "needs", "public"]

TEMPLATES = Path(__file__).parent / "templates"


class Pages(flask.Blueprint):
    """Pages at the root. Views that declare no access are found by `oneform.app.check_access`.

    `detached` ones open no unit and know no visitor: files, which must come while the database
    is away.
    """

    def __init__(self, name: str, *, detached: bool = False) -> None:
        super().__init__(f"web_{name}", __name__, template_folder=str(TEMPLATES))
        self._detached = detached
        self.before_request(prepare)
        errors.init_pages(self)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        access = access_of(view_func)
        if view_func is not None and access is not None and not self._detached:
            view_func = _served(view_func, access)
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def prepare() -> None:
    """Before any page: the size of its form, and whether it is ours."""
    # What a village typed into a form of hundreds of questions is text, not a file.
    flask.request.max_form_memory_size = flask.current_app.config["MAX_CONTENT_LENGTH"]
    csrf.protect()


def _served(view: Callable[..., ResponseReturnValue], access: Access) -> Callable[..., Any]:
    """The view within its unit of work."""

    @wraps(view)
    def served(**path: Any) -> flask.Response:
        def work() -> flask.Response:
            visitor = find_visitor()
            actor = visitor.principal if visitor else PUBLIC
            act_as(actor)
            access.admit(actor)
            return flask.make_response(view(**path))

        return in_unit(work)

    return served
