"""What the OpenAPI document says of an operation besides its schemas: who may, and what can go wrong.

Most of it follows from what the route is: one with a body can be sent a body
that cannot be read. What only the view knows it declares with `@may_fail(…)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from oneform.api.errors import (
    IdempotencyKeyInUse,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidBody,
    InvalidParameters,
    MalformedBody,
    MalformedRequest,
    TooManyRequests,
    UnsupportedMediaType,
)
from oneform.api.problems import MEDIA_TYPE, PREFIX, UNAVAILABLE, name_of, status_of_kind
from oneform.identity.access import Access
from oneform.kernel.errors import DomainError, Forbidden, NotFound, Stale, Unauthenticated
from oneform.kernel.paging import BadCursor
from oneform.values.errors import TryAgain

View = TypeVar("View", bound=Callable[..., Any])
Names = dict[int, list[str]]
"""Names of problems by status."""

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "A new random key for each request; the same one to repeat it.",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The ETag of the state that is meant; else 412.",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The ETag of the state that is known; then 304.",
}

_PROBLEMS = "_problems"
_TAGGED = "_tagged"
_NOT_MODIFIED = {"description": "It is as it was."}


def may_fail(*errors: type[DomainError]) -> Callable[[View], View]:
    """Declare errors that do not follow from what the route is."""

    def mark(view: View) -> View:
        setattr(view, _PROBLEMS, (*getattr(view, _PROBLEMS, ()), *errors))
        return view

    return mark


def tagged(view: View) -> View:
    """Declare that a view that reads sends an ETag, and knows `If-None-Match`."""
    setattr(view, _TAGGED, True)
    return view


def facts_of(
    view: Callable[..., Any], rule: str, access: Access, *, once: bool, detached: bool
) -> dict[str, Any]:
    """What `describe` has to know of a route; kept with flask-smorest's own notes."""
    return {
        "access": access,
        "once": once,
        "attached": not detached,
        "named": "<" in rule,
        "tagged": hasattr(view, _TAGGED),
        "declared": getattr(view, _PROBLEMS, ()),
    }


def describe(doc: dict[str, Any], doc_info: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Write credentials, headers and problems into the description of an operation."""
    facts = doc_info["facts"]
    access: Access = facts["access"]
    doc["security"] = [] if access.is_public else [{"bearer": []}]
    if access.permissions:
        doc["x-permissions"] = sorted(permission.value for permission in access.permissions)
    parameters = doc.setdefault("parameters", [])
    names = _names(facts, _Inputs.of(doc, doc_info))
    headers = {
        "once": (facts["once"], IDEMPOTENCY_KEY),
        "changes": (Stale in facts["declared"], IF_MATCH),
        "reads": (facts["tagged"], IF_NONE_MATCH),
    }
    parameters += [header for is_there, header in headers.values() if is_there]
    responses = {str(status): response for status, response in doc["responses"].items()}
    # flask-smorest believes that every mistake is a 422, also one in the query.
    responses.pop("422", None)
    if facts["tagged"]:
        responses["304"] = _NOT_MODIFIED
    for status, of_status in sorted(names.items()):
        responses[str(status)] = _response(responses.get(str(status), {}), of_status)
    doc["responses"] = dict(sorted(responses.items()))
    return doc


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What an operation takes: parameters of the query, JSON, or another body that it describes."""

    query: frozenset[str]
    json: bool
    body: bool

    @classmethod
    def of(cls, doc: dict[str, Any], doc_info: dict[str, Any]) -> _Inputs:
        query = {name for each in doc.get("parameters", []) for name in each["schema"].fields}
        is_json = "requestBody" in doc
        manual = "requestBody" in doc_info.get("manual_doc", {})
        return cls(frozenset(query), is_json, is_json or manual)


def _names(facts: dict[str, Any], inputs: _Inputs) -> Names:
    found: Names = defaultdict(list)
    for error in _errors(facts, inputs):
        status = status_of_kind(error)
        assert status is not None, error
        if name_of(error) not in found[status]:
            found[status].append(name_of(error))
    if inputs.body:
        found[413].append("body-too-large")
    if facts["attached"]:
        found[503].append(UNAVAILABLE)
    return found


def _errors(facts: dict[str, Any], inputs: _Inputs) -> Iterator[type[DomainError]]:
    yield MalformedRequest
    if facts["attached"]:
        yield from (TooManyRequests, TryAgain, Unauthenticated)
    if not facts["access"].is_public:
        yield Forbidden
    if facts["named"]:
        yield NotFound
    if inputs.query:
        yield InvalidParameters
    if "cursor" in inputs.query:
        yield BadCursor
    if inputs.json:
        yield from (MalformedBody, UnsupportedMediaType, InvalidBody)
    if facts["once"]:
        yield from (IdempotencyKeyMissing, IdempotencyKeyInUse, IdempotencyKeyReused)
        yield InvalidParameters
    yield from facts["declared"]


def _response(already: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A response that is one of these problems, beside what a view describes itself."""
    told = ", ".join(f"`{name}`" for name in names)
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"type": {"enum": [PREFIX + name for name in names]}}},
        ]
    }
    return {
        "description": "; ".join(filter(None, (already.get("description"), told))),
        "content": {**already.get("content", {}), MEDIA_TYPE: {"schema": schema}},
    }
