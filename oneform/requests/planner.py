"""How a request is cut into jobs. Pure: no SQL."""

from __future__ import annotations

from collections.abc import Iterable

CELLS_PER_JOB = 100_000
"""About as many cells as one job decides (DESIGN.md §6)."""

MAX_CELLS = 20_000_000
"""More is refused: `request-too-large`."""

FETCH_DELAYS_S = (5, 20, 60)
"""Pauses before a source that is down is tried again; then people are asked."""


def plan_jobs(
    cells_per_region: Iterable[tuple[int, int]], *, limit: int = CELLS_PER_JOB
) -> list[list[int]]:
    """Group regions, given as (region id, cells), into jobs of about `limit` cells.

    Every region is in exactly one job, in ascending order of ids; a region is
    never cut, so one that is larger than the limit is a job of its own.
    """
    jobs: list[list[int]] = []
    size = 0
    for region_id, cells in sorted(cells_per_region):
        if not jobs or size + cells > limit:
            jobs.append([])
            size = 0
        jobs[-1].append(region_id)
        size += cells
    return jobs
