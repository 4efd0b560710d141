"""What goes wrong is told in words: to people as a page, to programs as a problem."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient
from village_world import Village
from visiting import BROWSER, hidden_of, sign_in, token_of
from web_site import Site

from oneform.app import create_app
from oneform.config import Settings
from oneform.identity.access import public
from oneform.runtime import Runtime
from oneform.runtime.http import current_context
from oneform.web.pages import Pages


def test_browser_at_an_unknown_address_gets_a_page(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "没有这个页面" in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("address", "headers"),
    [("/nowhere", {}), ("/nowhere", {"Accept": "*/*"}), ("/api/v1/nowhere", BROWSER)],
)
def test_program_at_an_unknown_address_gets_a_problem(
    client: FlaskClient, address: str, headers: dict[str, str]
) -> None:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_page_that_takes_no_form_says_so(client: FlaskClient) -> None:
    answer = client.post("/home", headers=BROWSER)
    assert answer.status_code == 405
    assert answer.mimetype == "text/html"
    assert "GET" in answer.headers["Allow"]


def test_every_page_carries_the_policy_and_is_kept_nowhere(
    client: FlaskClient, village: Village
) -> None:
    sign_in(client, village.username)
    for address in ("/form", "/submissions", "/check", "/login?next=/x"):
        answer = client.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_files_are_kept_for_good_under_the_address_of_their_content(client: FlaskClient) -> None:
    page = client.get("/login").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    found = client.get(address)
    assert "immutable" in found.headers["Cache-Control"]
    assert found.mimetype == "text/css"
    assert client.get("/static/app.css?v=old").headers["Cache-Control"] == "no-cache"
    assert client.get("/favicon.ico").mimetype == "image/svg+xml"
    for absent in ("/static/nothing.css", "/static/..%2flayout.html", "/static/app.py"):
        assert client.get(absent).status_code == 404


@pytest.fixture
def broken(site: Site) -> Iterator[FlaskClient]:
    """An application with pages that fail, and without a database."""
    settings = Settings(
        home=Path("/nonexistent"),
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2",
        secret_key="k" * 40,
    )
    runtime = Runtime(settings, clock=site.clock)
    app = create_app(runtime)
    pages = Pages("broken", detached=True)

    @pages.get("/broken")
    @public
    def fail() -> None:
        raise RuntimeError("secret words")

    @pages.post("/large")
    @public
    def read_form() -> str:
        return str(len(flask.request.form))

    app.register_blueprint(pages)
    yield app.test_client()
    runtime.close()


def test_fault_is_told_without_details_and_with_a_number(broken: FlaskClient) -> None:
    answer = broken.get("/broken", headers={"X-Request-Id": "number-1"})
    assert answer.status_code == 500
    assert "系统出错了" in answer.text
    assert "number-1" in answer.text
    assert "secret" not in answer.text


def test_database_that_is_away_is_told_as_such(broken: FlaskClient) -> None:
    answer = broken.get("/login")
    assert answer.status_code == 503
    assert "系统暂时不能用" in answer.text
    assert '<a class="button" href="">再试一次</a>' in answer.text
    assert "返回" not in answer.text


def test_what_was_typed_is_kept_on_the_page_and_sent_again_as_it_is(
    site: Site, broken: FlaskClient
) -> None:
    known = site.app.test_client()
    token = token_of(known.get("/login"))
    cookie = known.get_cookie("oneform_session")
    assert cookie is not None
    broken.set_cookie("oneform_session", cookie.value)
    form = {"csrf_token": token, "v-1": '四百"<户>', "n-1": ""}
    answer = broken.post("/form/check", data=form)
    assert answer.status_code == 503
    assert "您填的内容还在" in answer.text
    assert hidden_of(answer) == list(form.items())
    secret = broken.post("/login", data={**form, "username": "wang", "password": "pass word"})
    assert secret.status_code == 503
    assert "pass word" not in secret.text
    assert hidden_of(secret) == []


def test_page_does_not_say_that_nothing_was_changed_where_nobody_knows(site: Site) -> None:
    """Of something that was done; who only looked at a page is not worried."""
    runtime = Runtime(site.runtime.settings, clock=site.clock)
    app = create_app(runtime)
    pages = Pages("losing")

    @pages.route("/lost", methods=["GET", "POST"])
    @public
    def lose_connection() -> str:
        current_context().sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return "done"

    app.register_blueprint(pages)
    client = app.test_client()
    token = token_of(client.get("/login"))
    done = client.post("/lost", data={"csrf_token": token})
    looked = client.get("/lost")
    runtime.close()
    assert (done.status_code, looked.status_code) == (503, 503)
    assert "还不清楚" in done.text
    assert "没有任何改动" not in done.text
    assert "还不清楚" not in looked.text
    assert "再试一次" in looked.text


def test_files_come_while_the_database_is_away(broken: FlaskClient) -> None:
    assert broken.get("/static/app.css").status_code == 200


def test_form_beyond_every_size_is_refused_in_words(broken: FlaskClient) -> None:
    answer = broken.post("/large", data={"text": "字" * 4_000_000})
    assert answer.status_code == 413
    assert "内容太多" in answer.text
