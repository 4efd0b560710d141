"""Scenes: what is set up, and then done by a process that dies of it. Each is a function of the
world that gives the doing; its name is the scene's.

    @scene("POST /api/v1/submissions")
    def submission(world): …
        return world.submission({"ask": …, "value": 7})

    @scene(job=RequestJob.RESOLVE_REQUEST)
    def resolving(world): …               # leaves the job on the outbox, and gives nothing
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from doings import Call, Doing
from fault_world import World

from oneform.kernel.outbox import JobName


@dataclass(frozen=True, slots=True)
class Scene:
    name: str
    set_up: Callable[[World], Doing | None]
    route: str | None = None
    """The route that is called, as in the map of addresses; None for what is no call."""
    job: JobName | None = None
    """The job that dies; None for what is no job."""
    days: int = 0
    """How many days later it is done."""
    leaves: frozenset[str] = frozenset()
    """Tables that also tell of what was begun and not ended: they need not be the same at the end."""

    in_redis: Callable[[World], None] | None = None
    """What there is in Redis before each life."""
    everywhere: bool = False
    """Whether every boundary is tried in the ordinary tests too."""
    is_long: bool = False
    """Whether it is left to the long tests: others are much like it."""

    def begin(self, world: World) -> Doing:
        doing = self.set_up(world)
        if self.job is not None:
            assert doing is None
            doing = world.hand_over(self.job.value)
        assert doing is not None
        called = world.route_of(doing) if isinstance(doing, Call) else None
        assert called == self.route
        return doing


SCENES: dict[str, Scene] = {}

SetUp = Callable[[World], Doing | None]


def scene(
    route: str | None = None,
    *,
    job: JobName | None = None,
    days: int = 0,
    leaves: frozenset[str] = frozenset(),
    in_redis: Callable[[World], None] | None = None,
    everywhere: bool = False,
    is_long: bool = False,
) -> Callable[[SetUp], SetUp]:
    def register(set_up: SetUp) -> SetUp:
        name = set_up.__name__
        assert name not in SCENES
        SCENES[name] = Scene(name, set_up, route, job, days, leaves, in_redis, everywhere, is_long)
        return set_up

    return register
