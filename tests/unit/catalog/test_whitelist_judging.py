"""The whitelist check of one field: each reason, and which goes before which."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.bundle import read_bundle
from catalog.check import check_bundle
from catalog.force import VersionState, in_force, speaking, state_on
from catalog.judging import Demand, Reason, judge
from catalog.views import FieldVersionView

FIELDS = check_bundle(read_bundle(Path(__file__).parent / "sample_bundle.yaml")).definitions
OWNER, OTHER = 1, 2
ON = dt.date(2026, 12, 1)


def version(
    code: str = "population.resident_total", number: int = 1, **parts: Any
) -> FieldVersionView:
    """A version of a sample field; `parts` change its definition or its end."""
    ends = {name: parts.pop(name, None) for name in ("ends_on", "ended_as")}
    return FieldVersionView(
        version_id=number,
        field_id=1,
        version=number,
        definition=replace(FIELDS[code], **parts),
        kind_id=1,
        owner_id=OWNER,
        owner_name={"zh": "统计局"},
        origin="operator",
        published_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        **ends,
    )


DEMAND = Demand(
    fields=["population.resident_total"],
    kind="area",
    level=5,
    period="2026",
    area_paths=["/1/2/", "/1/3/4/"],
    agency_id=OTHER,
    agency_path="/1/",
)


def verdict(*versions: FieldVersionView, on: dt.date = ON, **demand: Any) -> tuple[str | None, str]:
    found = judge(versions, replace(DEMAND, **demand), on)
    assert (found.reason is None) == (found.detail == "")
    return found.reason, found.detail


RETIRED = {"ends_on": dt.date(2026, 6, 1), "ended_as": "retired"}

REJECTED: list[tuple[str, tuple[FieldVersionView, ...], dict[str, Any], Reason]] = [
    ("no such field", (), {}, Reason.UNKNOWN),
    ("only in future", (version(effective_from=dt.date(2026, 12, 2)),), {}, Reason.NOT_IN_FORCE),
    ("retired", (version(**RETIRED),), {}, Reason.RETIRED),
    ("retired before its day came", (version(effective_from=dt.date(2027, 1, 1), **RETIRED),), {}, Reason.RETIRED),
    ("expired yesterday", (version(expires_on=dt.date(2026, 11, 30)),), {}, Reason.EXPIRED),
    ("expired, renewed only later", (
        version(expires_on=dt.date(2026, 11, 30)),
        version(number=2, effective_from=dt.date(2027, 1, 1)),
    ), {}, Reason.EXPIRED),
    ("about areas, not residents", (version(),), {"kind": "resident", "level": None}, Reason.WRONG_KIND),
    ("about residents, not areas", (version("resident.age"),), {}, Reason.WRONG_KIND),
    ("not there for counties", (version(),), {"level": 3}, Reason.WRONG_LEVEL),
    ("no level said", (version(),), {"level": None}, Reason.WRONG_LEVEL),
    ("month instead of year", (version(),), {"period": "2026-11"}, Reason.WRONG_PERIOD),
    ("no period", (version(),), {"period": ""}, Reason.WRONG_PERIOD),
    ("no period at all", (version(),), {"period": "soon"}, Reason.WRONG_PERIOD),
    ("before the window opens", (version(window={"from": "12-02", "to": "01-31"}),), {}, Reason.OUTSIDE_WINDOW),
    ("after the window closed", (version(window={"from": "09-01", "to": "11-30"}),), {}, Reason.OUTSIDE_WINDOW),
    ("not shared with others", (version(sharing={"category": "restricted", "conditions": None, "basis": "x"}),), {}, Reason.RESTRICTED),
    ("not shared with nobody", (version(sharing={"category": "restricted", "conditions": None, "basis": "x"}),), {"agency_id": None}, Reason.RESTRICTED),
    ("beside the agency's area", (version(),), {"agency_path": "/1/2/"}, Reason.OUTSIDE_AGENCY_AREA),
    ("above the agency's area", (version(),), {"agency_path": "/1/2/9/"}, Reason.OUTSIDE_AGENCY_AREA),
    ("agency without area", (version(),), {"agency_path": None}, Reason.OUTSIDE_AGENCY_AREA),
]  # fmt: skip


@pytest.mark.parametrize(
    ("versions", "demand", "reason"), [c[1:] for c in REJECTED], ids=[c[0] for c in REJECTED]
)
def test_field_is_rejected_for_its_reason(
    versions: tuple[FieldVersionView, ...], demand: dict[str, Any], reason: Reason
) -> None:
    found, detail = verdict(*versions, **demand)
    assert found is reason
    assert detail.endswith((".", "x"))


def test_every_reason_has_a_case() -> None:
    assert {case[3] for case in REJECTED} == set(Reason)


ACCEPTED: list[tuple[str, FieldVersionView, dict[str, Any]]] = [
    ("year for a yearly field", version(), {}),
    ("first day", version(effective_from=ON), {}),
    ("last day", version(expires_on=ON), {}),
    ("to be retired tomorrow", version(ends_on=dt.date(2026, 12, 2), ended_as="retired"), {}),
    ("township level", version(), {"level": 4}),
    ("standing field without period", version(period_type="none"), {"period": ""}),
    ("standing field with a period", version(period_type="none"), {"period": "2026-11"}),
    ("first day of the window", version(window={"from": "12-01", "to": "01-31"}), {}),
    ("window over New Year", version(window={"from": "11-01", "to": "01-31"}), {}),
    ("restricted, for its owner",
     version(sharing={"category": "restricted", "conditions": None, "basis": "x"}), {"agency_id": OWNER}),
    ("conditional: a grant decides",
     version(sharing={"category": "conditional", "conditions": "x", "basis": None}), {}),
    ("the agency's own area", version(), {"agency_path": "/1/2/", "area_paths": ["/1/2/"]}),
    ("residents", version("resident.age"), {"kind": "resident", "level": None, "period": ""}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "demand"), [c[1:] for c in ACCEPTED], ids=[c[0] for c in ACCEPTED]
)
def test_field_is_accepted(field: FieldVersionView, demand: dict[str, Any]) -> None:
    assert verdict(field, **demand) == (None, "")


def test_agency_next_door_is_not_within_reach_by_its_number() -> None:
    assert verdict(version(), agency_path="/1/2/", area_paths=["/1/23/"])[0] is (
        Reason.OUTSIDE_AGENCY_AREA
    )


def test_of_all_that_is_wrong_the_first_reason_is_told() -> None:
    wrong: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"expires_on": dt.date(2026, 11, 30)}, {}),
        ({}, {"kind": "resident"}),
        ({}, {"level": 1}),
        ({}, {"period": "2026-11"}),
        ({"window": {"from": "01-01", "to": "01-02"}}, {}),
        ({"sharing": {"category": "restricted", "conditions": None, "basis": "x"}}, {}),
        ({}, {"agency_path": None}),
    ]
    told = []
    for first in range(len(wrong)):
        parts: dict[str, Any] = {}
        demand: dict[str, Any] = {}
        for part, change in wrong[first:]:
            parts |= part
            demand |= change
        told.append(verdict(version(**parts), **demand)[0])
    assert told == list(Reason)[3:]


def test_expired_field_says_when_it_comes_back() -> None:
    later = version(number=2, effective_from=dt.date(2027, 1, 1))
    assert verdict(version(expires_on=dt.date(2026, 11, 30)), later)[1] == (
        "Expired after 2026-11-30. In force again from 2027-01-01."
    )


FIRST = version(ends_on=dt.date(2026, 7, 1), ended_as="superseded")
SECOND = version(number=2, effective_from=dt.date(2026, 7, 1))


@pytest.mark.parametrize(
    ("day", "first", "second"),
    [
        (dt.date(2025, 12, 31), VersionState.APPROVED, VersionState.APPROVED),
        (dt.date(2026, 1, 1), VersionState.EFFECTIVE, VersionState.APPROVED),
        (dt.date(2026, 6, 30), VersionState.EFFECTIVE, VersionState.APPROVED),
        (dt.date(2026, 7, 1), VersionState.SUPERSEDED, VersionState.EFFECTIVE),
        (dt.date(2028, 12, 31), VersionState.SUPERSEDED, VersionState.EFFECTIVE),
        (dt.date(2029, 1, 1), VersionState.SUPERSEDED, VersionState.EXPIRED),
    ],
)
def test_version_gives_way_to_the_next_without_gap_or_overlap(
    day: dt.date, first: VersionState, second: VersionState
) -> None:
    assert (state_on(FIRST, day), state_on(SECOND, day)) == (first, second)
    effective = [v for v in (FIRST, SECOND) if state_on(v, day) is VersionState.EFFECTIVE]
    assert in_force([FIRST, SECOND], day) == (effective[0] if effective else None)


def test_field_without_version_in_force_is_told_by_the_last_that_was() -> None:
    assert speaking([FIRST, SECOND], dt.date(2025, 1, 1)) is FIRST
    assert speaking([FIRST, SECOND], dt.date(2026, 8, 1)) is SECOND
    assert speaking([FIRST, SECOND], dt.date(2030, 1, 1)) is SECOND
    with pytest.raises(ValueError, match="without versions"):
        speaking([], ON)
