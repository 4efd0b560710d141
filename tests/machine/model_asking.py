"""Model: what staff and reviewers do with asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from model_cells import Key, Origin, Value
from model_places import Place
from model_state import LIVE, OPEN, Answer, Ask, Draft, Model, Person, Refusal

NOTE = "查过"


@dataclass(frozen=True)
class Given:
    """An answer as it is sent. `ask` is None for an id that is nobody's."""

    ask: Ask | None
    value: Any = None
    confirm: bool = False
    missing: str | None = None
    note: str | None = None


def reaches(person: Person, place: Place) -> bool:
    return place.is_within(person.place)


def why_not(person: Person, ask: Ask | None) -> str | None:
    """Why somebody cannot answer or refuse an ask."""
    if ask is None or not ask.id:
        return "unknown_ask"
    if not reaches(person, ask.unit):
        return "outside_reach"
    return None if ask.state in OPEN else "not_open"


def previous(m: Model, key: Key) -> Value | None:
    """The value to confirm: of an earlier period, or the standing one that is there."""
    code, period, subject = key
    cells = [m.cells[key]] if period == "" and key in m.cells else []
    if period:
        earlier = sorted((k[1], c) for k, c in m.cells.items() if k[0] == code and k[2] == subject
                         and "" < k[1] < period)  # fmt: skip
        cells = [cell for _, cell in earlier]
    values = [cell.current for cell in cells if cell.current and cell.current.missing is None]
    return values[-1] if values else None


def mistake(m: Model, person: Person, given: Given) -> str | None:
    """What is wrong with an answer."""
    if given.missing is not None and not given.note:
        return "schema"
    if (closed := why_not(person, given.ask)) is not None:
        return closed
    assert given.ask is not None
    version = m.version_of(given.ask)
    value = given.value
    if given.confirm:
        known = previous(m, given.ask.key)
        if known is None:
            return "nothing_to_confirm"
        value = known.value
    return None if given.missing or version.takes(value) else "schema"


@dataclass(frozen=True)
class Outcome:
    """Of a submission: the problem's name, or how many answers went where."""

    problem: str | None
    accepted: int = 0
    in_review: int = 0
    invalid: tuple[str, ...] = ()
    """Code of each wrong answer, in the order of the answers."""


def submit(m: Model, person: Person, answers: list[Given], *, partial: bool) -> Outcome:
    """In mode `all` one wrong answer refuses all; else what was typed into it is kept as a draft."""
    mistakes = [mistake(m, person, given) for given in answers]
    invalid = tuple(code for code in mistakes if code)
    if invalid and not partial:
        return Outcome("invalid-answers", invalid=invalid)
    m.submissions += 1
    accepted = in_review = 0
    for given, wrong in zip(answers, mistakes, strict=True):
        if wrong is None:
            if _take(m, person, given):
                in_review += 1
            else:
                accepted += 1
    for given, wrong in zip(answers, mistakes, strict=True):
        if wrong in ("schema", "nothing_to_confirm") and given.value is not None:
            _keep_typed(person, given)
    return Outcome(None, accepted, in_review, invalid)


def _take(m: Model, person: Person, given: Given) -> bool:
    """Take a right answer; whether it waits for a review."""
    ask = given.ask
    assert ask is not None
    value = given.value
    if given.confirm:
        known = previous(m, ask.key)
        assert known is not None
        value = known.value
    kind = "confirm" if given.confirm else given.missing or "value"
    waits = m.version_of(ask).reviewed
    state = "in_review" if waits else "recorded"
    m.answers.append(Answer(ask, m.submissions, kind, value, given.missing, state, person, m.today))
    if waits:
        ask.state, ask.comment, ask.draft = "in_review", None, None
    else:
        by = Origin("submission", person.name, m.submissions)
        record(m, ask.key, Value(value, given.missing, m.today, by), authoritative=False)
    return waits


def _keep_typed(person: Person, given: Given) -> None:
    """Unless somebody else has typed something there."""
    ask = given.ask
    if ask is not None and (ask.draft is None or ask.draft.by == person.name):
        ask.draft = Draft(given.value, person.name)


def record(m: Model, key: Key, value: Value, *, authoritative: bool) -> str:
    """A value comes in, from wherever; a fresh one ends the ask of its cell."""
    outcome = m.cells.record(key, value, authoritative=authoritative, today=m.today, step=m.step)
    ask = m.holder(key)
    if ask is not None and ask.is_live and m.cells[key].is_fresh(m.today):
        if ask.state == "in_review":
            for answer in m.answers:
                if answer.ask is ask and answer.state == "in_review":
                    answer.state = "superseded"
        m.end(ask, "answered")
    return outcome


# ---- drafts --------------------------------------------------------------------


def save_draft(m: Model, person: Person, ask: Ask, value: Any, base: str | None) -> str:
    """`saved`, `removed`, `conflict` or `refused`. Whose draft it was, and of when, is told by `base`."""
    if why_not(person, ask) is not None:
        return "refused"
    theirs = ask.draft
    if base != (theirs.etag if theirs else None):
        same = theirs is not None and (theirs.by, theirs.value) == (person.name, value)
        return "saved" if same else "conflict"
    ask.draft = None if value is None else Draft(value, person.name)
    return "removed" if value is None else "saved"


