"""The whitelist of the machine's world: one field of each kind that has rules of its own."""

from __future__ import annotations

from factories import about_residents, field

CONSENT = {"category": "conditional", "conditions": "须经数源部门同意"}
SECRET = {"category": "restricted", "basis": "《统计法》第九条"}

FIELDS = (
    field("town.people"),
    field("town.checked", review="township"),
    field("town.road", period_type="none", valid_for="P30D", unit=None),
    field("town.watched", period_type="none", valid_for="P30D", review="township"),
    field("town.shared", mode="share", collected_at=None),
    field("town.length", collected_at="township"),
    field("town.turned", mode="share", collected_at=None),
    field("town.leaving"),
    field("town.granted", sharing=CONSENT),
    field("town.kept", sharing=SECRET),
    field("town.brief", expires_on="2026-05-15"),
    field("town.later", effective_from="2026-05-01"),
    about_residents("home.age"),
)
