"""The application behind a real port, and a real Chromium that looks at it."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from village_world import Village, VillageWorld, make_village_world
from web_site import PHONE, Open, Site, find_chromium
from werkzeug.serving import make_server

from oneform.app import create_app
from oneform.config import Settings
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime


@pytest.fixture(scope="module")
def site(module_database_url: str) -> Iterator[Site]:
    clock = FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC))
    settings = Settings(
        home=Path("/nonexistent"), database_url=module_database_url, secret_key="k" * 40
    )
    runtime = Runtime(settings, clock=clock)
    world = make_village_world(runtime)
    app = create_app(runtime)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", app, runtime, clock, world)
    server.shutdown()
    thread.join()
    server.server_close()
    runtime.close()


@pytest.fixture(scope="module")
def world(site: Site) -> VillageWorld:
    return site.world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = find_chromium(playwright)
        if chromium is None:
            pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
        # Its own sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(site: Site, browser: Browser) -> Iterator[Open]:
    """A new window; `script=False` for a browser that runs none. Mistakes of scripts fail the test."""
    contexts: list[BrowserContext] = []
    mistakes: list[str] = []

    def open_window(*, script: bool = True, viewport: dict[str, int] = PHONE) -> Page:
        context = browser.new_context(
            base_url=site.address,
            java_script_enabled=script,
            viewport=viewport,  # type: ignore[arg-type]
            locale="zh-CN",
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.on("console", lambda line: _note(mistakes, line.type, line.text))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert mistakes == []


def _note(mistakes: list[str], kind: str, text: str) -> None:
    # What the Content-Security-Policy refuses is told here. Refused forms, and a network that a
    # test takes away, are not mistakes.
    if kind == "error" and "status of 4" not in text and "DISCONNECTED" not in text:
        mistakes.append(text)


@pytest.fixture
def village(world: VillageWorld) -> Village:
    """A village of the test's own with all questions open."""
    return world.take()


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """A browser without a window, for what there is nothing to see of."""
    return site.app.test_client()
