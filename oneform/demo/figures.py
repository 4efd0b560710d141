"""Invented figures for villages: plausible, consistent with one another, the same at every run. Pure.

Each village has traits of its own, drawn once from its code (how many people,
how old, how many work away); a year moves them a little. Figures that hang
together are computed from one another, so that nobody finds more people over
sixty than people. None of it is an estimate of anything.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SEED = "oneform demo 1"
BASE_YEAR = 2025

Figures = dict[str, int | float]
"""By code of the field."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is particular about a village. Shares are of people or of households."""

    residents: int
    growth: float
    household_size: float
    registered_ratio: float
    """Registered people to residents: more than one where many have left."""
    share_60_plus: float
    migrant_share: float
    """Of the registered people."""
    allowance_share: float
    allowance_size: float
    """People of a household on the allowance who are on it."""
    care_facilities: int
    land_per_head: float
    """亩."""
    tap_share: float
    broadband_share: float
    toilet_share: float
    road_km: float


def traits_of(code: str, *, is_community: bool) -> Traits:
    """The traits of the village with this code; a community is larger, younger, and has less land."""
    draw = random.Random(f"{SEED} {code}")
    between = draw.uniform
    if is_community:
        return Traits(
            residents=round(between(2400, 6800)),
            growth=between(0.000, 0.012),
            household_size=between(2.5, 2.9),
            registered_ratio=between(0.86, 1.02),
            share_60_plus=between(0.15, 0.19),
            migrant_share=between(0.08, 0.16),
            allowance_share=between(0.008, 0.020),
            allowance_size=between(1.3, 1.9),
            care_facilities=draw.choice((1, 1, 2, 3)),
            land_per_head=between(0.02, 0.25),
            tap_share=between(0.97, 1.00),
            broadband_share=between(0.86, 0.97),
            toilet_share=between(0.95, 1.00),
            road_km=between(4, 14),
        )
    return Traits(
        residents=round(min(3200, max(420, draw.lognormvariate(7.15, 0.38)))),
        growth=between(-0.018, 0.002),
        household_size=between(2.5, 3.1),
        registered_ratio=between(1.08, 1.34),
        share_60_plus=between(0.18, 0.25),
        migrant_share=between(0.20, 0.34),
        allowance_share=between(0.022, 0.055),
        allowance_size=between(1.2, 1.7),
        care_facilities=draw.choice((0, 0, 1, 1, 1, 2)),
        land_per_head=between(0.9, 1.9),
        tap_share=between(0.82, 0.99),
        broadband_share=between(0.58, 0.86),
        toilet_share=between(0.76, 0.97),
        road_km=between(9, 34),
    )


def figures_of(code: str, year: int, *, is_community: bool) -> Figures:
    """The figures of a village at the end of a year."""
    traits = traits_of(code, is_community=is_community)
    draw = random.Random(f"{SEED} {code} {year}")
    age = year - BASE_YEAR

    def moved(share: float, by: float) -> float:
        """A share some years on: a little more each year, and a little uneven."""
        return min(1.0, max(0.0, share * (1 + by * age) * draw.uniform(0.992, 1.008)))

    residents = round(traits.residents * (1 + traits.growth) ** age * draw.uniform(0.996, 1.004))
    households = round(residents / traits.household_size)
    registered = round(residents * traits.registered_ratio)
    over_60 = round(residents * min(0.25, max(0.15, moved(traits.share_60_plus, 0.02))))
    on_allowance = households * moved(traits.allowance_share, -0.01)
    road_km = traits.road_km * max(0.5, 1 + 0.02 * age)
    return {
        "population.resident_total": residents,
        "population.resident_households": households,
        "elderly.aged_60_plus": over_60,
        "elderly.care_facilities": traits.care_facilities,
        "assistance.allowance_households": round(on_allowance),
        "assistance.allowance_persons": round(
            on_allowance * traits.allowance_size * draw.uniform(0.992, 1.008)
        ),
        "land.cultivated_area": round(registered * traits.land_per_head, 1),
        "employment.migrant_workers": round(registered * moved(traits.migrant_share, 0.01)),
        "water.tap_households": round(households * moved(traits.tap_share, 0.01)),
        "transport.hardened_road_km": round(road_km, 1),
        "digital.broadband_households": round(households * moved(traits.broadband_share, 0.03)),
        "environment.sanitary_toilet_households": round(
            households * moved(traits.toilet_share, 0.02)
        ),
    }
