"""Logging in and out: who gets where, and who does not."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient
from village_world import COUNTY, PASSWORD, TOWNSHIP, Village, VillageWorld
from visiting import BROWSER, log_in, sign_in, token_of
from web_site import Open, Site

from oneform.identity.policy import OPERATOR, Role
from oneform.identity.sessions import LOCK, MAX_FAILURES


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_staff_begin_at_the_form_of_their_village(
    open_page: Open, village: Village, script: bool
) -> None:
    page = open_page(script=script)
    page.goto("/")
    assert page.url.endswith("/login")
    log_in(page, village.username)
    assert page.url.endswith("/form")
    assert village.name in page.get_by_role("heading", level=1).inner_text()


@pytest.mark.browser
def test_wrong_password_is_told_and_the_name_stays(open_page: Open, village: Village) -> None:
    page = open_page()
    log_in(page, village.username, "wrong")
    assert "用户名或密码不对" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("用户名").input_value() == village.username
    assert page.get_by_label("密码", exact=True).input_value() == ""
    assert page.title().startswith("有误")
    page.get_by_label("显示密码").check()
    assert page.locator("#password").get_attribute("type") == "text"


def test_account_is_locked_after_wrong_passwords_and_opens_again(
    site: Site, client: FlaskClient, village: Village
) -> None:
    for _ in range(MAX_FAILURES):
        answer = sign_in(client, village.username, "wrong")
        assert answer.status_code == 422
    assert "锁定 15 分钟" in answer.text
    assert sign_in(client, village.username).status_code == 422
    site.clock.advance(LOCK + dt.timedelta(seconds=1))
    assert sign_in(client, village.username).status_code == 302


def test_login_leads_to_the_page_that_was_wanted(client: FlaskClient, village: Village) -> None:
    answer = client.get("/submissions?cursor=x", headers=BROWSER)
    assert answer.headers["Location"] == "/login?next=/submissions?cursor%3Dx"
    answer = sign_in(client, village.username, next="/submissions?cursor=x")
    assert answer.headers["Location"] == "/submissions?cursor=x"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "form",
        "",
    ],
)
def test_login_leads_nowhere_else(client: FlaskClient, village: Village, address: str) -> None:
    assert sign_in(client, village.username, next=address).headers["Location"] == "/"
    language = client.get("/language/en", query_string={"next": address})
    assert language.headers["Location"] == "/"


def test_logging_out_ends_the_session_itself(
    site: Site, client: FlaskClient, village: Village
) -> None:
    sign_in(client, village.username)
    stolen = client.get_cookie("oneform_session")
    assert stolen is not None
    client.post("/logout", data={"csrf_token": token_of(client.get("/submissions"))})
    assert client.get("/submissions").status_code == 302
    thief = site.app.test_client()
    thief.set_cookie("oneform_session", stolen.value)
    assert thief.get("/submissions").status_code == 302


def test_session_ends_with_its_time_and_with_the_account(
    site: Site, client: FlaskClient, world: VillageWorld
) -> None:
    village = world.take([])
    sign_in(client, village.username)
    assert client.get("/form").status_code == 200
    with site.runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "UPDATE staff SET disabled_at = now() WHERE username = :name", name=village.username
        )
    assert client.get("/form").status_code == 302


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_is_for_this_site_and_no_script(
    client: FlaskClient, village: Village, scheme: str
) -> None:
    answer = sign_in(client, village.username, scheme=scheme)
    assert answer.status_code == 302
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2  # the session and the language
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is (scheme == "https")


@pytest.mark.parametrize("address", ["/login", "/logout", "/form/send", "/form/drafts"])
def test_form_of_another_site_is_refused(
    client: FlaskClient, village: Village, address: str
) -> None:
    sign_in(client, village.username)
    answer = client.post(address, data={"username": village.username, "password": PASSWORD})
    assert answer.status_code == 400
    assert "没有提交" in answer.text


@pytest.mark.parametrize(
    ("role", "area", "agency", "words"),
    [
        (Role.TOWNSHIP_REVIEWER, TOWNSHIP, None, "POST /api/v1/reviews/decide"),
        (Role.AGENCY_CLERK, COUNTY, "stats", "POST /api/v1/requests"),
        (Role.SUPERVISOR, COUNTY, None, "GET /api/v1/rejections"),
        (Role.CATALOG_ADMIN, COUNTY, None, "GET /api/v1/fields"),
        (Role.OPERATOR, COUNTY, None, "GET /api/v1/fields"),
    ],
)
def test_others_are_told_what_they_can_do(
    site: Site,
    client: FlaskClient,
    world: VillageWorld,
    role: Role,
    area: str,
    agency: str | None,
    words: str,
) -> None:
    with site.runtime.context(OPERATOR) as ctx:
        username = world.add_person(ctx, area, role, agency=agency)
    sign_in(client, username)
    assert client.get("/").headers["Location"] == "/home"
    shown = client.get("/home").text
    assert words in shown
    routes = {
        (method, re.sub(r"<[^>]*>", "{id}", rule.rule))
        for rule in site.app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    assert set(re.findall(r'<code class="piece">(\w+) ([^<?]+)', shown)) <= routes
    refused = client.get("/form")
    assert refused.status_code == 403
    assert "没有这个权限" in refused.text


def test_language_is_the_persons_own_until_another_is_chosen(
    site: Site, client: FlaskClient, world: VillageWorld
) -> None:
    village = world.take([])
    assert '<html lang="zh-Hans">' in client.get("/login", headers={"Accept-Language": "en"}).text
    with site.runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE staff SET language = 'en' WHERE username = :name", name=village.username)
    sign_in(client, village.username)
    assert "Nothing is due" in client.get("/form").text
    client.get("/language/zh")
    assert "现在没有要填的" in client.get("/form").text
    client.post("/logout", data={"csrf_token": token_of(client.get("/submissions"))})
    sign_in(client, village.username)
    assert "现在没有要填的" in client.get("/form").text


def test_name_with_characters_that_no_store_holds_is_just_wrong(client: FlaskClient) -> None:
    assert sign_in(client, "wang\0").status_code == 422
