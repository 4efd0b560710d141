"""Which kinds of connector there are: the entry points of the group `oneform.connectors`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from oneform.sources.connectors.base import Connector

GROUP = "oneform.connectors"


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def kinds() -> list[str]:
    """The kinds that a source may have on this machine."""
    return sorted(_points())


def connector_class(kind: str) -> type[Connector] | None:
    """The connector of a kind; None where there is none."""
    point = _points().get(kind)
    return None if point is None else cast(type[Connector], point.load())
