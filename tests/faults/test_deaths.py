"""Nothing accepted is lost, and once means once, wherever a process dies (DESIGN.md §4)."""

from __future__ import annotations

import job_scenes  # noqa: F401 - these three are imported for what they register
import pytest
import relay_scenes  # noqa: F401
import web_scenes  # noqa: F401
from dying import Theatre
from fault_world import World
from scenes import SCENES

from workers.jobs import JOBS


def test_every_job_has_a_scene() -> None:
    ours = {name for name, job in JOBS.items() if job.body.__module__.startswith("workers.")}
    assert ours == {scene.job.value for scene in SCENES.values() if scene.job is not None}


WITHOUT_A_SCENE = {
    "POST /api/v1/requests/check": "writes nothing",
    "POST /api/v1/sources/<source_id>/probe": "writes nothing",
    "POST /form/check": "writes what /form/save does, and nothing more",
    "POST /form/drafts": "writes what /form/save does, and nothing more",
    "POST /form/edit": "writes what /form/save does, and nothing more",
    "POST /form/language/<code>": "writes what /form/save does, and nothing more",
    "POST /api/v1/sessions": "a session that nobody was told of runs out; the next is another one",
    "POST /login": "a session that nobody was told of runs out; the next is another one",
    "POST /oauth/token": "a token that nobody was told of runs out; the next is another one",
    "DELETE /api/v1/sessions/current": "one row goes, and whoever asks again is not let in",
    "POST /logout": "one row goes, and whoever asks again is at the door",
}


def test_every_writing_route_has_a_scene(world: World) -> None:
    writing = {
        f"{method} {rule.rule}"
        for rule in world.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    played = {scene.route for scene in SCENES.values() if scene.route is not None}
    assert writing - played == set(WITHOUT_A_SCENE)


@pytest.mark.parametrize("name", [name for name, scene in SCENES.items() if not scene.is_long])
def test_nothing_is_lost_or_doubled(theatre: Theatre, name: str) -> None:
    theatre.play(SCENES[name])


@pytest.mark.soak
@pytest.mark.parametrize("name", SCENES)
def test_at_every_boundary_nothing_is_lost_or_doubled(theatre: Theatre, name: str) -> None:
    theatre.play(SCENES[name], everywhere=True)
