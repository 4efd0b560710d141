"""Import of a bundle by the operator: checked as a whole, taken in as a whole, on record.

What the workflow has decided stays as it is; what the bundle does not mention, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from catalog import store, writing
from catalog.bundle import Bundle, read_bundle
from catalog.check import Findings, check_bundle
from catalog.errors import BadBundle
from catalog.force import VersionState, speaking
from catalog.import_plan import Plan, SkippedField, plan_import
from catalog.models import EndedAs, Origin
from catalog.places import BundleMistake
from catalog.stamp import record_change
from catalog.views import FieldVersionView
from catalog.world import World
from catalog.writing import NewVersion
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel import locks
from oneform.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did. An unchanged file gives zeros, but for `unchanged`."""

    agencies: int
    """Added; those that were there are left alone."""
    kinds: int
    """Added or changed, as are the code lists and items."""
    code_lists: int
    items: int
    """Retired ones and those back again too."""
    fields_added: int
    versions_added: int
    """Of fields that were there."""
    unchanged: int
    skipped: list[SkippedField] = field(default_factory=list)
    warnings: list[BundleMistake] = field(default_factory=list)

    @property
    def changed_anything(self) -> bool:
        counts = (self.agencies, self.kinds, self.code_lists, self.items)
        return any((*counts, self.fields_added, self.versions_added))


def import_bundle(ctx: Context, bundle: Bundle | Path) -> ImportReport:
    """Take in a bundle (or the file or folder that holds it), all or nothing.

    For the operator only, since it goes past the reviewers. Fields come into force on
    their dates; a changed definition supersedes the last version of the field on the day
    of its own `effective_from`. BadBundle with every mistake.
    """
    policy.require(ctx, Permission.OPERATE)
    if isinstance(bundle, Path):
        bundle = read_bundle(bundle)
    # From here on nobody else changes the catalogue, and what is read stays true.
    locks.take(ctx, locks.Space.CATALOG)
    known = _Known(ctx)
    found = check_bundle(bundle, known.world(ctx), ctx.today())
    plan = plan_import(found.definitions, known.versions)
    refused = [
        found.members[code].mistake(mistake.pointer, mistake.code, mistake.detail)
        for code, mistake in plan.mistakes
    ]
    if mistakes := [*found.mistakes, *refused]:
        raise BadBundle(mistakes)
    return _write(ctx, bundle, found, plan, known)


class _Known:
    """What is there before the import."""

    def __init__(self, ctx: Context) -> None:
        self.versions: dict[str, list[FieldVersionView]] = {}
        for version in store.all_versions(ctx):
            self.versions.setdefault(version.code, []).append(version)
        self.kinds = store.all_kinds(ctx)
        self.code_lists = store.all_code_lists(ctx)
        self.agencies = store.all_agency_codes(ctx)

    def world(self, ctx: Context) -> World:
        """Retired fields cannot be named any more; all others can."""
        now = [speaking(versions, ctx.today()) for versions in self.versions.values()]
        return World(
            agencies=self.agencies,
            kinds={code: kind.personal for code, kind in self.kinds.items()},
            code_lists={code: set(each.live_codes) for code, each in self.code_lists.items()},
            fields={
                version.code: version.definition
                for version in now
                if version.state_on(ctx.today()) is not VersionState.RETIRED
            },
        )


def _write(
    ctx: Context, bundle: Bundle, found: Findings, plan: Plan, known: _Known
) -> ImportReport:
    lists = [member.value for member in bundle.code_lists]
    agencies = writing.add_agencies(ctx, [member.value for member in bundle.agencies])
    kinds = writing.put_kinds(ctx, _kinds(bundle, found, known))
    code_lists = writing.put_code_lists(ctx, lists)
    items = writing.put_items(ctx, lists)
    added, changed = _publish(ctx, plan)
    report = ImportReport(
        agencies=len(agencies),
        kinds=len(kinds),
        code_lists=len(code_lists),
        items=sum(items.values()),
        fields_added=len(added),
        versions_added=len(changed),
        unchanged=plan.unchanged,
        skipped=plan.skipped,
        warnings=found.warnings,
    )
    if report.changed_anything:
        record_change(
            ctx,
            Tag.CATALOG_IMPORTED,
            agencies=agencies,
            kinds=kinds,
            code_lists=code_lists,
            items=items,
            fields_added=added,
            versions_added=changed,
        )
    return report


def _kinds(bundle: Bundle, found: Findings, known: _Known) -> list[dict[str, object]]:
    """Kinds as they will be: what a bundle leaves out stays as it is."""
    kinds = []
    for member in bundle.subject_kinds:
        code, schema = member.value["code"], member.value.get("key_schema")
        if schema is None and code in known.kinds:
            schema = known.kinds[code].key_schema
        kinds.append(
            {
                "code": code,
                "name": member.value["name"],
                "key_schema": schema,
                "personal": found.people[code],
            }
        )
    return kinds


def _publish(ctx: Context, plan: Plan) -> tuple[list[str], dict[str, int]]:
    """Write versions and end those they supersede: codes of fields added, numbers of versions."""
    changed = {
        definition.code: NewVersion(last.version + 1, definition)
        for last, definition in plan.changed
    }
    added = [NewVersion(1, definition) for definition in plan.added]
    writing.end_versions(
        ctx,
        {
            last.version_id: definition.effective_from
            for last, definition in plan.changed
            # One that has expired by then has ended by itself.
            if definition.effective_from <= last.expires_on
        },
        EndedAs.SUPERSEDED,
    )
    writing.add_versions(ctx, [*added, *changed.values()], Origin.OPERATOR)
    return (
        sorted(new.definition.code for new in added),
        {code: new.number for code, new in sorted(changed.items())},
    )
