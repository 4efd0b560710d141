"""Scenes of what carries jobs: the relay, the worker, and the clock of the sweeps."""

from __future__ import annotations

from doings import QUEUE_OF, RelayRound, Tick, WorkOnce
from fault_world import EVERYWHERE, OLD, PEOPLE, VILLAGE, World
from scenes import scene

from oneform.runtime.presence import tell
from workers.leasing import Leased
from workers.maintenance import MaintenanceJob
from workers.queues import ALL
from workers.relay import hand_over


def a_worker(world: World) -> None:
    """Nothing, but somebody who would work."""
    client = world.runtime.redis()
    client.flushall()
    tell(client, "somebody", [queue.value for queue in ALL])


def what_was_handed_over(world: World) -> None:
    """The messages of all rows that are leased."""
    a_worker(world)
    rows = world.sql("SELECT id, job, lease FROM outbox WHERE lease > 0 ORDER BY id")
    leased = [Leased(row.id, row.job, QUEUE_OF[row.job], row.lease) for row in rows]
    hand_over(world.runtime.redis(), leased)


@scene(in_redis=a_worker)
def relay(world: World) -> RelayRound:
    """Two jobs are handed over."""
    world.done(world.demand([PEOPLE], key="first"))
    world.done(world.demand([PEOPLE, OLD], key="second"))
    return RelayRound()


@scene(in_redis=what_was_handed_over)
def worker(world: World) -> WorkOnce:
    """A job from its message in Redis to its end."""
    scope = {"areas": [VILLAGE], "kind": "area", "level": "village"}
    world.done(world.demand([PEOPLE, OLD], scope=scope))
    world.hand_over("resolve_request")
    return WorkOnce()


@scene()
def clock(world: World) -> Tick:
    world.request(PEOPLE, areas=EVERYWHERE)
    return Tick(MaintenanceJob.SWEEP_ASKS.value)
