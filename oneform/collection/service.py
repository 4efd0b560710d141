"""The verbs of asking and answering, for whoever serves people: API, pages, workbook."""

from __future__ import annotations

from oneform.collection.amendment import amend_answer
from oneform.collection.deciding import decide_refusal
from oneform.collection.drafts import save_drafts
from oneform.collection.form import read_form
from oneform.collection.receipts import get_submission, list_submissions
from oneform.collection.refusals import get_refusal, list_refusals, refuse_asks
from oneform.collection.review import list_reviews
from oneform.collection.reviewing import decide_reviews
from oneform.collection.submission import submit_answers

__all__ = [
    "amend_answer",
    "decide_refusal",
    "decide_reviews",
    "get_refusal",
    "get_submission",
    "list_refusals",
    "list_reviews",
    "list_submissions",
    "read_form",
    "refuse_asks",
    "save_drafts",
    "submit_answers",
]
