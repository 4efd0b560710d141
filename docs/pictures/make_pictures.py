"""Takes the pictures of this folder anew: the starter catalogue, a real place, invented values.

    python docs/pictures/make_pictures.py

Needs a Chromium and Chinese fonts (on Debian: `apt-get install chromium fonts-noto-cjk`).
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

PICTURES = Path(__file__).resolve().parent
ROOT = PICTURES.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "web")]

from factories import hold_values, resolve_request  # noqa: E402
from village_world import PASSWORD  # noqa: E402
from web_site import DESK, PHONE, find_chromium  # noqa: E402

from catalog.importing import import_bundle  # noqa: E402
from oneform import migrations  # noqa: E402
from oneform.app import create_app  # noqa: E402
from oneform.areas.service import import_areas  # noqa: E402
from oneform.config import Settings  # noqa: E402
from oneform.engines import PostgresServer  # noqa: E402
from oneform.identity.agencies import AddAgency, add_agency  # noqa: E402
from oneform.identity.people import AddPerson, add_person  # noqa: E402
from oneform.identity.policy import (  # noqa: E402
    OPERATOR,
    ORDINARY_SCOPES,
    Principal,
    Role,
    permissions_of_scopes,
)
from oneform.kernel.actor import ActorKind  # noqa: E402
from oneform.kernel.clock import FixedClock  # noqa: E402
from oneform.kernel.context import Context  # noqa: E402
from oneform.requests.commands import SubmitRequest  # noqa: E402
from oneform.requests.service import submit_request  # noqa: E402
from oneform.runtime import Runtime  # noqa: E402

DISTRICT, VILLAGE = "420102000000", "420102001001"
AREAS = f"""code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
{DISTRICT},420100000000,3,江岸区
420102001000,{DISTRICT},4,大智街道
{VILLAGE},420102001000,5,车站社区
"""
PEOPLE = "population.resident_total"
HOUSEHOLDS = "population.resident_households"
OLD = "elderly.aged_60_plus"
VOLUNTEERS = "community.volunteers"
POSTS = "environment.waste_points"
REQUESTS = (
    ("stats", "统计局", "2026-03-31", "人口与住户年度统计", (PEOPLE, HOUSEHOLDS, OLD)),
    ("civil_affairs", "民政局", "2026-04-15", "社区养老服务布局", (PEOPLE, OLD, VOLUNTEERS)),
    ("health", "卫生健康局", "2026-04-30", "基本公共卫生服务经费测算", (PEOPLE, OLD, POSTS)),
)
HELD = {PEOPLE: 5126, HOUSEHOLDS: 2210, OLD: 1483, VOLUNTEERS: 96, POSTS: 14}


@contextmanager
def running_site(folder: Path) -> Iterator[tuple[str, Runtime]]:
    """The application with a community that three departments ask."""
    server = PostgresServer(folder, durable=False)
    server.start()
    migrations.upgrade(server.url)
    settings = Settings(home=folder, database_url=server.url, secret_key="k" * 40)
    runtime = Runtime(settings, clock=FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC)))
    with runtime.context(OPERATOR) as ctx:
        fill(ctx)
    web = make_server("127.0.0.1", 0, create_app(runtime), threaded=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{web.server_port}", runtime
    finally:
        web.shutdown()
        runtime.close()
        server.stop()


def fill(ctx: Context) -> None:
    import_areas(ctx, AREAS.encode())
    import_bundle(ctx, ROOT / "catalog" / "data")
    for code, value in HELD.items():
        hold_values(ctx, code, {VILLAGE: value}, period="2024", observed_on=dt.date(2025, 1, 10))
    for code, name, due, purpose, fields in REQUESTS:
        agency = add_agency(ctx, AddAgency(code=code, name=name, area=DISTRICT))
        path = ctx.sql("SELECT path FROM area WHERE id = :id", id=agency.area_id).scalar_one()
        principal = Principal(
            kind=ActorKind.AGENCY,
            id=code,
            label=code,
            agency_id=agency.id,
            area_id=agency.area_id,
            area_path=path,
            permissions=permissions_of_scopes(ORDINARY_SCOPES),
        )
        command = SubmitRequest(
            title=purpose,
            purpose=purpose,
            legal_basis="《中华人民共和国统计法》",
            fields=list(fields),
            areas=[VILLAGE],
            level="village",
            period="2025",
            due=dt.date.fromisoformat(due),
        )
        resolve_request(ctx, submit_request(ctx.acting_as(principal), command).id)
    staff = AddPerson(
        username="wang", roles=[Role.STAFF], area=VILLAGE, name="王桂兰", password=PASSWORD
    )
    add_person(ctx, staff)


def asks(runtime: Runtime) -> dict[str, str]:
    with runtime.context(OPERATOR) as ctx:
        rows = ctx.sql(
            "SELECT f.code, a.region_id || '-' || a.id AS id FROM ask AS a "
            "JOIN field AS f ON f.id = a.field_id"
        )
        return {row.code: row.id for row in rows}


def save(page: Page, name: str, height: int | None = None) -> None:
    if height is not None:
        page.set_viewport_size({"width": PHONE["width"], "height": height})
    page.screenshot(path=PICTURES / f"{name}.png")
    page.set_viewport_size(PHONE)


def take(page: Page, runtime: Runtime) -> None:
    """One visit: log in, fill in, be told of mistakes, check, send."""
    found = asks(runtime)
    page.goto("/login")
    save(page, "login")
    page.fill("#username", "wang")
    page.fill("#password", PASSWORD)
    page.click("main button.button")
    page.wait_for_url("**/form")
    save(page, "form", 1150)
    question = {code: page.locator(f"#q-{ask}") for code, ask in found.items()}
    for code in (HOUSEHOLDS, VOLUNTEERS):
        question[code].locator("[data-confirm]").check()
    question[PEOPLE].locator("[data-value]").fill("5,2o6")
    question[OLD].locator("[data-value]").fill("2531")
    question[POSTS].locator("[data-value]").fill("15")
    page.click("[data-check]")
    page.wait_for_load_state()
    save(page, "mistake")
    question[PEOPLE].locator("[data-value]").fill("5,206")
    page.click("[data-check]")
    page.wait_for_load_state()
    question[OLD].scroll_into_view_if_needed()
    page.evaluate(f"document.getElementById('q-{found[OLD]}').scrollIntoView()")
    save(page, "warning")
    question[OLD].locator("[data-value]").fill("1531")
    page.locator(f"[name='note.{found[OLD]}']").first.fill("")
    page.click("[data-check]")
    page.wait_for_url("**/form/check")
    save(page, "check", 900)
    page.locator(".buttons .button").first.click()
    page.wait_for_url("**/submissions/*")
    with runtime.context(OPERATOR) as ctx:
        # The database's own time, which no clock of ours sets.
        ctx.sql("UPDATE submission SET created_at = :now", now=ctx.clock.now())
    page.goto(page.url)
    save(page, "receipt", 1000)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder)) as (address, runtime):
        with sync_playwright() as playwright:
            chromium = find_chromium(playwright)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            phone = browser.new_context(base_url=address, viewport=PHONE, device_scale_factor=2)
            desk = browser.new_context(base_url=address, viewport=DESK)
            page = desk.new_page()
            page.goto("/login")
            page.fill("#username", "wang")
            page.fill("#password", PASSWORD)
            page.click("main button.button")
            page.wait_for_url("**/form")
            page.locator(".asked summary").first.click()
            page.screenshot(path=PICTURES / "form-desk.png")
            take(phone.new_page(), runtime)
            browser.close()


if __name__ == "__main__":
    main()
