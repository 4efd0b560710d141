"""Whether a definition may become a source: every mistake, and what it refers to, looked up.

Calls nobody: where a host leads is found by a probe, and checked at every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.force import VersionState
from catalog.periods import PeriodType, parse_period
from catalog.snapshot import snapshot
from catalog.views import FieldVersionView
from oneform.areas.kinds import AREA_KIND
from oneform.areas.queries import areas_by_code
from oneform.identity import policy
from oneform.identity.policy import Permission, Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid, Mistake
from oneform.kernel.jsonschemas import compile_schema
from oneform.kernel.jsonvalues import json_pointer
from oneform.sources.connectors.base import Bounds
from oneform.sources.connectors.registry import connector_class, kinds
from oneform.sources.definition import (
    FieldMap,
    Keys,
    read_fields,
    shape_mistakes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A definition without mistakes, in the terms of the tables."""

    code: str
    name: dict[str, str] | None
    agency_id: int
    kind: str
    settings: dict[str, Any]
    """Without secrets."""
    secrets: dict[str, str]
    keys: dict[str, Any]
    fields: dict[int, FieldMap]
    area_ids: list[int]
    fresh_for: str | None
    limits: dict[str, Any]
    enabled: bool


def admit(
    ctx: Context, definition: object, bounds: Bounds, *, kept_secrets: Mapping[str, str]
) -> Admitted:
    """Check a definition wholly. `kept_secrets` are those that it need not give again.

    Invalid with every mistake; Forbidden for another agency's source.
    """
    review = _Review(ctx, definition, bounds)
    agency_id = review.agency()
    fields = review.fields()
    area_ids = review.areas(agency_id)
    settings, secrets = review.settings(kept_secrets)
    if review.mistakes:
        raise Invalid("The source has mistakes; nothing was changed.", mistakes=review.mistakes)
    given = review.given
    return Admitted(
        code=given["code"],
        name=given.get("name"),
        agency_id=agency_id,
        kind=given["kind"],
        settings=settings,
        secrets=secrets,
        keys=Keys.of(given["keys"]).as_dict(),
        fields=fields,
        area_ids=area_ids,
        fresh_for=given.get("fresh_for"),
        limits=dict(given.get("limits") or {}),
        enabled=given.get("enabled", True),
    )


def listed_fields(ctx: Context) -> dict[str, FieldVersionView]:
    """Fields that are on the whitelist, or will be, by code."""
    today = ctx.today()
    state = snapshot(ctx)
    approved = state.in_state(VersionState.APPROVED, today)
    return {**approved, **state.in_force(today)}


def may_manage(actor: Principal, agency_id: int) -> bool:
    """Its own agency's sources; the operator, everybody's."""
    return actor.may(Permission.OPERATE) or actor.agency_id == agency_id


