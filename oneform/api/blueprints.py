"""Blueprints of the API: every route declares its access, and runs in one unit of work.

What happens to a request, in this order: credentials, rate, access,
idempotency, arguments, the view, its dump, the commit, the answer. Views get
their context with `current_context()`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import flask
import flask_smorest  # type: ignore[import-untyped]
from flask.typing import ResponseReturnValue

from oneform.api.auth import authenticate
from oneform.api.describing import describe, facts_of, may_fail, tagged
from oneform.api.etags import tag_response
from oneform.api.idempotency import answer_once, is_idempotent
from oneform.api.parsing import Parser
from oneform.identity.access import Access, access_of, needs, public
from oneform.runtime.http import act_as, current_context, current_runtime, in_unit

__all__ = [
    "BASE",
    "Blueprint",
    "UndeclaredAccess",
    "current_context",
    "current_runtime",
    "large_body",
    "may_fail",
    "needs",
    "public",
    "tagged",
]

View = TypeVar("View", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

BASE = "/api/v1"
LARGE_FACTOR = 10
_LARGE = "_large_body"


class UndeclaredAccess(TypeError):
    """A route declares neither `@public` nor `@needs(…)`."""


def large_body(view: View) -> View:
    """Let a view take ten times the usual body: imports and workbooks."""
    setattr(view, _LARGE, True)
    return view


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # it has no types
    """Routes below `/api/v1`, or, `at_root`, below nothing.

    The decorators `@public` or `@needs(…)`, `@may_fail(…)`, `@tagged`, `@idempotent` and
    `@large_body` may stand anywhere below the one that names the route. `detached` routes open no unit and know no credentials:
    for what must answer while the database is away.
    """

    ARGUMENTS_PARSER = Parser()

    if TYPE_CHECKING:
        # flask-smorest has no types; these are of what views use.
        def get(self, rule: str, **options: Any) -> Decorator: ...
        def post(self, rule: str, **options: Any) -> Decorator: ...
        def put(self, rule: str, **options: Any) -> Decorator: ...
        def patch(self, rule: str, **options: Any) -> Decorator: ...
        def delete(self, rule: str, **options: Any) -> Decorator: ...
        def response(self, status_code: int, schema: Any = ..., **options: Any) -> Decorator: ...
        def alt_response(self, status_code: int, **options: Any) -> Decorator: ...
        @staticmethod
        def doc(**description: Any) -> Decorator: ...

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        url_prefix: str = "",
        at_root: bool = False,
        detached: bool = False,
        **options: Any,
    ) -> None:
        prefix = url_prefix if at_root else BASE + url_prefix
        super().__init__(name, import_name, url_prefix=prefix or None, **options)
        self._detached = detached
        self._prepare_doc_cbks.append(describe)

    def arguments(self, schema: Any, **options: Any) -> Decorator:
        """As flask-smorest's, but the schema is made once, and not for every request."""
        made = schema() if isinstance(schema, type) else schema
        decorator: Decorator = super().arguments(made, **options)
        return decorator

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        assert view_func is not None
        access = access_of(view_func)
        if access is None:
            raise UndeclaredAccess(f"{self.name}.{view_func.__name__} declares no access")
        facts = facts_of(
            view_func,
            rule,
            access,
            once=is_idempotent(view_func),
            detached=self._detached,
        )
        if not self._detached:
            view_func = _served(view_func, access)
        # flask-smorest keeps what it writes into the document in `_apidoc`.
        vars(view_func)["_apidoc"] = {**getattr(view_func, "_apidoc", {}), "facts": facts}
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def _served(view: Callable[..., ResponseReturnValue], access: Access) -> Callable[..., Any]:
    """The view within its unit of work."""
    once, large = is_idempotent(view), hasattr(view, _LARGE)

    @wraps(view)
    def served(**path: Any) -> flask.Response:
        if large:
            limit = current_runtime().settings.max_body_mb * LARGE_FACTOR
            flask.request.max_content_length = limit * 1024 * 1024

        def answer() -> flask.Response:
            return tag_response(flask.make_response(view(**path)))

        def work() -> flask.Response:
            actor = authenticate(current_context(), required=not access.is_public)
            act_as(actor)
            access.admit(actor)
            return answer_once(answer) if once else answer()

        return in_unit(work)

    return served
