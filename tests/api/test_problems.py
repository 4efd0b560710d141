"""Every error is a problem, has its name, and tells nothing of the inside."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import flask
import pytest
import structlog
from flask.testing import FlaskClient

import catalog
import oneform
from oneform.api import problems
from oneform.api.problems import status_of
from oneform.app import create_app
from oneform.kernel.errors import DomainError
from oneform.runtime import Runtime

SERVER = {"oneform.wsgi", "oneform.gunicorn_config"}
INTERNAL = {"error"}
"""Codes that never reach a client: that of the base class."""


@pytest.fixture(scope="module")
def app(api_runtime: Runtime) -> flask.Flask:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oneform.api.application.BLUEPRINTS", ("probe_views",))
        return create_app(api_runtime)


def assert_problem(answer: object, status: int, name: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == f"urn:oneform:problem:{name}"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]
    assert isinstance(answer.json["errors"], list)


@pytest.mark.parametrize(
    ("code", "status"), [("not-found", 404), ("forbidden", 403), ("conflict", 409)]
)
def test_unlisted_error_is_answered_like_its_base_class(
    client: FlaskClient, code: str, status: int
) -> None:
    answer = client.get(f"/api/v1/probe/errors/{code}")
    assert_problem(answer, status, "nearer")
    assert answer.json["detail"] == "In words."
    assert answer.json["more"] == [1]


def test_error_without_status_is_a_fault_of_ours(client: FlaskClient) -> None:
    answer = client.get("/api/v1/probe/unknown-error")
    assert_problem(answer, 500, "internal")
    assert "words" not in answer.text


def test_fault_is_logged_under_the_request_and_told_without_details(client: FlaskClient) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = client.get("/api/v1/probe/fault", headers={"X-Request-Id": "abc-1"})
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "abc-1" in answer.json["detail"]
    assert [type(entry["exc_info"]) for entry in logs] == [RuntimeError]


@pytest.mark.parametrize("sql", ["SELECT CAST(:text AS int)", "SELECT CAST(:text AS date)"])
def test_value_that_no_column_can_hold_is_a_bad_request(client: FlaskClient, sql: str) -> None:
    for text in ("99999999999999999999", "nonsense"):
        answer = client.get("/api/v1/probe/sql", query_string={"sql": sql, "text": text})
        assert_problem(answer, 400, "malformed-request")


def test_broken_statement_is_a_fault(client: FlaskClient) -> None:
    answer = client.get("/api/v1/probe/sql", query_string={"sql": "SELECT nonsense"})
    assert_problem(answer, 500, "internal")


def test_database_that_gives_up_is_unavailable_with_retry_after(client: FlaskClient) -> None:
    sql = "SELECT pg_terminate_backend(pg_backend_pid())"
    answer = client.get("/api/v1/probe/sql", query_string={"sql": sql})
    assert_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert client.get("/api/v1/probe/sql", query_string={"sql": "SELECT 1"}).json == {"found": 1}


def test_unknown_address_is_not_found(client: FlaskClient) -> None:
    assert_problem(client.get("/api/v1/nowhere"), 404, "not-found")


def test_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/probe/items")
    assert_problem(answer, 405, "method-not-allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_body_over_the_limit_is_refused(agency_client: FlaskClient) -> None:
    body = b'"' + b"x" * 1024 * 1024 + b'"'
    answer = agency_client.post("/api/v1/probe/items", data=body, content_type="application/json")
    assert_problem(answer, 413, "body-too-large")


def test_large_bodies_pass_where_they_are_meant_to(agency_client: FlaskClient) -> None:
    for size, status in ((5 * 1024 * 1024, 200), (10 * 1024 * 1024 + 1, 413)):
        answer = agency_client.post(
            "/api/v1/probe/files", data=b"x" * size, headers={"Idempotency-Key": str(size)}
        )
        assert answer.status_code == status


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/xml", "application/json; charset=gbk"]
)
def test_body_of_another_type_is_refused(agency_client: FlaskClient, content_type: str) -> None:
    answer = agency_client.post("/api/v1/probe/items", data=b"{}", content_type=content_type)
    assert_problem(answer, 415, "unsupported-media-type")


def test_compressed_body_is_refused(agency_client: FlaskClient) -> None:
    answer = agency_client.post(
        "/api/v1/probe/items", json={"name": "a"}, headers={"Content-Encoding": "gzip"}
    )
    assert_problem(answer, 415, "unsupported-media-type")


def test_nul_in_the_address_is_refused(client: FlaskClient) -> None:
    for path in ("/api/v1/probe/items?cursor=%00", "/api/v1/probe/err%00r"):
        assert_problem(client.get(path), 400, "malformed-request")


def subclasses(cls: type[DomainError]) -> Iterator[type[DomainError]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


@pytest.fixture(scope="module")
def all_modules() -> None:
    """Errors are known once their modules are imported."""
    for package in (oneform, catalog):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            # Those do something when they are imported: Alembic's scripts, and the server.
            if ".migrations." not in module.name and module.name not in SERVER:
                importlib.import_module(module.name)


def test_every_error_of_the_domain_has_a_status(all_modules: None) -> None:
    without = {
        f"{cls.__module__}.{cls.__name__}"
        for cls in subclasses(DomainError)
        if cls.__module__.split(".")[0] in ("oneform", "catalog")
        and cls.code not in INTERNAL
        and status_of(cls.__new__(cls)) is None
    }
    assert without == set()


def test_table_has_no_code_that_no_error_has(all_modules: None) -> None:
    known = {cls.code for cls in subclasses(DomainError)}
    assert set(problems.STATUS) <= known
