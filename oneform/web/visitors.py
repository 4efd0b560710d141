"""Who looks at a page: a session of a person, kept in a signed cookie.

The cookie holds the token of a session (`oneform.identity.sessions`), which is
looked up on every page: disabling a person ends it at once. The cookie outlives
the session, so that a form that is sent after the session has ended can still
be told from a forged one, and what was typed is kept.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import flask
from flask.sessions import SecureCookieSessionInterface
from flask_login import (  # type: ignore[import-untyped]
    LoginManager,
    UserMixin,
    current_user,
    login_user,
    logout_user,
)
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]

from oneform.identity.models import Staff
from oneform.identity.policy import Principal
from oneform.identity.sessions import close_session, open_session, principal_of_session
from oneform.kernel.context import Context
from oneform.runtime.http import current_context

COOKIE_LIFE = dt.timedelta(days=7)
_CSRF = "csrf_token"
_NAME = "name"

csrf = CSRFProtect()
login_manager = LoginManager()


@dataclass(frozen=True)
class Visitor(UserMixin):  # type: ignore[misc]  # it has no types
    """A person who is logged in."""

    token: str
    principal: Principal
    name: str

    def get_id(self) -> str:
        return self.token


class _CookieSessions(SecureCookieSessionInterface):
    """The cookie is Secure wherever the page came over https, and not where it did not."""

    def get_cookie_secure(self, app: flask.Flask) -> bool:
        return super().get_cookie_secure(app) or flask.request.is_secure


def init_app(app: flask.Flask) -> None:
    app.session_interface = _CookieSessions()
    app.config.update(
        SESSION_COOKIE_NAME="oneform_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFE,
        # Only pages know the cookie, so only they check (`pages.Pages`); the API never looks at it.
        WTF_CSRF_CHECK_DEFAULT=False,
        # A form stays open on the table all day.
        WTF_CSRF_TIME_LIMIT=None,
        # The token is bound to the cookie, which no other site's form carries. Browsers that
        # send no Referer would be locked out.
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)
    # Phones change their address all the time.
    login_manager.session_protection = None
    login_manager.user_loader(_load_visitor)
    # Instead of `init_app`, which would look into the cookie after every call of the API.
    app.login_manager = login_manager  # type: ignore[attr-defined]


def _load_visitor(token: str) -> Visitor | None:
    principal = principal_of_session(current_context(), token)
    if principal is None:
        return None
    return Visitor(token, principal, flask.session.get(_NAME) or principal.label)


def find_visitor() -> Visitor | None:
    """Whoever the request in hand comes from; needs its unit of work."""
    found = current_user._get_current_object()
    flask.g.oneform_visitor = found if isinstance(found, Visitor) else None
    return current_visitor()


def current_visitor() -> Visitor | None:
    """Whoever was found; None on pages that come to be without a unit of work."""
    visitor = flask.g.get("oneform_visitor")
    return visitor if isinstance(visitor, Visitor) else None


def log_in(ctx: Context, person: Staff) -> Visitor:
    """Open a session for somebody whose password was checked.

    The CSRF token stays: a form in another window, typed in before, can still be sent.
    """
    opened = open_session(ctx, person)
    ctx.session.flush()
    principal = principal_of_session(ctx, opened.token)
    assert principal is not None
    kept = flask.session.get(_CSRF)
    flask.session.clear()
    flask.session.permanent = True
    if kept is not None:
        flask.session[_CSRF] = kept
    flask.session[_NAME] = person.name
    visitor = Visitor(opened.token, principal, person.name)
    login_user(visitor)
    flask.g.oneform_visitor = visitor
    return visitor


def log_out(ctx: Context) -> None:
    """End the session, and forget everything about it."""
    visitor = current_visitor()
    if visitor is not None:
        close_session(ctx, visitor.token)
    logout_user()
    flask.session.clear()
    flask.g.oneform_visitor = None
