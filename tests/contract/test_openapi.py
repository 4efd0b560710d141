"""Schemathesis over the OpenAPI document: no call whatever gives a 5xx or an undocumented answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from oneform.app import create_app
from oneform.areas.service import import_areas
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime

AREAS = """code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
420102000000,420100000000,3,江岸区
420102001000,420102000000,4,大智街道
420102001001,420102001000,5,车站社区
"""
EXAMPLES = 6
"""For each operation, in the suite; `make bench` and the soak go further."""


@pytest.fixture(scope="module")
def schema(module_database_url: str) -> Iterator[Any]:
    runtime = Runtime(
        Settings(
            home=Path("/nonexistent"),
            database_url=module_database_url,
            secret_key="k" * 40,
            rate_limit=1_000_000,
        ),
        clock=FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC)),
    )
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, AREAS.encode())
        add_agency(ctx, AddAgency(code="stats", name="统计局", area="420100000000"))
        key = issue_key(ctx, "stats").key
    app = create_app(runtime)
    loaded = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    yield loaded, key
    runtime.close()


def test_no_operation_fails_or_answers_what_it_does_not_document(schema: Any) -> None:
    loaded, key = schema
    problems: list[str] = []
    operations = [result.ok() for result in loaded.get_all_operations()]
    assert len(operations) > 40
    for operation in operations:
        _exercise(operation, key, problems)
    assert problems == []


def _exercise(operation: Any, key: str, problems: list[str]) -> None:
    from hypothesis import given

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        response = case.call(headers={"Authorization": f"Bearer {key}"})
        place = f"{operation.method.upper()} {operation.path}"
        if response.status_code >= 500:
            problems.append(f"{place}: {response.status_code}")
        documented = operation.definition.raw["responses"]
        if str(response.status_code) not in documented and "default" not in documented:
            problems.append(f"{place}: {response.status_code} is not documented")

    call()
