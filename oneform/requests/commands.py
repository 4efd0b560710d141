"""What callers say. Shapes only; member names are those of API.md §4."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRequest:
    """An agency's demand, as in API.md §4. `due` is a day; `period` is "" where there is none."""

    title: str
    purpose: str
    legal_basis: str
    fields: list[str]
    areas: list[str]
    kind: str = "area"
    level: str | None = None
    period: str = ""
    due: dt.date
    urgent: bool = False
    gap: str = "ask"
    on_off_list: str = "reject"

    def demand(self) -> dict[str, Any]:
        """The demand as it goes on record."""
        return {
            "fields": self.fields,
            "scope": {"areas": self.areas, "kind": self.kind, "level": self.level},
            "period": self.period or None,
            "due": self.due.isoformat(),
            "urgent": self.urgent,
            "gap": self.gap,
            "on_off_list": self.on_off_list,
        }
