"""What people do on the pages, in a window or without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from flask.testing import FlaskClient
from playwright.sync_api import Locator, Page
from village_world import PASSWORD
from werkzeug.test import TestResponse

BROWSER = {"Accept": "text/html,application/xhtml+xml"}

CHECK = "核对并提交"
SEND = re.compile("^没有错，提交")

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def log_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Log in, and wait for the page after it."""
    page.goto("/login")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_load_state()


def question(page: Page, ask: str) -> Locator:
    return page.locator(f"#q-{ask}")


def answer(page: Page, ask: str, text: str) -> None:
    """Write into a question."""
    question(page, ask).locator("[data-value]").fill(text)


def confirm(page: Page, ask: str) -> None:
    """Say that it is the same as last time: one touch."""
    question(page, ask).get_by_label("与上次相同").click()


def press(page: Page, name: str | re.Pattern[str]) -> None:
    """Press a button of the page's own, and wait for the next page."""
    page.get_by_role("main").get_by_role("button", name=name).last.click()
    page.wait_for_load_state()


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until something has happened behind the page."""
    for _ in range(150):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen")


def token_of(response: TestResponse) -> str:
    """The CSRF token of a page."""
    match = _TOKEN.search(response.text)
    assert match is not None, response.text[:500]
    return match[1]


def hidden_of(response: TestResponse) -> list[tuple[str, str]]:
    """The hidden fields of a page, in their order."""
    return [(name, unescape(text)) for name, text in _HIDDEN.findall(response.text)]


def sign_in(
    client: FlaskClient,
    username: str,
    password: str = PASSWORD,
    *,
    next: str = "",
    scheme: str = "http",
) -> TestResponse:
    """Log in without a window."""
    base = f"{scheme}://localhost"
    token = token_of(client.get("/login", base_url=base))
    data = {"csrf_token": token, "username": username, "password": password, "next": next}
    return client.post("/login", data=data, base_url=base)


def send_form(client: FlaskClient, step: str, form: dict[str, str], **headers: str) -> TestResponse:
    """Send something to a step of the form, as its page would."""
    data = {"csrf_token": token_of(client.get("/submissions")), **form}
    return client.post(f"/form/{step}", data=data, headers=headers)
