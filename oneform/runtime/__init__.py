"""The running program: settings, engine, clock, and the wiring between parts.

Whoever needs a context (HTTP, command line, workers, tests) asks a `Runtime`
for one. Nothing here is global.
"""

from __future__ import annotations

from oneform.runtime.runtime import Runtime

__all__ = ["Runtime"]
