"""At the door: is a demand well-formed, on the list, in time, not too large?

Finds every mistake of the demand before it says anything; writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.periods import PeriodError, parse_period
from catalog.whitelist import Admission, Demand, FieldInForce, admit
from oneform.areas.kinds import AREA_KIND
from oneform.areas.models import Level
from oneform.identity.policy import Permission, Principal, principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake
from oneform.requests.commands import SubmitRequest
from oneform.requests.errors import DueTooSoon, InvalidRequest, RequestTooLarge
from oneform.requests.planner import MAX_CELLS

NOTICE_WORKING_DAYS = 3
"""Nobody may give less notice (DESIGN.md §9)."""

LONGEST_TERM = dt.timedelta(days=5 * 365 + 1)
"""How far ahead a request may be due. An ask stands for all that time, and days have an end."""

MAX_FIELDS = 500
MAX_AREAS = 1000
JUDGED = ("title", "purpose", "legal_basis", "fields", "areas", "kind", "level", "period", "due")
"""Members of a demand that have rules of their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """The scope of a demand, found in the database."""

    kind_id: int
    level: Level | None
    area_ids: list[int]
    paths: list[str]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A demand that is well-formed, with the verdict of the whitelist."""

    place: Place
    period: str
    admission: Admission
    cells_per_region: list[tuple[int, int]] = field(default_factory=list)
    """Region and number of subjects × accepted fields; empty for a demand that is refused."""

    @property
    def fields(self) -> list[FieldInForce]:
        return self.admission.accepted


def examine(ctx: Context, command: SubmitRequest) -> Admitted:
    """Judge a demand as of today.

    Raises InvalidRequest with every mistake, DueTooSoon, RequestTooLarge. Fields
    off the list are in the result: what follows from them is the caller's affair.
    """
    actor = principal(ctx)
    place = _check_form(ctx, command)
    admission = admit(
        ctx,
        Demand(
            fields=command.fields,
            kind=command.kind,
            level=place.level,
            period=command.period,
            area_paths=place.paths,
            agency_id=actor.agency_id,
            agency_path=actor.area_path,
        ),
        ctx.today(),
    )
    admitted = Admitted(place=place, period=command.period, admission=admission)
    if admission.rejected and (command.on_off_list == "reject" or not admission.accepted):
        # What is off the list is said, and put on record, before anything else.
        return admitted
    _check_notice(ctx, command, actor)
    cells = count_cells(ctx, admitted)
    if not cells:
        raise InvalidRequest(
            mistakes=[
                Mistake("/scope", "no_subjects", "There is nothing of this kind and level there.")
            ]
        )
    return replace(admitted, cells_per_region=cells)


def _check_form(ctx: Context, command: SubmitRequest) -> Place:
    sound = {name: getattr(command, name) for name in JUDGED}
    kind_id, areas = _look_up(ctx, sound)
    mistakes = _mistakes(ctx, sound, kind_id, areas)
    if mistakes or kind_id is None:
        raise InvalidRequest(mistakes=mistakes)
    return Place(
        kind_id=kind_id,
        level=Level.of(command.level) if command.level is not None else None,
        area_ids=[areas[code].id for code in command.areas],
        paths=[areas[code].path for code in command.areas],
    )


def find_mistakes(ctx: Context, sound: Mapping[str, Any]) -> list[Mistake]:
    """Every mistake of a demand, of which only some members may be there to be judged.

    `sound`: members of `SubmitRequest` named in `JUDGED` that have the right type. Whoever
    reads a demand that is broken elsewhere says with this what else is wrong with it.
    """
    return _mistakes(ctx, sound, *_look_up(ctx, sound))


def _look_up(ctx: Context, sound: Mapping[str, Any]) -> tuple[int | None, dict[str, Any]]:
    kind_id = ctx.sql(
        "SELECT id FROM subject_kind WHERE code = :code", code=sound.get("kind")
    ).scalar()
    rows = ctx.sql(
        "SELECT code, id, path FROM area WHERE code = ANY(:codes) AND valid_to IS NULL",
        codes=sound.get("areas", []),
    )
    return kind_id, {row.code: row for row in rows}


def _mistakes(
    ctx: Context, sound: Mapping[str, Any], kind_id: int | None, areas: Mapping[str, Any]
) -> list[Mistake]:
    mistakes: list[Mistake] = []

    def mistake(pointer: str, code: str, detail: str) -> None:
        mistakes.append(Mistake(pointer, code, detail))

    for name in ("title", "purpose", "legal_basis"):
        if not sound.get(name, "-").strip():
            mistake(f"/{name}", "empty", "Must not be empty.")
    if "fields" in sound:
        _check_list(sound["fields"], "/fields", MAX_FIELDS, mistakes)
    if "areas" in sound:
        _check_list(sound["areas"], "/scope/areas", MAX_AREAS, mistakes)
    if sound.get("period"):
        try:
            parse_period(sound["period"])
        except PeriodError as error:
            mistake("/period", "period", str(error))
    latest = ctx.today() + LONGEST_TERM
    if sound.get("due", latest) > latest:
        mistake("/due", "too_far", f"Due on {latest} at the latest: five years from today.")
    if "kind" in sound:
        _check_kind(sound["kind"], kind_id, sound, mistakes)
    for position, code in enumerate(sound.get("areas", ())):
        if code not in areas:
            mistake(f"/scope/areas/{position}", "unknown_area", f"There is no area “{code}”.")
    return mistakes


def _check_kind(
    kind: str, kind_id: int | None, sound: Mapping[str, Any], mistakes: list[Mistake]
) -> None:
    level = sound.get("level")
    if kind == AREA_KIND and "level" in sound:
        if level is None:
            mistakes.append(Mistake("/scope/level", "required", "Areas are requested at a level."))
        elif level not in [each.word for each in Level]:
            words = ", ".join(each.word for each in Level)
            mistakes.append(Mistake("/scope/level", "unknown_level", f"Must be one of {words}."))
    elif level is not None:
        mistakes.append(Mistake("/scope/level", "not_allowed", "Only areas have levels."))
    if kind_id is None:
        mistakes.append(
            Mistake("/scope/kind", "unknown_kind", f"There is no kind of subject “{kind}”.")
        )


def _check_list(items: list[str], pointer: str, most: int, mistakes: list[Mistake]) -> None:
    if not 1 <= len(items) <= most:
        mistakes.append(Mistake(pointer, "length", f"Must have 1 to {most} items."))
    seen: set[str] = set()
    for position, item in enumerate(items):
        if item in seen:
            mistakes.append(Mistake(f"{pointer}/{position}", "duplicate", f"“{item}” comes twice."))
        seen.add(item)


def _check_notice(ctx: Context, command: SubmitRequest, actor: Principal) -> None:
    if command.urgent and actor.may(Permission.SUBMIT_URGENT_REQUEST):
        if command.due < ctx.today():
            raise DueTooSoon("The due date has passed.")
        return
    earliest = earliest_due(ctx)
    if command.due < earliest:
        raise DueTooSoon(
            f"Due on {earliest} at the earliest: {NOTICE_WORKING_DAYS} working days' notice.",
            data={"earliest": earliest.isoformat()},
        )


def earliest_due(ctx: Context) -> dt.date:
    """The third working day after today."""
    return ctx.calendar.add_working_days(ctx.today(), NOTICE_WORKING_DAYS).day


_IN_SCOPE = """
  FROM unnest(CAST(:paths AS text[])) AS scope(path)
  JOIN area AS a ON a.path >= scope.path COLLATE "C" AND a.path < scope.path || '~' COLLATE "C"
    AND (CAST(:level AS int) IS NULL OR a.level = :level)
  JOIN subject AS s ON {join}
  WHERE s.kind_id = :kind AND (s.active_from IS NULL OR s.active_from <= :today)
    AND (s.active_to IS NULL OR s.active_to > :today)
