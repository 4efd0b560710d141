"""What holds for every route, however many there will be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask
import pytest

from oneform.api import BLUEPRINTS
from oneform.api.blueprints import BASE
from oneform.app import create_app
from oneform.config import Settings
from oneform.identity.access import access_of
from oneform.runtime import Runtime

AT_ROOT = {"/oauth/token", "/healthz", "/readyz", "/metrics", "/docs", "/docs/style.css"}
"""What is not below the base path (API.md, section 1), apart from pages."""


@pytest.fixture(scope="module")
def app() -> Iterator[flask.Flask]:
    settings = Settings(
        home=Path("/nonexistent"), database_url="postgresql+psycopg://", secret_key="k" * 40
    )
    runtime = Runtime(settings)
    yield create_app(runtime)
    runtime.close()


def api_rules(app: flask.Flask) -> list[tuple[str, str, str]]:
    """(method, path as in OpenAPI, endpoint) of every route of the API's blueprints."""
    names = {module.rpartition(".")[2] for module in BLUEPRINTS}
    return [
        (method, rule.rule.replace("<", "{").replace(">", "}"), rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.split(".")[0] in names
        or app.view_functions[rule.endpoint].__module__.startswith("oneform.api.")
    ]


def test_every_route_declares_its_access(app: flask.Flask) -> None:
    undeclared = [name for name, view in app.view_functions.items() if access_of(view) is None]
    assert undeclared == []


def test_every_route_of_the_api_is_below_the_base_path(app: flask.Flask) -> None:
    outside = {path for _, path, _ in api_rules(app) if not path.startswith(BASE + "/")}
    assert outside <= AT_ROOT


def test_every_route_of_the_api_is_described(app: flask.Flask) -> None:
    document = app.test_client().get(f"{BASE}/openapi.json").json
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    undescribed = [
        (method, path)
        for method, path, endpoint in api_rules(app)
        if not endpoint.startswith("docs.")
        and (method, path.replace("uuid:", "").replace("path:", "").replace("int:", ""))
        not in described
    ]
    assert undescribed == []


def test_every_operation_says_what_it_does_and_who_may(app: flask.Flask) -> None:
    document = app.test_client().get(f"{BASE}/openapi.json").json
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert operation.get("summary"), f"{method} {path} has no docstring"
                assert "security" in operation, f"{method} {path} says not who may"
                assert "default" in operation["responses"], f"{method} {path} knows no errors"


ONCE = {"/requests", "/submissions", "/values/imports"}
"""Routes whose POST requires an Idempotency-Key (API.md, section 1)."""


def test_idempotency_key_is_required_where_it_must_be(app: flask.Flask) -> None:
    document = app.test_client().get(f"{BASE}/openapi.json").json
    required = {
        path.removeprefix(BASE)
        for path, item in document["paths"].items()
        for parameter in item.get("post", {}).get("parameters", [])
        if parameter.get("name") == "Idempotency-Key" and parameter["required"]
    }
    present = {path.removeprefix(BASE) for path in document["paths"]}
    assert required == ONCE & present


def test_viewer_shows_every_operation_without_script_or_other_hosts(app: flask.Flask) -> None:
    client = app.test_client()
    document = client.get(f"{BASE}/openapi.json").json
    page = client.get("/docs")
    assert page.status_code == 200
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "`" not in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert client.get("/docs/style.css").mimetype == "text/css"
