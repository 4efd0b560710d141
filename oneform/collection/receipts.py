"""Reading what was sent: submissions of a unit, and each with its answers."""

from __future__ import annotations

import uuid
from typing import Any

from oneform.collection.form import subject_ref
from oneform.collection.questions import in_language
from oneform.collection.reach import find_unit
from oneform.collection.views import AnswerView, SubmissionSummary, SubmissionView
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.ids import pack_id
from oneform.kernel.paging import Page, decode_cursor, encode_cursor

_SUBMISSIONS = """
SELECT b.id, u.code AS unit, u.name AS unit_name, u.path, u.region_id, p.name AS by, b.mode,
  b.accepted, b.in_review, b.invalid, b.created_at
FROM submission AS b JOIN area AS u ON u.id = b.unit_id JOIN staff AS p ON p.id = b.staff_id
"""

ANSWER_COLUMNS = """w.region_id, w.id, w.ask_id, f.code AS field, v.name AS field_name,
  a.subject_id, s.key, s.name, k.personal, a.period, w.kind, w.value, w.missing, w.note, w.state,
  w.comment, w.created_at, w.decided_at"""

ANSWER_JOINS = """
JOIN ask AS a ON a.region_id = w.region_id AND a.id = w.ask_id
JOIN field AS f ON f.id = a.field_id
JOIN field_version AS v ON v.id = a.field_version_id
JOIN subject AS s ON s.region_id = a.region_id AND s.id = a.subject_id
JOIN subject_kind AS k ON k.id = s.kind_id
"""

_ANSWERS = f"""
SELECT {ANSWER_COLUMNS} FROM answer AS w {ANSWER_JOINS}
WHERE w.region_id = ANY(:regions) AND w.submission_id = :id ORDER BY w.region_id, w.id
"""


def list_submissions(
    ctx: Context,
    *,
    unit: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[SubmissionSummary]:
    """What a unit (the actor's own by default) sent, and all below it, the newest first."""
    policy.require(ctx, Permission.READ_FORM)
    place = find_unit(ctx, unit)
    (before,) = decode_cursor(cursor, [uuid.UUID]) if cursor else (None,)
    rows = ctx.sql(
        _SUBMISSIONS + "WHERE u.path >= :path AND u.path < :path || '~' "
        "AND (CAST(:before AS uuid) IS NULL OR b.id < :before) ORDER BY b.id DESC LIMIT :limit",
        path=place.path,
        before=before,
        limit=limit + 1,
    ).all()
    items = [SubmissionSummary(**_summary(row)) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def get_submission(
    ctx: Context, submission_id: uuid.UUID, *, language: str = "zh"
) -> SubmissionView:
    """A receipt with its answers, as they stand today. NotFound, also outside the reach."""
    policy.require(ctx, Permission.READ_FORM)
    row = ctx.sql(_SUBMISSIONS + "WHERE b.id = :id", id=submission_id).one_or_none()
    policy.require_reach(ctx, row.path if row else None, secret=True)
    assert row is not None
    answers = ctx.sql(_ANSWERS, regions=[row.region_id], id=submission_id).all()
    if len(answers) < row.accepted + row.in_review:
        # Some subjects came from other regions; an answer lies where its subject does.
        regions = list(ctx.sql("SELECT DISTINCT region_id FROM area").scalars())
        answers = ctx.sql(_ANSWERS, regions=regions, id=submission_id).all()
    return SubmissionView(
        **_summary(row), answers=[AnswerView(**answer_members(a, language)) for a in answers]
    )


def _summary(row: Any) -> dict[str, Any]:
    return {
        name: getattr(row, name)
        for name in (
            *("id", "unit", "unit_name", "by", "mode"),
            *("accepted", "in_review", "invalid", "created_at"),
        )
    }


def answer_members(row: Any, language: str) -> dict[str, Any]:
    """Members of an AnswerView from `ANSWER_COLUMNS`."""
    return {
        "id": pack_id(row.region_id, row.id),
        "ask": pack_id(row.region_id, row.ask_id),
        "field": row.field,
        "field_name": in_language(row.field_name, language),
        "subject": subject_ref(row),
        "period": row.period or None,
        "kind": row.kind,
        "value": row.value,
        "missing": row.missing,
        "note": row.note,
        "state": row.state,
        "comment": row.comment,
        "created_at": row.created_at,
        "decided_at": row.decided_at,
    }
