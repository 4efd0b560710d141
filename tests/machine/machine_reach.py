"""How far the machine must have come, or its test says nothing: deeds and states, by how often."""

from __future__ import annotations

from collections import Counter

REACH = {
    "submission": 20,
    "submission with mistakes": 1,
    "late answer": 2,
    "draft saved": 2,
    "draft conflict": 1,
    "draft removed": 1,
    "amendment taken": 4,
    "amendment invalid-answers": 1,
    "review of an answer: accept": 1,
    "review of an answer: return": 1,
    "asked once more": 1,
    "amendment not-amendable": 2,
    "review of an amendment: accept": 1,
    "review of an amendment: return": 1,
    "refusal: overturn unit": 1,
    "refusal: uphold unit": 1,
    "refusal: uphold all": 1,
    "request accepted": 20,
    "request off-whitelist": 1,
    "cancelling taken": 4,
    "grant: grant": 1,
    "grant: refuse": 1,
    "grant: extend": 1,
    "grant for some days": 1,
    "field: share to collect": 1,
    "field: collect to share": 1,
    "field: retired": 1,
    "area: open": 3,
    "area: move": 1,
    "area: merge": 1,
    "area: close": 1,
    "area: split": 1,
    "area: rename": 1,
    "area: recode": 1,
    "import": 1,
    "news in the store": 3,
    "death of a worker": 2,
    "asks open": 40,
    "asks in_review": 6,
    "asks returned": 1,
    "asks refused": 3,
    "asks answered": 20,
    "asks upheld": 1,
    "asks expired": 3,
    "asks withdrawn": 8,
    "answers recorded": 20,
    "answers in_review": 8,
    "answers returned": 2,
    "answers superseded": 4,
    "answers withdrawn": 1,
    "refusals undecided": 3,
    "refusals overturned": 1,
    "refusals upheld": 2,
    "requests resolving": 1,
    "requests collecting": 15,
    "requests fulfilled": 3,
    "requests partial": 8,
    "requests cancelled": 4,
}
"""In each ordinary run, on the average: it has every life in it."""

SHARE_BY_CHANCE = 1 / 20
"""Of that, in each run by chance, which begins with three lives at most."""

ENOUGH_BY_CHANCE = 100
"""So many runs by chance, at least, say how far they come; of fewer it is chance itself."""


def hardly_met(met: Counter[str], *, runs: float) -> dict[str, int]:
    """What was met less often than so many ordinary runs must have met it."""
    return {what: met[what] for what, least in REACH.items() if met[what] < int(least * runs)}
