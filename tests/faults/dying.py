"""A scene is played once to its end, and then as often as there are boundaries to die at.

After each death what is there is exactly what was committed before it: all of it and nothing else.
Then whoever is left goes on (the client repeats its call, leases run out), and in the end all is
as if nobody had died.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from boundaries import Boundary
from doings import Call, Doing
from factories import assert_balanced
from fault_world import World
from nursery import Life, Nursery
from picture import bring_back, changes, take
from scenes import Scene

from oneform.identity.policy import OPERATOR


@dataclass(frozen=True, slots=True)
class Theatre:
    world: World
    nursery: Nursery
    looking: psycopg.Connection[Any]

    def play(self, scene: Scene, *, everywhere: bool = False) -> int:
        """Let a process die at boundaries of a scene, all of them or a choice; how many."""
        with self._stage():
            play = _Play(self, scene, scene.begin(self.world))
            play.to_its_end()
            thorough = everywhere or scene.everywhere
            numbers = play.boundaries() if thorough else play.choice()
            # Once for each state is enough: what follows depends on nothing else.
            going_on = set({play.commits_before(number): number for number in numbers}.values())
            if not thorough:
                # Nothing was committed, so what follows is the scene's own beginning.
                going_on = {number for number in going_on if play.commits_before(number)}
            for number in numbers:
                play.until(number, go_on=number in going_on)
            return len(numbers)

    @contextmanager
    def _stage(self) -> Iterator[None]:
        before = take(self.looking)
        try:
            yield
        finally:
            bring_back(self.looking, before)


class _Play:
    def __init__(self, theatre: Theatre, scene: Scene, doing: Doing) -> None:
        self._theatre = theatre
        self._scene = scene
        self._doing = doing
        self._before = take(theatre.looking)
        self._walked: list[Boundary] = []
        self._states: dict[int, list[str]] = {0: []}
        """What has changed after so many commits."""
        self._end: list[str] = []

    def to_its_end(self) -> None:
        """Nobody dies: what that comes to is what every death has to come to as well."""
        life = self._live(self._doing)
        self._walked = life.boundaries
        assert self.commits, "nothing was done"
        if isinstance(self._doing, Call):
            [answer] = life.answers
            assert answer.status < 500
        self._states[len(self.commits)] = self._changed()
        self._live(*self._doing.goes_on())
        self._end = self._ended()
        assert not take(self._theatre.looking)["outbox"]
        self._check_books()
        self._bring_back()

    @property
    def commits(self) -> list[int]:
        return [step.number for step in self._walked if step.commits]

    def commits_before(self, number: int) -> int:
        return sum(commit <= number for commit in self.commits)

    def boundaries(self) -> list[int]:
        return [step.number for step in self._walked]

    def choice(self) -> list[int]:
        """A few: in the middle, just before something becomes durable last, and after that."""
        commits = self.commits
        return sorted({commits[(len(commits) - 1) // 2], commits[-1] - 1, len(self._walked)})

    def until(self, number: int, *, go_on: bool) -> None:
        """Die at a boundary. All of what was committed is there, and nothing else."""
        died_at = self._walked[number - 1]
        life = self._live(self._doing, at=number)
        assert life.killed, died_at
        assert life.boundaries == self._walked[:number]
        state = self._changed()
        # After a commit on the way: the first to die there says what is there for all others.
        assert state == self._states.setdefault(self.commits_before(number), state), died_at
        if go_on:
            self._check_books()
            self._end_after(life, died_at)
        if go_on or state:
            self._bring_back()

    def _end_after(self, life: Life, died_at: Boundary) -> None:
        again = self._live(*self._doing.goes_on()).answers
        if isinstance(self._doing, Call) and life.answers and again[0].replayed:
            assert again[0].body == life.answers[0].body
        assert self._ended() == self._end, died_at
        self._check_books()

    # ---- what can be seen and done ----

    def _live(self, *doings: Doing, at: int | None = None) -> Life:
        if doings == (self._doing,) and self._scene.in_redis is not None:
            self._scene.in_redis(self._theatre.world)
        return self._theatre.nursery.live(*doings, at=at, days=self._scene.days)

    def _changed(self) -> list[str]:
        return changes(take(self._theatre.looking), self._before)

    def _ended(self) -> list[str]:
        """What has changed, without tables that also tell of what was begun and not ended."""
        now = take(self._theatre.looking)
        return changes(now, self._before, leaving_out=self._scene.leaves)

    def _check_books(self) -> None:
        with self._theatre.world.runtime.context(OPERATOR) as ctx:
            assert_balanced(ctx)

    def _bring_back(self) -> None:
        bring_back(self._theatre.looking, self._before)
