"""The application behind a real port, and what tests name of it. Fixtures are in `conftest`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import flask
from playwright.sync_api import Page, Playwright
from village_world import VillageWorld

from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}

Open = Callable[..., Page]


@dataclass(frozen=True)
class Site:
    """The running application."""

    address: str
    app: flask.Flask
    runtime: Runtime
    clock: FixedClock
    world: VillageWorld


def find_chromium(playwright: Playwright) -> str | None:
    """The system's Chromium, or the one that playwright fetched itself."""
    own = playwright.chromium.executable_path
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (own if Path(own).exists() else None)
