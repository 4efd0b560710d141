"""Checking a bundle: every mistake in it with its place, and what deserves a look. Pure.

In order: the files, the shape of each member, codes given twice, then what definitions
mean. Members without the right shape are known by their codes only, so that one slip
does not make everything that names them wrong too.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.bundle import Bundle, Member, bundle_of
from catalog.check_derivations import derivation_mistakes, find_cycles, soft_check_mistakes
from catalog.check_fields import field_mistakes, field_warnings
from catalog.definition import FieldDefinition
from catalog.formats import FORMATS
from catalog.places import BundleMistake
from catalog.structure import BUNDLE, shape_mistakes
from catalog.world import EMPTY_WORLD, World
from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschemas import check_schema


@dataclass(slots=True)
class Findings:
    """What a check found. The rest is for whoever takes the bundle in, if it has no mistakes."""

    mistakes: list[BundleMistake] = field(default_factory=list)
    warnings: list[BundleMistake] = field(default_factory=list)
    definitions: dict[str, FieldDefinition] = field(default_factory=dict)
    """By code, of the fields that have the right shape."""
    members: dict[str, Member] = field(default_factory=dict)
    """Code → where that field is defined."""
    people: dict[str, bool] = field(default_factory=dict)
    """Code of each kind in the bundle → whether its subjects are people."""


def check_bundle(bundle: Bundle, world: World = EMPTY_WORLD, on: dt.date | None = None) -> Findings:
    """Check a bundle against itself and the `world` that it comes into.

    `on`: the day for warnings of what ends soon.
    """
    check = _Check(bundle, world, on)
    check.run()
    return check.findings


def check_field(
    member: Mapping[str, Any], world: World, on: dt.date | None = None
) -> tuple[FieldDefinition | None, list[Mistake]]:
    """One field as in a bundle, for proposals: its definition, and mistakes with pointers into it.

    There is no definition where the member has not the right shape.
    """
    found = check_bundle(bundle_of({"bundle": BUNDLE, "fields": [dict(member)]}), world, on)
    mistakes = [
        Mistake(mistake.pointer.removeprefix("/fields/0"), mistake.code, mistake.detail)
        for mistake in found.mistakes
    ]
    return next(iter(found.definitions.values()), None), mistakes


@dataclass(slots=True)
class _Check:
    bundle: Bundle
    world: World
    on: dt.date | None
    findings: Findings = field(default_factory=Findings)

    def run(self) -> None:
        found = self.findings
        found.mistakes += self.bundle.flaws
        agencies = self.shaped(self.bundle.agencies)
        kinds = self.shaped(self.bundle.subject_kinds)
        lists = self.shaped(self.bundle.code_lists)
        fields = self.shaped(self.bundle.fields)
        for member in kinds:
            self.note(member, _key_schema(member.value))
            found.people[member.value["code"]] = _are_people(member.value, self.world)
        for member in lists:
            self.check_items(member)
        for member in (*agencies, *kinds, *lists):
            self.warn(member, _no_english(member.value))
        # A part of the bundle that cannot be read may hold whatever the rest names.
        if not self.bundle.flaws:
            self.check_fields(fields)

    def note(self, member: Member, mistakes: Iterable[Mistake]) -> None:
        self.findings.mistakes += [member.mistake(m.pointer, m.code, m.detail) for m in mistakes]

    def warn(self, member: Member, warnings: Iterable[Mistake]) -> None:
        self.findings.warnings += [member.mistake(m.pointer, m.code, m.detail) for m in warnings]

    def shaped(self, members: list[Member]) -> list[Member]:
        """Those of the right shape, each code once."""
        fine: dict[str, Member] = {}
        for member in members:
            mistakes = shape_mistakes(member.kind, member.value)
            self.note(member, mistakes)
            code = _code(member)
            if code in fine:
                self.note(member, [Mistake("/code", "duplicate", f"{code} is defined twice")])
            elif not mistakes and code is not None:
                fine[code] = member
        return list(fine.values())

    def check_items(self, member: Member) -> None:
        """Items are members of a list: their shapes and codes, and their English all together."""
        items: list[Any] = member.value["items"]
        seen: set[str] = set()
        if not items:
            self.note(member, [Mistake("/items", "empty", "has no items")])
        for place, item in enumerate(items):
            mistakes = shape_mistakes("items", item)
            if not mistakes and item["code"] in seen:
                mistakes = [Mistake("/code", "duplicate", f"{item['code']} is defined twice")]
            elif not mistakes:
                seen.add(item["code"])
            pointer = f"/items/{place}"
            self.note(member, [replace(m, pointer=pointer + m.pointer) for m in mistakes])
        if missing := sum(1 for item in items if not _speaks_english(item)):
            detail = f"{missing} of {len(items)} items have no English"
            self.warn(member, [Mistake("/items", "no_english", detail)])

    def check_fields(self, members: list[Member]) -> None:
        world = self.world_with(members)
        for code, definition in self.findings.definitions.items():
            member = self.findings.members[code]
            self.note(member, field_mistakes(definition, world))
            self.note(member, derivation_mistakes(definition, world))
            self.note(member, soft_check_mistakes(definition, world))
            self.warn(member, field_warnings(definition, self.on))
        for cycle in find_cycles(world.fields):
            mine = [code for code in cycle if code in self.findings.members]
            if mine:
                detail = "is computed from itself: " + " → ".join([*cycle, cycle[0]])
                mistake = Mistake("/derivation", "cycle", detail)
                self.note(self.findings.members[mine[0]], [mistake])
        self.warn_of_absent_agencies(world)
        self.warn_of_shared_wordings(world)

    def world_with(self, members: list[Member]) -> World:
        """What there will be once the bundle is taken in."""
        given, bundle, found = self.world, self.bundle, self.findings
        kinds = {**given.kinds, **dict.fromkeys(_codes(bundle.subject_kinds), False)}
        kinds |= found.people
        for member in members:
            definition = FieldDefinition.from_bundle(
                member.value, about_people=kinds.get(member.value["subject_kind"], False)
            )
            found.definitions[definition.code] = definition
            found.members[definition.code] = member
        declared = set(_codes(bundle.fields)) - found.definitions.keys()
        return World(
            agencies={*given.agencies, *_codes(bundle.agencies)},
            other_agencies=given.other_agencies,
            kinds=kinds,
            code_lists={**given.code_lists, **dict(_items(bundle.code_lists))},
            fields={
                code: each
                for code, each in {**given.fields, **found.definitions}.items()
                if code not in declared
            },
            undefined=declared.union(given.undefined) - found.definitions.keys(),
        )

    def warn_of_absent_agencies(self, world: World) -> None:
        """Each once, at the first field that it owns."""
        owners: dict[str, str] = {}
        for code, definition in self.findings.definitions.items():
            owners.setdefault(definition.owner, code)
        if not world.other_agencies:
            return  # it is a mistake then
        for owner in sorted(owners.keys() - set(world.agencies)):
            detail = f"agency {owner} is not in this bundle; it must be there where it is imported"
            member = self.findings.members[owners[owner]]
            self.warn(member, [Mistake("/owner", "absent_agency", detail)])

    def warn_of_shared_wordings(self, world: World) -> None:
        """One wording for two fields about one kind of subject: nobody could tell them apart."""
        users: dict[tuple[str, str], list[str]] = defaultdict(list)
        for code, definition in sorted(world.fields.items()):
            wordings = {*definition.synonyms, *definition.name.values()}
            for wording in {" ".join(each.casefold().split()) for each in wordings}:
                users[definition.subject_kind, wording].append(code)
        for (_, wording), codes in sorted(users.items()):
            mine = [code for code in codes if code in self.findings.members]
            if len(codes) > 1 and mine:
                detail = (
                    f"“{wording}” is also a wording of {', '.join(sorted(set(codes) - {mine[-1]}))}"
                )
                mistake = Mistake("/synonyms", "shared_wording", detail)
                self.warn(self.findings.members[mine[-1]], [mistake])


def _code(member: Member) -> str | None:
    code = member.value.get("code") if isinstance(member.value, dict) else None
    return code if isinstance(code, str) else None


def _codes(members: Iterable[Member]) -> list[str]:
    return [code for code in map(_code, members) if code is not None]


def _items(members: Iterable[Member]) -> Iterator[tuple[str, set[str]]]:
    for member in members:
        code = _code(member)
        if code is not None:
            items = member.value.get("items")
            found = items if isinstance(items, list) else []
            yield code, {str(i["code"]) for i in found if isinstance(i, dict) and "code" in i}


def _key_schema(kind: Mapping[str, Any]) -> Iterator[Mistake]:
    schema = kind.get("key_schema")
    for mistake in check_schema(schema, FORMATS) if schema is not None else ():
        code = "unknown_format" if mistake.code == "format" else "schema"
        yield Mistake("/key_schema" + mistake.pointer, code, mistake.detail)
    if isinstance(schema, dict) and schema.get("type") != "string":
        yield Mistake("/key_schema", "schema_type", "a key is of type string")


def _are_people(kind: Mapping[str, Any], world: World) -> bool:
    """As the kind says; else as it was; else whether its keys are identity numbers."""
    if kind.get("personal") is not None:
        return bool(kind["personal"])
    known = world.kinds.get(kind["code"])
    schema = kind.get("key_schema") or {}
    return schema.get("format") == "cn-resident-id" if known is None else known


def _no_english(member: Mapping[str, Any]) -> Iterator[Mistake]:
    if "en" not in member["name"]:
        yield Mistake("/name", "no_english", "has no English")


def _speaks_english(item: object) -> bool:
    name = item.get("name") if isinstance(item, dict) else None
    return not isinstance(name, dict) or "en" in name
