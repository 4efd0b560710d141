"""What was answered 2xx, and must be there at the end."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Cell = tuple[str, str, str]
"""Field, period, code of the village."""


@dataclass
class Promises:
    """Kept by all clients together."""

    requests: dict[str, int] = field(default_factory=dict)
    """The agency of each accepted request, by its number."""
    submissions: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """How many answers of each submission were taken, by village."""
    values: dict[Cell, Any] = field(default_factory=dict)
    """The last accepted answer for each cell; None for one without a value."""
    in_review: dict[Cell, Any] = field(default_factory=dict)
    """The last answer that waits for a review, or whose review was never heard of."""
    refusals: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By village."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def request(self, request_id: str, agency: int) -> int:
        """Note an accepted request; how many there are by now."""
        with self.lock:
            self.requests[request_id] = agency
            return len(self.requests)

    def submission(
        self, village: str, receipt: str, values: dict[Cell, Any], in_review: dict[Cell, Any]
    ) -> None:
        with self.lock:
            self.submissions[village][receipt] = len(values) + len(in_review)
            self.values.update(values)
            self.in_review.update(in_review)

    def accepted(self, values: dict[Cell, Any]) -> None:
        """Answers were reviewed, and taken."""
        with self.lock:
            self.values.update(values)

    def refusal(self, village: str, refusal_id: str) -> None:
        with self.lock:
            self.refusals[village].add(refusal_id)

    def as_dict(self) -> dict[str, int]:
        return {
            "requests": len(self.requests),
            "submissions": sum(map(len, self.submissions.values())),
            "answers": sum(sum(each.values()) for each in self.submissions.values()),
            "refusals": sum(map(len, self.refusals.values())),
        }