# ---- review --------------------------------------------------------------------


def why_not_reviewed(m: Model, person: Person, answer: Answer, *, accept: bool) -> str | None:
    if not reaches(person, answer.ask.unit):
        return "unknown_answer"
    waits = answer.kind == "amendment" or answer.ask.state == "in_review"
    if answer.state != "in_review" or not waits:
        return "not_in_review"
    if accept and answer.kind == "amendment" and not is_held(m, answer.ask):
        return "replaced"
    return None


def accept_answer(m: Model, answer: Answer) -> None:
    """It counts, as from whoever gave it."""
    if answer.kind == "amendment":
        _supersede(m, answer.ask, "recorded")
    answer.state = "recorded"
    by = Origin("submission", answer.who.name, answer.submission)
    value = Value(answer.value, answer.missing, answer.on, by)
    record(m, answer.ask.key, value, authoritative=answer.kind == "amendment")
    if answer.ask.state == "in_review":
        _end_lapsed(m, answer.ask)


def _end_lapsed(m: Model, ask: Ask) -> None:
    """What was answered is too old by now: the ask is open again for those who still wait, or over."""
    ask.state = "open"
    waiting = [r for r in m.requests if m.waits(r, ask)]
    if not any(r.parts[ask.subject.region].was_resolved for r in waiting):
        m.end(ask, "answered")


def return_answer(answer: Answer, comment: str) -> None:
    """The ask is open again, with the comment, and what was typed is there."""
    answer.state = "returned"
    if answer.kind != "amendment":
        answer.ask.state, answer.ask.comment = "returned", comment
        if answer.missing is None:
            answer.ask.draft = Draft(answer.value, answer.who.name)


def is_held(m: Model, ask: Ask) -> bool:
    """Whether the cell of an ask still holds what was answered to it."""
    cell = m.cells.get(ask.key)
    if cell is None or cell.current is None:
        return False
    ours = {answer.submission for answer in m.answers if answer.ask is ask}
    return cell.current.origin.submission in ours


def amend(m: Model, person: Person, answer: Answer, value: Any) -> str | None:
    """Another value in the place of a recorded answer; the problem's name if that cannot be."""
    ask = answer.ask
    if not reaches(person, ask.unit):
        return "not-found"
    if answer.state != "recorded" or ask.is_live or not is_held(m, ask):
        return "not-amendable"
    version = m.version_of(ask)
    if not version.takes(value):
        return "invalid-answers"
    m.submissions += 1
    _supersede(m, ask, "in_review")
    state = "in_review" if version.reviewed else "recorded"
    if not version.reviewed:
        _supersede(m, ask, "recorded")
    m.answers.append(Answer(ask, m.submissions, "amendment", value, None, state, person, m.today))
    if not version.reviewed:
        by = Origin("submission", person.name, m.submissions)
        record(m, ask.key, Value(value, None, m.today, by), authoritative=True)
    return None


def _supersede(m: Model, ask: Ask, state: str) -> None:
    for answer in m.answers:
        if answer.ask is ask and answer.state == state:
            answer.state = "superseded"


# ---- refusals ------------------------------------------------------------------


def refuse(m: Model, person: Person, asks: list[Ask]) -> Refusal | None:
    """All or none, of one unit; None where it cannot be."""
    if any(why_not(person, ask) for ask in asks) or len({ask.unit for ask in asks}) > 1:
        return None
    for ask in asks:
        ask.state, ask.comment = "refused", None
    m.refusals.append(Refusal(asks, asks[0].unit, m.today))
    return m.refusals[-1]


def decide_refusal(
    m: Model, person: Person, refusal: Refusal, decision: str, scope: str
) -> str | None:
    """Upheld for the unit or for all, or overturned; the problem's name if that cannot be."""
    if not reaches(person, refusal.unit):
        return "not-found"
    if scope == "all" and person.role != "catalog_admin":
        return "forbidden"
    if scope == "all" and decision == "overturn":
        return "invalid-request"
    if refusal.state != "undecided":
        return "already-decided"
    stood = m.today - refusal.since
    refused = [ask for ask in refusal.asks if ask.state == "refused"]
    if decision == "overturn":
        refusal.state = "overturned"
        for ask in refused:
            _reopen(ask, stood)
        return None
    refusal.state = "upheld"
    for ask in refused:
        m.end(ask, "upheld")
    if scope == "all":
        spared = {ask.key[:2] for ask in refusal.asks}
        m.exempt |= spared
        for ask in m.asks:
            if ask.key[:2] in spared and ask.state in LIVE:
                m.withdraw(ask, "upheld")
    return None


def _reopen(ask: Ask, stood: dt.timedelta) -> None:
    """Its last day moves by as long as the clock stood still."""
    ask.state, ask.comment = "open", None
    ask.live_until += stood
    ask.stood += stood