"""


def subjects_in_scope(place: Place) -> str:
    """FROM clause of the active subjects `s` (and their areas `a`) in a scope.

    Parameters: `scope_params`. Areas are their own subjects, which saves a search.
    """
    own = "s.region_id = a.region_id AND s.id = a.id"
    return _IN_SCOPE.format(join=own if place.level is not None else "s.area_id = a.id")


def scope_params(ctx: Context, place: Place) -> dict[str, object]:
    return {
        "kind": place.kind_id,
        "level": place.level,
        "paths": outermost(place.paths),
        "today": ctx.today(),
    }


def count_cells(ctx: Context, admitted: Admitted) -> list[tuple[int, int]]:
    """Active subjects in the scope today, times accepted fields, as (region id, number).

    RequestTooLarge where they are more than one request may have.
    """
    counts = ctx.sql(
        f"SELECT s.region_id, count(*) AS n {subjects_in_scope(admitted.place)} GROUP BY 1",
        **scope_params(ctx, admitted.place),
    )
    cells = [(row.region_id, row.n * len(admitted.fields)) for row in counts]
    total = sum(n for _, n in cells)
    if total > MAX_CELLS:
        raise RequestTooLarge(f"{total} cells; one request may have {MAX_CELLS} at the most.")
    return cells


def outermost(paths: list[str]) -> list[str]:
    """Paths without those that lie below another of them: each subject once."""
    kept: list[str] = []
    for path in sorted(paths):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return kept
