"""Model: what becomes of asks when areas, subjects and fields change."""

from __future__ import annotations

from model_asking import record
from model_catalog import Version
from model_cells import Key, Origin, Value
from model_places import Place, Subject
from model_state import Model


def close(m: Model, place: Place) -> None:
    """An area is no more: nobody answers for it, nor for whoever lived there."""
    for ask in m.live():
        if ask.subject.place is place:
            m.withdraw(ask)
    place.ended = m.map.subjects[place.id].ended = True


def merge(m: Model, old: Place, new: Place) -> None:
    """What was in the old area is in the new one; nobody is asked about the old area itself."""
    for ask in m.live():
        if ask.subject.id == old.id:
            m.withdraw(ask)
    for child in m.map.children(old):
        child.parent = new
    for subject in m.map.residents():
        if subject.place is old:
            subject.place = new
    old.ended = m.map.subjects[old.id].ended = True
    _readdress(m)


def move(m: Model, place: Place, parent: Place) -> None:
    place.parent = parent
    _readdress(m)


def move_resident(m: Model, subject: Subject, place: Place) -> None:
    subject.place = place
    _readdress(m)


def close_resident(m: Model, subject: Subject) -> None:
    subject.ended = True
    for ask in m.live():
        if ask.subject is subject:
            m.withdraw(ask)


def _readdress(m: Model) -> None:
    """Asks go to whoever answers for their subject now."""
    for ask in m.live():
        ask.unit = ask.subject.place.who_answers(m.version_of(ask).collected_at)


def supersede(m: Model, code: str, new: Version) -> None:
    """A new version from today on. Asks stand under the version that they were made under."""
    f = m.catalog.fields[code]
    f.versions[-1].ended = m.today
    f.versions.append(new)


def retire(m: Model, code: str) -> None:
    """Off the list from today on. Its asks are withdrawn when somebody sweeps."""
    f = m.catalog.fields[code]
    f.versions[-1].ended, f.retired = m.today, True


def take_import(m: Model, rows: list[tuple[Key, object, int]], *, is_owner: bool) -> dict[str, int]:
    """The rows (cell, value, age of the observation in days) of an owner's file."""
    counts = dict.fromkeys(("created", "updated", "unchanged", "invalid"), 0)
    for key, value, day in rows:
        f = m.catalog.fields[key[0]]
        version = f.in_force(day) or f.in_force(m.today)
        right = is_owner and version is not None and version.takes(value)
        if not right or m.map.subjects[key[2]].ended or day > m.today:
            counts["invalid"] += 1
            continue
        seen = Value(value, None, day, Origin("import", "stats"))
        counts[record(m, key, seen, authoritative=True)] += 1
    return counts
