"""Subjects: reading them within reach, entering, moving and closing them.

Bulk import is in `subject_import`; the subjects of kind `area` follow their
areas and are not touched here. Every change shares the regions concerned before
it decides, and keeps the old placement in `subject_history`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from oneform.areas.cells import text_mistake
from oneform.areas.errors import SubjectExists, UnknownArea, UnknownSubject
from oneform.areas.events import SubjectClosed, SubjectMoved
from oneform.areas.kinds import AREA_KIND, Kind, find_kind, key_mistakes, mask
from oneform.areas.placements import instant, supersede
from oneform.areas.queries import BELOW, AreaView, area_by_code
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake, NotFound, Stale
from oneform.kernel.ids import pack_id, unpack_id
from oneform.kernel.paging import Page, decode_cursor, encode_cursor


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A subject as its own ledger sees it."""

    id: str
    """Public id; the only name of a personal subject outside."""
    kind: str
    key: str
    """Masked where the kind is personal."""
    name: str
    area: str
    active_from: dt.date | None
    active_to: dt.date | None
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubject:
    """`area` defaults to the actor's own; `active_from` None: since ever."""

    kind: str
    key: str
    name: str
    area: str | None = None
    active_from: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSubject:
    """Move to an `area`, or close from the day `active_to`: one of the two."""

    area: str | None = None
    active_to: dt.date | None = None


_VIEW = """
SELECT s.region_id, s.id, s.kind_id, k.code AS kind, k.personal, s.key, s.name, s.area_id,
  a.code AS area, a.path, s.active_from, s.active_to, s.recorded_at
FROM subject AS s JOIN subject_kind AS k ON k.id = s.kind_id JOIN area AS a ON a.id = s.area_id
"""


def _view(row: Any) -> SubjectView:
    return SubjectView(
        id=pack_id(row.region_id, row.id),
        kind=row.kind,
        key=mask(row.key) if row.personal else row.key,
        name=row.name,
        area=row.area,
        active_from=row.active_from,
        active_to=row.active_to,
        etag=_etag(row),
    )


def _etag(row: Any) -> str:
    return f"{row.id}-{row.recorded_at.timestamp():.6f}"


def _own_area(ctx: Context) -> str | None:
    """Path of the actor's own area; None where it reaches none."""
    return policy.principal(ctx).area_path


