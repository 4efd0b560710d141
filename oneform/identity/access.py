"""What a route declares about who may use it: `@public`, or `@needs(Permission.X)`.

For the API and the pages alike; the program does not start while a route of
either declares nothing. This is the door only: services check permission and
reach again, for whoever calls them (see `policy`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from oneform.identity.policy import Permission, Principal
from oneform.kernel.actor import ActorKind
from oneform.kernel.errors import Forbidden, Unauthenticated

View = TypeVar("View", bound=Callable[..., Any])

_MARK = "_access"


@dataclass(frozen=True, slots=True)
class Access:
    """Any one of these permissions lets in; no permission at all: everybody comes in."""

    permissions: frozenset[Permission] = frozenset()

    @property
    def is_public(self) -> bool:
        return not self.permissions

    def admit(self, actor: Principal) -> None:
        """Unauthenticated for nobody in particular, Forbidden for somebody without permission."""
        if self.is_public or self.permissions & actor.permissions:
            return
        if actor.kind is ActorKind.PUBLIC:
            raise Unauthenticated("This needs an API key, an access token or a session.")
        names = " or ".join(sorted(f"“{permission.value}”" for permission in self.permissions))
        raise Forbidden(f"This needs the permission {names}.")


def public(view: View) -> View:
    """Declare a view open to everybody."""
    setattr(view, _MARK, Access())
    return view


def needs(*permissions: Permission) -> Callable[[View], View]:
    """Declare that a view needs one of these permissions."""
    if not permissions:
        raise ValueError("name a permission, or declare the view public")

    def mark(view: View) -> View:
        setattr(view, _MARK, Access(frozenset(permissions)))
        return view

    return mark


def access_of(view: Callable[..., Any] | None) -> Access | None:
    """What a view declares; None where it declares nothing. Decorators with `wraps` keep it."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Access) else None
