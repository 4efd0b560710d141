"""All jobs: importing this module registers every body."""

from __future__ import annotations

from workers import maintenance, requests, sources
from workers.registry import JOBS

MODULES = (maintenance, requests, sources)

__all__ = ["JOBS", "MODULES"]
