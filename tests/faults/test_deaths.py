"""Nothing accepted is lost, and once means once, wherever a process dies (DESIGN.md §4)."""

from __future__ import annotations

import job_scenes  # noqa: F401 - these three are imported for what they register
import pytest
import relay_scenes  # noqa: F401
import web_scenes  # noqa: F401
from dying import Theatre
from scenes import SCENES

from workers.jobs import JOBS


def test_every_job_has_a_scene() -> None:
    ours = {name for name, job in JOBS.items() if job.body.__module__.startswith("workers.")}
    assert ours == {scene.job.value for scene in SCENES.values() if scene.job is not None}


@pytest.mark.parametrize("name", [name for name, scene in SCENES.items() if not scene.is_long])
def test_nothing_is_lost_or_doubled(theatre: Theatre, name: str) -> None:
    theatre.play(SCENES[name])


@pytest.mark.soak
@pytest.mark.parametrize("name", SCENES)
def test_at_every_boundary_nothing_is_lost_or_doubled(theatre: Theatre, name: str) -> None:
    theatre.play(SCENES[name], everywhere=True)
