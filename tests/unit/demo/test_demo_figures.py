"""The invented figures hang together, and never change."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.demo.county import COUNTY, TOWNSHIP, VILLAGE, Place, villages
from oneform.demo.figures import figures_of

codes = st.from_regex(r"\A4205271\d{2}\d{3}\Z")
years = st.integers(2015, 2035)


def test_the_county_is_whole() -> None:
    places = villages()
    assert len(places) == len({place.code for place in places}) == 179
    assert len({place.township for place in places}) == 12
    assert all(place.code.startswith(COUNTY[:6]) for place in places)
    (chosen,) = [place for place in places if place.code == VILLAGE]
    assert (chosen.name, chosen.township) == ("屈原村村民委员会", TOWNSHIP)
    # The last three digits say what it is: communities below 200, villages from there on.
    assert all(place.is_community == (place.code[-3:] < "200") for place in places)


@given(codes, years, st.booleans())
def test_figures_are_consistent(code: str, year: int, is_community: bool) -> None:
    figures = figures_of(code, year, is_community=is_community)
    people = figures["population.resident_total"]
    households = figures["population.resident_households"]
    assert all(value >= 0 for value in figures.values())
    assert 2 <= people / households <= 3.5
    assert 0.14 <= figures["elderly.aged_60_plus"] / people <= 0.26
    for each in (
        "assistance.allowance_households",
        "water.tap_households",
        "digital.broadband_households",
        "environment.sanitary_toilet_households",
    ):
        assert figures[each] <= households, each
    on_allowance = figures["assistance.allowance_households"]
    assert on_allowance <= figures["assistance.allowance_persons"] <= 2 * on_allowance + 1
    assert figures["employment.migrant_workers"] < people


@given(codes, years, st.booleans())
def test_a_year_changes_little(code: str, year: int, is_community: bool) -> None:
    before = figures_of(code, year - 1, is_community=is_community)
    after = figures_of(code, year, is_community=is_community)
    assert before.keys() == after.keys()
    for field, value in before.items():
        # Within the soft checks of the starter catalogue, but for numbers too small to matter.
        assert abs(after[field] - value) <= max(2, 0.2 * value), field


@given(codes, years, st.booleans())
def test_figures_are_the_same_at_every_run(code: str, year: int, is_community: bool) -> None:
    first = figures_of(code, year, is_community=is_community)
    assert figures_of(code, year, is_community=is_community) == first


def test_villages_differ() -> None:
    people = Counter(
        figures_of(place.code, 2025, is_community=place.is_community)["population.resident_total"]
        for place in villages()
    )
    assert len(people) > 150


@pytest.mark.parametrize("name", ["滨湖社区居民委员会", "石柱土家族村村民委员会"])
def test_a_community_is_told_by_its_name(name: str) -> None:
    assert Place("420527101001", name, TOWNSHIP).is_community == ("社区" in name)