class _Review:
    """One definition under review; the members whose shape is wrong are not looked at further."""

    def __init__(self, ctx: Context, definition: object, bounds: Bounds) -> None:
        self._ctx = ctx
        self._bounds = bounds
        self.mistakes = shape_mistakes(definition)
        self.given: Mapping[str, Any] = definition if isinstance(definition, Mapping) else {}
        self._broken = {
            mistake.pointer.split("/")[1] for mistake in self.mistakes if mistake.pointer
        }

    def _note(self, pointer: str, code: str, detail: str) -> None:
        self.mistakes.append(Mistake(pointer, code, detail))

    def _sound(self, member: str) -> bool:
        return member in self.given and member not in self._broken

    def agency(self) -> int:
        """Id of the agency, which the actor must act for; 0 with a mistake."""
        if not self._sound("agency"):
            return 0
        code = self.given["agency"]
        id = self._ctx.sql(
            "SELECT id FROM agency WHERE code = :code", code=code
        ).scalar_one_or_none()
        actor = policy.principal(self._ctx)
        if not may_manage(actor, id or 0):
            raise Forbidden("Only an agency itself can offer its sources.")
        if id is None:
            self._note("/agency", "unknown_agency", f"there is no agency {code}")
        return id or 0

    def fields(self) -> dict[int, FieldMap]:
        """Map of each field by its id."""
        if not self._sound("fields"):
            return {}
        members = self.given["fields"]
        known = listed_fields(self._ctx)
        maps, mistakes = read_fields(members, known)
        self.mistakes += mistakes
        kinds = {known[map.field].definition.subject_kind for map in maps}
        for map in maps[1:]:
            kind = known[map.field].definition.subject_kind
            first = known[maps[0].field].definition.subject_kind
            if kind != first:
                words = f"is about a subject of the kind {kind}, and {maps[0].field} of {first}"
                self._note(map.pointer, "mixed_kinds", f"{words}: make a source for each")
        if self._sound("keys") and len(kinds) == 1:
            self._check_keys(Keys.of(self.given["keys"]), kinds.pop(), maps, known)
        return {known[map.field].field_id: map for map in maps}

    def _check_keys(
        self, keys: Keys, kind: str, maps: list[FieldMap], known: Mapping[str, FieldVersionView]
    ) -> None:
        if kind == AREA_KIND and keys.area is not None:
            words = "is not needed: the key of an area is its code"
            self._note("/keys/area", "superfluous", words)
        if kind != AREA_KIND and keys.area is None:
            words = f"is missing: the column with the code of the area in which each {kind} is"
            self._note("/keys/area", "required", words)
        for map in maps:
            wanted = PeriodType(known[map.field].definition.period_type)
            if wanted is PeriodType.NONE:
                continue
            if keys.period is None and keys.constant_period is None:
                words = f"is missing: {map.field} has a value for each {wanted.value}"
                self._note("/keys/period", "required", words)
                return
            if keys.constant_period is not None:
                found = parse_period(keys.constant_period).type
                if found is not wanted:
                    words = (
                        f"is a {found.value}, but {map.field} has a value for each {wanted.value}"
                    )
                    self._note("/keys/period", "wrong_period", words)
                    return

    def areas(self, agency_id: int) -> list[int]:
        """Ids of the areas; the agency's own where none are given."""
        own = self._ctx.sql(
            "SELECT a.id, a.path FROM agency AS g JOIN area AS a ON a.id = g.area_id "
            "WHERE g.id = :id",
            id=agency_id,
        ).one_or_none()
        if "areas" not in self.given:
            if own is None and agency_id:
                self._note("/areas", "required", "is missing: the agency has no area of its own")
            return [own.id] if own is not None else []
        if not self._sound("areas"):
            return []
        everywhere = policy.principal(self._ctx).may(Permission.OPERATE)
        found = areas_by_code(self._ctx, self.given["areas"])
        ids = []
        for place, code in enumerate(self.given["areas"]):
            area = found.get(code)
            pointer = json_pointer(("areas", place))
            if area is None:
                self._note(pointer, "unknown_area", f"there is no area {code}")
            elif not everywhere and (own is None or not area.path.startswith(own.path)):
                self._note(pointer, "outside_reach", f"{code} is outside the agency's area")
            else:
                ids.append(area.id)
        return ids

    def settings(self, kept: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Settings as they may be shown, and all secrets that they name."""
        if not (self._sound("kind") and self._sound("settings")):
            return {}, {}
        connector = connector_class(self.given["kind"])
        if connector is None:
            words = f"there is no connector {self.given['kind']}; there are {', '.join(kinds())}"
            self._note("/kind", "unknown_kind", words)
            return {}, {}
        given = self.given["settings"]
        found = compile_schema(connector.settings_schema).errors(given)
        if not found:
            found = connector.review(given, self._bounds)
        for mistake in found:
            self._note(f"/settings{mistake.pointer}", mistake.code, mistake.detail)
        if found or "secrets" in self._broken:
            return {}, {}
        shown, secrets = connector.hide(given)
        named = connector.secret_names(shown)
        for name, secret in (self.given.get("secrets") or {}).items():
            if name not in named:
                words = f"nothing in the settings names a secret {name}"
                self._note(json_pointer(("secrets", name)), "unused_secret", words)
            elif secret is not None:
                secrets[name] = secret
        for name, pointer in named.items():
            if name not in secrets and name in kept:
                secrets[name] = kept[name]
            elif name not in secrets:
                words = f"the secret {name} is missing: give it under secrets"
                self._note(f"/settings{pointer}", "missing_secret", words)
        return shown, secrets
