"""All jobs: importing this module registers every body."""

from __future__ import annotations

from workers import maintenance, requests, sources, values
from workers.registry import JOBS

MODULES = (maintenance, requests, sources, values)

__all__ = ["JOBS", "MODULES"]
