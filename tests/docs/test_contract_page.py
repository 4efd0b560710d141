"""docs/API.md names the calls that there are, and lists those that are not there yet."""

from __future__ import annotations

import re
from pathlib import Path

import flask
import pytest
from pages import DOCS

from oneform.api.blueprints import BASE
from oneform.app import create_app
from oneform.config import Settings
from oneform.requests.data import DataFormat
from oneform.runtime import Runtime
from oneform.sources.connectors.registry import kinds

CONTRACT = (DOCS / "API.md").read_text(encoding="utf-8")
NOT_YET = re.search(r"^## Not there yet\n(.*?)^## ", CONTRACT, re.MULTILINE | re.DOTALL)
METHODS = "GET|POST|PUT|PATCH|DELETE"
CALL = re.compile(rf"`((?:{METHODS})(?:/(?:{METHODS}))*) (/[^\s`?]*)")

Call = tuple[str, str]


def calls(text: str) -> set[Call]:
    """The calls that a text names, as method and path; `{…}` and `<…>` stand for any name."""
    return {
        (method, plain(path.removeprefix(BASE)))
        for methods, path in CALL.findall(text)
        for method in methods.split("/")
    }


def plain(path: str) -> str:
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


@pytest.fixture(scope="module")
def routes() -> set[Call]:
    settings = Settings(
        home=Path("/nonexistent"), database_url="postgresql+psycopg://x/x", secret_key="k" * 40
    )
    runtime = Runtime(settings)
    try:
        app: flask.Flask = create_app(runtime)
    finally:
        runtime.close()
    return {
        (method, plain(rule.rule.removeprefix(BASE)))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def not_yet() -> str:
    assert NOT_YET is not None
    return NOT_YET[1]


def test_every_call_that_the_contract_names_exists_or_is_listed(routes: set[Call]) -> None:
    named = calls(CONTRACT.replace(not_yet(), ""))
    assert len(named) > 50
    assert named - routes <= calls(not_yet())


def test_nothing_that_is_listed_exists(routes: set[Call]) -> None:
    assert calls(not_yet())
    assert calls(not_yet()) & routes == set()


def test_formats_and_kinds_that_are_missing_are_listed() -> None:
    (formats,) = re.findall(r"/data\?format=([\w|]+)", CONTRACT.replace(not_yet(), ""))
    (sources,) = re.findall(r"`kind: ([\w|]+)`", CONTRACT)
    missing = {*formats.split("|"), *sources.split("|")} - {*DataFormat, *kinds()}
    assert missing
    assert missing == set(re.findall(r"`(\w+)` \((?:format|kind)", not_yet()))
