"""The application on a real database, and those who call it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient

from oneform.app import create_app
from oneform.areas.service import import_areas
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR, Role
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime

COUNTY, TOWNSHIP, VILLAGE = "420102000000", "420102001000", "420102001001"
AREAS = f"""code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
{COUNTY},420100000000,3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGE},{TOWNSHIP},5,车站社区
420102001002,{TOWNSHIP},5,另一社区
420103000000,420100000000,3,江汉区
"""
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def api_clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def api_runtime(module_database_url: str, api_clock: FixedClock) -> Iterator[Runtime]:
    """On one database for the tests of a module: each uses names of its own."""
    settings = Settings(
        home=Path("/nonexistent"),
        database_url=module_database_url,
        secret_key="k" * 40,
        rate_limit=100_000,
        max_body_mb=1,
    )
    runtime = Runtime(settings, clock=api_clock)
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, AREAS.encode())
        add_agency(ctx, AddAgency(code="stats", name="统计局", area=COUNTY))
        add_agency(ctx, AddAgency(code="civil", name="民政局", area=COUNTY))
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def app(api_runtime: Runtime) -> flask.Flask:
    return create_app(api_runtime)


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def key(api_runtime: Runtime) -> str:
    """A new key of the agency `stats` with the ordinary scopes."""
    with api_runtime.context(OPERATOR) as ctx:
        return issue_key(ctx, "stats").key


@pytest.fixture
def agency_client(app: flask.Flask, key: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


_numbers = itertools.count(1)


@pytest.fixture
def new_person(api_runtime: Runtime) -> Callable[..., str]:
    """Make a person of a role and give the username; the password is `PASSWORD`."""

    def make(role: Role = Role.STAFF, area: str = VILLAGE, agency: str | None = None) -> str:
        username = f"person{next(_numbers)}"
        command = AddPerson(
            username=username, roles=[role], area=area, agency=agency, password=PASSWORD
        )
        with api_runtime.context(OPERATOR) as ctx:
            add_person(ctx, command)
        return username

    return make


@pytest.fixture
def staff_client(app: flask.Flask, new_person: Callable[..., str]) -> FlaskClient:
    """A client of somebody of the village's staff, logged in."""
    client = app.test_client()
    answer = client.post("/api/v1/sessions", json={"username": new_person(), "password": PASSWORD})
    assert answer.status_code == 201
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.json['token']}"
    return client
