"""Permission and reach, checked here and nowhere else.

A service calls `require` in its first line; a query over areas adds
`reach_clause`, a single thing `require_reach`. Reach is by the path of the
area tree (`area.path`, ids from the root): whoever holds a path reaches what
begins with it (DESIGN.md §4, point 8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from oneform.kernel.actor import Actor, ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, NotFound, Unauthenticated


class Role(StrEnum):
    STAFF = "staff"
    TOWNSHIP_REVIEWER = "township_reviewer"
    AGENCY_CLERK = "agency_clerk"
    SOURCE_OWNER = "source_owner"
    CATALOG_ADMIN = "catalog_admin"
    REVIEWER_LEGAL = "reviewer_legal"
    REVIEWER_DATA = "reviewer_data"
    REVIEWER_GRASSROOTS = "reviewer_grassroots"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"


AGENCY_ROLES = frozenset({Role.AGENCY_CLERK, Role.SOURCE_OWNER})
"""Roles that act for an agency: they mean nothing without one, and reach no further than it."""


class Scope(StrEnum):
    """What an API key may be used for."""

    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    REQUESTS_URGENT = "requests:urgent"  # never ordinary: less than three working days' notice
    DATA_READ = "data:read"
    CATALOG_PROPOSE = "catalog:propose"
    SOURCES_MANAGE = "sources:manage"
    VALUES_WRITE = "values:write"
    GRANTS_DECIDE = "grants:decide"
    WEBHOOKS_MANAGE = "webhooks:manage"


ORDINARY_SCOPES = tuple(scope for scope in Scope if scope is not Scope.REQUESTS_URGENT)


class Permission(StrEnum):
    READ_PUBLIC = "read_public"
    READ_AREAS = "read_areas"
    SUBMIT_REQUEST = "submit_request"
    SUBMIT_URGENT_REQUEST = "submit_urgent_request"
    READ_REQUESTS = "read_requests"
    CANCEL_REQUEST = "cancel_request"
    READ_DATA = "read_data"
    PROPOSE_FIELD = "propose_field"
    REVIEW_FIELD = "review_field"
    MANAGE_CATALOG = "manage_catalog"
    MANAGE_SOURCES = "manage_sources"
    WRITE_VALUES = "write_values"
    DECIDE_GRANTS = "decide_grants"
    MANAGE_WEBHOOKS = "manage_webhooks"
    READ_FORM = "read_form"
    ANSWER = "answer"
    REFUSE_ASK = "refuse_ask"
    DECIDE_REFUSAL = "decide_refusal"
    REVIEW_ANSWERS = "review_answers"
    READ_LEDGER = "read_ledger"
    WRITE_SUBJECTS = "write_subjects"
    READ_SUBJECTS = "read_subjects"
    SUPERVISE = "supervise"
    OPERATE = "operate"


_P = Permission

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.STAFF: frozenset(
        {
            _P.READ_FORM,
            _P.ANSWER,
            _P.REFUSE_ASK,
            _P.READ_LEDGER,
            _P.WRITE_SUBJECTS,
            _P.READ_SUBJECTS,
        }
    ),
    Role.TOWNSHIP_REVIEWER: frozenset(
        {_P.READ_FORM, _P.REVIEW_ANSWERS, _P.DECIDE_REFUSAL, _P.READ_LEDGER, _P.READ_SUBJECTS}
    ),
    Role.AGENCY_CLERK: frozenset(
        {_P.SUBMIT_REQUEST, _P.READ_REQUESTS, _P.CANCEL_REQUEST, _P.READ_DATA, _P.PROPOSE_FIELD}
    ),
    Role.SOURCE_OWNER: frozenset({_P.MANAGE_SOURCES, _P.WRITE_VALUES, _P.DECIDE_GRANTS}),
    Role.CATALOG_ADMIN: frozenset({_P.MANAGE_CATALOG, _P.PROPOSE_FIELD, _P.DECIDE_REFUSAL}),
    Role.REVIEWER_LEGAL: frozenset({_P.REVIEW_FIELD}),
    Role.REVIEWER_DATA: frozenset({_P.REVIEW_FIELD}),
    Role.REVIEWER_GRASSROOTS: frozenset({_P.REVIEW_FIELD}),
    Role.SUPERVISOR: frozenset({_P.SUPERVISE}),
    Role.OPERATOR: frozenset({_P.OPERATE}),
}

SCOPE_PERMISSIONS: dict[Scope, frozenset[Permission]] = {
    Scope.REQUESTS_READ: frozenset({_P.READ_REQUESTS}),
    Scope.REQUESTS_WRITE: frozenset({_P.SUBMIT_REQUEST, _P.CANCEL_REQUEST, _P.READ_REQUESTS}),
    Scope.REQUESTS_URGENT: frozenset({_P.SUBMIT_URGENT_REQUEST}),
    Scope.DATA_READ: frozenset({_P.READ_DATA}),
    Scope.CATALOG_PROPOSE: frozenset({_P.PROPOSE_FIELD}),
    Scope.SOURCES_MANAGE: frozenset({_P.MANAGE_SOURCES}),
    Scope.VALUES_WRITE: frozenset({_P.WRITE_VALUES}),
    Scope.GRANTS_DECIDE: frozenset({_P.DECIDE_GRANTS}),
    Scope.WEBHOOKS_MANAGE: frozenset({_P.MANAGE_WEBHOOKS}),
}

EVERYBODY = frozenset({_P.READ_PUBLIC})
SIGNED_IN = frozenset({_P.READ_PUBLIC, _P.READ_AREAS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal(Actor):
    """An actor with reach: who it is, what it may do, and below which area.

    `area_path` is None for those who reach no area at all, and `""` (the prefix
    of every path) for the operator.
    """

    agency_id: int | None = None
    area_id: int | None = None
    area_path: str | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    permissions: frozenset[Permission] = field(default=EVERYBODY)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def reaches(self, path: str | None) -> bool:
        """Whether the area with this path is at or below the actor's own."""
        return self.area_path is not None and path is not None and path.startswith(self.area_path)


