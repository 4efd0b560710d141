"""One unit of work for each request: done again when two met, gone before the body is sent."""

from __future__ import annotations

from collections.abc import Iterator

import flask
import pytest
import sqlalchemy as sa

from oneform.app import create_app
from oneform.identity.policy import OPERATOR
from oneform.kernel.errors import Conflict
from oneform.runtime import Runtime
from oneform.runtime.http import ATTEMPTS, current_context, in_unit
from oneform.values.errors import TryAgain


@pytest.fixture
def inside(api_runtime: Runtime) -> Iterator[None]:
    with create_app(api_runtime).test_request_context("/"):
        yield


def test_unit_is_committed_before_its_result_is_there(inside: None, api_runtime: Runtime) -> None:
    def work() -> int:
        return (
            current_context()
            .sql("INSERT INTO code_list (code, name) VALUES ('committed', '{}') RETURNING id")
            .scalar_one()
        )

    made = in_unit(work)
    with api_runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT id FROM code_list WHERE code = 'committed'").scalar_one() == made
    with pytest.raises(RuntimeError, match="no unit"):
        current_context()


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", None])
def test_unit_that_gave_way_to_another_is_done_again(inside: None, sqlstate: str | None) -> None:
    attempts = []

    def work() -> int:
        attempts.append(current_context().session)
        if len(attempts) < 3:
            if sqlstate is None:
                raise TryAgain
            current_context().sql(
                f"DO $$ BEGIN RAISE EXCEPTION 'met another' USING ERRCODE = '{sqlstate}'; END $$"
            )
        return current_context().sql("SELECT 7").scalar_one()

    assert in_unit(work) == 7
    assert len({id(session) for session in attempts}) == 3


def test_unit_is_not_tried_for_ever(inside: None) -> None:
    attempts = []

    def work() -> None:
        attempts.append(1)
        raise TryAgain

    with pytest.raises(TryAgain):
        in_unit(work)
    assert len(attempts) == ATTEMPTS


@pytest.mark.parametrize("error", [Conflict("no"), ValueError("no")])
def test_other_errors_are_not_tried_again(inside: None, error: Exception) -> None:
    attempts = []

    def work() -> None:
        attempts.append(1)
        raise error

    with pytest.raises(type(error)):
        in_unit(work)
    assert attempts == [1]


def test_lost_connection_is_not_tried_again(inside: None) -> None:
    """Whether the commit was heard is unknown then: only the client can know by repeating."""
    attempts = []

    def work() -> None:
        attempts.append(1)
        current_context().sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(sa.exc.OperationalError):
        in_unit(work)
    assert attempts == [1]


def test_no_unit_stays_open(inside: None, api_runtime: Runtime) -> None:
    def work() -> flask.Response:
        current_context().sql("SELECT 1")
        return flask.Response("done")

    in_unit(work)
    assert api_runtime.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