def list_subjects(
    ctx: Context,
    *,
    kind: str | None = None,
    area: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[SubjectView]:
    """Active subjects at or below an area (default: the actor's own), area by area.

    UnknownArea; Forbidden outside the actor's reach; NotFound for an unknown kind; BadCursor.
    """
    policy.require(ctx, Permission.READ_SUBJECTS)
    path = area_by_code(ctx, area).path if area is not None else _own_area(ctx)
    policy.require_reach(ctx, path)
    area_id, last = decode_cursor(cursor, [int, int]) if cursor else (0, 0)
    given = {"path": path, "area": area_id, "last": last, "limit": limit + 1}
    of_kind = ""
    if kind is not None:
        of_kind = "AND s.kind_id = :kind"
        given["kind"] = find_kind(ctx, kind).id
    rows = ctx.sql(
        f"{_VIEW} WHERE {BELOW.format(area='a', path='CAST(:path AS text)')} {of_kind} "
        "AND a.id >= :area AND (a.id > :area OR s.id > :last) "
        "AND (s.active_to IS NULL OR s.active_to > :today) "
        "ORDER BY a.id, s.id LIMIT :limit",
        today=ctx.today(),
        **given,
    ).all()
    items = [_view(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(rows[limit - 1].area_id, rows[limit - 1].id) if more else None)


def get_subject(ctx: Context, id: str) -> SubjectView:
    """One subject within reach, closed or not. UnknownSubject."""
    policy.require(ctx, Permission.READ_SUBJECTS)
    return _view(_find(ctx, id))


def _find(ctx: Context, id: str, *, lock: bool = False) -> Any:
    """The row of a subject within reach; what is outside is not told from what is not there."""
    try:
        region_id, subject_id = unpack_id(id)
    except ValueError:
        raise UnknownSubject from None
    row = ctx.sql(
        f"{_VIEW} WHERE s.region_id = :region AND s.id = :id {'FOR UPDATE OF s' if lock else ''}",
        region=region_id,
        id=subject_id,
    ).one_or_none()
    if row is None or not policy.principal(ctx).reaches(row.path):
        raise UnknownSubject
    return row


def create_subject(ctx: Context, command: CreateSubject) -> SubjectView:
    """Enter a subject into a ledger within reach.

    Its region is that of its area, for good. Invalid with every mistake;
    Forbidden outside the actor's reach; SubjectExists where the key is active
    within the region or the actor's reach.
    """
    policy.require(ctx, Permission.WRITE_SUBJECTS)
    kind, mistakes = _judge(ctx, command)
    place = _target(ctx, command.area, mistakes)
    if mistakes or kind is None or place is None:
        raise Invalid("The subject cannot be entered.", mistakes=mistakes)
    locks.share_regions(ctx, [place.region_id])
    # The area may have ended while the lock was awaited.
    area_by_code(ctx, place.code)
    if _is_known(ctx, kind, command.key, place):
        raise SubjectExists
    made = ctx.sql(
        "INSERT INTO subject (region_id, kind_id, key, name, area_id, active_from) "
        "VALUES (:region, :kind, :key, :name, :area, :from) "
        "ON CONFLICT (region_id, kind_id, key) WHERE active_to IS NULL DO NOTHING RETURNING id",
        region=place.region_id,
        kind=kind.id,
        key=command.key,
        name=command.name,
        area=place.id,
        **{"from": command.active_from},
    ).scalar_one_or_none()
    if made is None:
        raise SubjectExists
    view = _view(_find(ctx, pack_id(place.region_id, made)))
    audit.append(ctx, Tag.SUBJECT_CREATED, "subject", view.id, kind=kind.code, area=place.code)
    return view


def _judge(ctx: Context, command: CreateSubject) -> tuple[Kind | None, list[Mistake]]:
    mistakes = []
    for pointer, text in (("/key", command.key), ("/name", command.name)):
        if fault := text_mistake(text):
            mistakes.append(Mistake(pointer, fault[0], f"{pointer[1:]} {fault[1]}"))
    kind = None
    if command.kind == AREA_KIND:
        mistakes.append(Mistake("/kind", "area_kind", "areas come by areas files, not one by one"))
    else:
        try:
            kind = find_kind(ctx, command.kind)
        except NotFound as error:
            mistakes.append(Mistake("/kind", "unknown_kind", error.detail))
    if kind and not mistakes:
        mistakes += key_mistakes(kind, command.key, "/key")
    return kind, mistakes


def _target(ctx: Context, code: str | None, mistakes: list[Mistake]) -> AreaView | None:
    """The area to put a subject in, within reach; None with a mistake where there is none."""
    if code is None:
        own = policy.principal(ctx).area_id
        code = ctx.sql(
            "SELECT code FROM area WHERE id = :id AND valid_to IS NULL", id=own
        ).scalar_one_or_none()
        if code is None:
            mistakes.append(Mistake("/area", "required", "Say in which area the subject is."))
            return None
    try:
        place = area_by_code(ctx, code)
    except UnknownArea as error:
        mistakes.append(Mistake("/area", "unknown_area", error.detail))
        return None
    policy.require_reach(ctx, place.path)
    return place


# The unique index keeps a key once in its region; a subject that moved in has another region.
_KNOWN = f"""
SELECT EXISTS (
  SELECT FROM (SELECT DISTINCT region_id FROM area) AS r
  JOIN subject AS s ON s.region_id = r.region_id AND s.kind_id = :kind AND s.key = :key
    AND s.active_to IS NULL
  JOIN area AS a ON a.id = s.area_id
  WHERE s.region_id = :region OR {BELOW.format(area="a", path="CAST(:path AS text)")})
"""


def _is_known(ctx: Context, kind: Kind, key: str, place: AreaView) -> bool:
    found = ctx.sql(
        _KNOWN, kind=kind.id, key=key, region=place.region_id, path=_own_area(ctx) or place.path
    ).scalar_one()
    return bool(found)


def change_subject(
    ctx: Context, id: str, command: ChangeSubject, *, if_match: str | None = None
) -> SubjectView:
    """Move a subject to another area within reach, or close it.

    A change that is so already changes nothing. UnknownSubject; Invalid;
    Forbidden for an area outside the actor's reach; Stale if `if_match` is not
    the present etag.
    """
    policy.require(ctx, Permission.WRITE_SUBJECTS)
    seen = _find(ctx, id)
    mistakes = _judge_change(ctx, command, seen)
    place = None if command.area is None else _target(ctx, command.area, mistakes)
    if mistakes:
        raise Invalid("The subject cannot be changed so.", mistakes=mistakes)
    locks.share_regions(ctx, {seen.region_id, place.region_id if place else seen.region_id})
    old = _find(ctx, id, lock=True)
    if if_match is not None and if_match != _etag(old):
        raise Stale
    if place is not None:
        # The area may have ended while the lock was awaited.
        area_by_code(ctx, place.code)
    if mistakes := _judge_change(ctx, command, old):
        raise Invalid("The subject cannot be changed so.", mistakes=mistakes)
    if place is not None and place.id != old.area_id:
        _place(ctx, old, area_id=place.id, active_to=old.active_to)
        ctx.emit(SubjectMoved(old.region_id, old.id, old.kind_id, old.area_id, place.id))
        audit.append(ctx, Tag.SUBJECT_MOVED, "subject", id, from_area=old.area, to_area=place.code)
    elif command.active_to is not None and command.active_to != old.active_to:
        _place(ctx, old, area_id=old.area_id, active_to=command.active_to)
        ctx.emit(SubjectClosed(old.region_id, old.id, old.kind_id, old.area_id, command.active_to))
        audit.append(ctx, Tag.SUBJECT_CLOSED, "subject", id, on=command.active_to.isoformat())
    return _view(_find(ctx, id))


def _judge_change(ctx: Context, command: ChangeSubject, row: Any) -> list[Mistake]:
    mistakes = []
    if (command.area is None) == (command.active_to is None):
        mistakes.append(Mistake("", "one_change", "Give either area or active_to."))
    if row.kind == AREA_KIND:
        mistakes.append(Mistake("", "area_kind", "Areas change by area changes, not one by one."))
    elif row.active_to is not None and row.active_to != command.active_to:
        mistakes.append(Mistake("", "closed", f"The subject is no more since {row.active_to}."))
    if command.active_to is not None:
        if command.active_to > ctx.today():
            mistakes.append(Mistake("/active_to", "future", "The day is still to come."))
        if row.active_from is not None and command.active_to < row.active_from:
            began = f"The subject began on {row.active_from}."
            mistakes.append(Mistake("/active_to", "dates", began))
    return mistakes


def _place(ctx: Context, old: Any, *, area_id: int, active_to: dt.date | None) -> None:
    """Write the new placement, and the old one to the history, at one instant."""
    key = {"region": old.region_id, "id": old.id}
    this = "FROM (SELECT) AS one WHERE s.region_id = :region AND s.id = :id"
    at = instant(ctx)
    supersede(ctx, this, at=at, **key)
    ctx.sql(
        f"UPDATE subject AS s SET area_id = :area, active_to = :to, recorded_at = :at {this}",
        at=at,
        area=area_id,
        to=active_to,
        **key,
    )