PUBLIC = Principal(kind=ActorKind.PUBLIC, id="public", label="public")

OPERATOR = Principal(
    kind=ActorKind.OPERATOR,
    id="operator",
    label="operator",
    area_path="",
    roles=frozenset({Role.OPERATOR}),
    permissions=frozenset(Permission),
)
"""Whoever has a shell on the machine has the database anyway."""


def permissions_of_roles(roles: Iterable[Role]) -> frozenset[Permission]:
    return SIGNED_IN.union(*(ROLE_PERMISSIONS[role] for role in roles))


def permissions_of_scopes(scopes: Iterable[Scope]) -> frozenset[Permission]:
    return SIGNED_IN.union(*(SCOPE_PERMISSIONS[scope] for scope in scopes))


def principal(ctx: Context) -> Principal:
    """The context's actor as one with reach."""
    if not isinstance(ctx.actor, Principal):
        raise Forbidden("This work has no reach of its own.")
    return ctx.actor


def require(ctx: Context, permission: Permission) -> Principal:
    """The actor, if it has the permission; else Unauthenticated (nobody) or Forbidden."""
    actor = principal(ctx)
    if actor.may(permission):
        return actor
    if actor.kind is ActorKind.PUBLIC:
        raise Unauthenticated("This needs an API key, an access token or a session.")
    raise Forbidden(f"This needs the permission “{permission.value}”.")


def require_reach(ctx: Context, path: str | None, *, secret: bool = False) -> None:
    """Refuse what lies outside the actor's area.

    With `secret`, the thing's existence is not to be told: NotFound instead of Forbidden.
    """
    if principal(ctx).reaches(path):
        return
    if secret or path is None:
        raise NotFound("There is no such thing within your reach.")
    raise Forbidden("This area is outside your reach.")


def require_agency(ctx: Context) -> int:
    """The id of the agency that the actor acts for."""
    agency_id = principal(ctx).agency_id
    if agency_id is None:
        raise Forbidden("Only an agency can do this.")
    return agency_id
