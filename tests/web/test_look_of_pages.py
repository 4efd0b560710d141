"""Every page, looked at as a person on a phone needs it: labels, sizes, contrast, nothing cut off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from village_world import (
    CODES,
    PASSWORD,
    QUIET_VILLAGE,
    TOWNSHIP,
    VillageWorld,
    make_residents,
)
from visiting import CHECK, SEND, answer, confirm, log_in, press, question
from web_site import PHONE, Open, Site

from oneform.identity.policy import OPERATOR, Role

pytestmark = pytest.mark.browser

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
SMALLEST = {"width": 320, "height": 640}
"""What WCAG 2.2 calls reflow: 1280 px at four times the size."""

LONG = "江岸区大智街道" + "超长地名" * 12 + "社区居民委员会"


def walk(site: Site, page: Page, world: VillageWorld) -> Iterator[str]:
    """Go through every page there is, in its states; names each before it is looked at."""
    page.goto("/login")
    yield "login"
    log_in(page, "nobody", "wrong")
    yield "login that failed"
    page.goto("/check")
    yield "control number to be asked for"
    page.goto("/check/OF-20260316-7K3M9Q2XABCD-C")
    yield "control number that is mistyped"
    page.goto("/check/OF-20261122-7K3M9Q2XABCD-S")
    yield "control number that nobody has"
    page.goto("/nowhere")
    yield "page that is not there"

    village = world.take(name=LONG)
    asks = world.asks(village)
    page.goto(f"/check/{world.control_numbers[-3]}")
    yield "control number"
    log_in(page, village.username)
    for summary in page.locator("summary").all()[:6]:
        summary.click()
    yield "form"
    answer(page, asks["party.phone"], "1")
    answer(page, asks["population.people"], "9999")
    press(page, CHECK)
    yield "form with mistakes"
    answer(page, asks["party.phone"], "13800138000")
    press(page, CHECK)
    yield "form with a warning"
    confirm(page, asks["population.people"])
    answer(page, asks["culture.notes"], "长" * 200)
    answer(page, asks["funds.income"], "12345678901.23")
    press(page, CHECK)
    yield "check"
    press(page, SEND)
    yield "receipt"
    page.goto("/submissions")
    yield "submissions"
    page.goto("/form?part=999")
    yield "what is left"
    press_log_out(page)

    crowd = world.take(CODES)
    with site.runtime.context(OPERATOR) as ctx:
        people = [(f"{crowd.code}-{n:02}", f"阿卜杜热合曼·买买提江{n}") for n in range(40)]
        make_residents(ctx, crowd.code, people)
        world.ask(
            ctx,
            "civil",
            ["resident.age", "resident.disabled"],
            crowd.code,
            due=dt.date(2026, 3, 20),
            kind="resident",
        )
        reviewer = world.add_person(ctx, TOWNSHIP, Role.TOWNSHIP_REVIEWER)
        quiet = world.add_person(ctx, QUIET_VILLAGE)
    log_in(page, crowd.username)
    yield "parts"
    page.locator(".tasks a").first.click()
    page.wait_for_load_state()
    yield "roster"
    press_log_out(page)
    log_in(page, reviewer)
    yield "home"
    page.goto("/form")
    yield "page that is not allowed"
    press_log_out(page)
    log_in(page, quiet)
    yield "nothing to fill in"
    page.goto("/language/en?next=/form")
    yield "nothing to fill in, in English"


def press_log_out(page: Page) -> None:
    page.goto("/submissions")
    page.get_by_role("button", name="退出").click()
    page.wait_for_load_state()


PLANTED = """<!doctype html><html lang="de"><head><title></title></head>
<body style="background:#fff"><h1>a</h1><h1>b</h1><h3 id="x">c</h3><p id="x">d</p>
<input style="height:20px;border:1px solid #ddd"><a href="/"></a>
<p style="color:#999;font-size:20px">pale</p><p style="font-size:12px">small</p>
<p style="width:2000px" aria-describedby="nothing">wide</p></body></html>"""


def test_audit_finds_what_it_looks_for(open_page: Open) -> None:
    page = open_page()
    page.set_content(PLANTED)
    found = {fault.split(":")[0] for fault in page.evaluate(AUDIT)}
    assert found == {
        *("lang", "title", "h1", "id twice", "aria-describedby leads nowhere"),
        *("heading skips a level", "control without a label", "lower than 44 px"),
        *("wider than the screen", "contrast below 4.5", "type below 18 px", "border below 3"),
    }


@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_is_fit_for_everybody(
    site: Site, open_page: Open, world: VillageWorld, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 720})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    faults = {name: found for name in walk(site, page, world) if (found := page.evaluate(AUDIT))}
    assert faults == {}
    assert [url for url in asked if not url.startswith(site.address)] == []


def test_english_form_is_fit_too(open_page: Open, world: VillageWorld) -> None:
    village = world.take()
    page = open_page(viewport=SMALLEST)
    log_in(page, village.username)
    page.goto("/language/en?next=/form")
    for summary in page.locator("summary").all()[:4]:
        summary.click()
    assert page.evaluate(AUDIT) == []


def test_form_is_printed_without_what_is_only_for_screens(
    open_page: Open, world: VillageWorld
) -> None:
    village = world.take()
    page = open_page()
    log_in(page, village.username)
    page.emulate_media(media="print")
    assert page.locator(".send-bar").is_hidden()
    assert page.get_by_role("banner").is_hidden()
    assert page.locator("legend").first.is_visible()


def test_page_waits_for_nothing_to_move(open_page: Open, world: VillageWorld) -> None:
    page = open_page()
    page.emulate_media(reduced_motion="reduce")
    log_in(page, world.take().username)
    moving = page.evaluate(
        "() => Array.from(document.querySelectorAll('*')).filter(e => {"
        "  const s = getComputedStyle(e);"
        "  return s.animationName !== 'none' || s.transitionDuration !== '0s'; }).length"
    )
    assert moving == 0


def test_browser_refuses_what_is_written_into_the_page(
    open_page: Open, site: Site, world: VillageWorld
) -> None:
    """Names come from elsewhere; none of them becomes a part of the page."""
    village = world.take(CODES[:1], name="<img src=x onerror=alert(1)>'\"&村")
    page = open_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    log_in(page, village.username)
    assert village.name in page.locator("h1").inner_text()
    ask = world.asks(village)[CODES[0]]
    answer(page, ask, "<script>alert(1)</script>")
    press(page, CHECK)
    field = question(page, ask).locator("[data-value]")
    assert field.input_value() == "<script>alert(1)</script>"
    assert PASSWORD not in page.content()


def test_description_of_the_calls_fits_a_telephone(open_page: Open) -> None:
    page = open_page()
    page.goto("/docs")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
