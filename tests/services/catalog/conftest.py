"""A sample bundle, whole and in the database, and ways to change it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catalog.bundle import bundle_of
from catalog.documents import Syntax, read_document
from catalog.importing import ImportReport, import_bundle
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.runtime import Runtime

ROOT = Path(__file__).resolve().parents[3]
STARTER = ROOT / "catalog" / "data"
_SAMPLE = ROOT / "tests" / "unit" / "catalog" / "sample_bundle.yaml"
_VALUE: dict[str, Any] = read_document(_SAMPLE.read_bytes(), Syntax.YAML).value

Importer = Callable[..., ImportReport]


@pytest.fixture
def starter() -> Path:
    """The folder of the starter catalogue."""
    return STARTER


@pytest.fixture
def value() -> dict[str, Any]:
    """A bundle that a test may spoil: fields 0 to 5 are resident_total, aged_60_plus, share,
    on_ledger, resident.age and resident.sex."""
    return copy.deepcopy(_VALUE)


@pytest.fixture(scope="module")
def module_runtime(module_database_url: str) -> Iterator[Runtime]:
    settings = Settings(
        home=Path("/nonexistent"), database_url=module_database_url, secret_key="k" * 40
    )
    runtime = Runtime(settings)
    yield runtime
    runtime.close()


@pytest.fixture
def ctx(module_runtime: Runtime, clock: FixedClock) -> Iterator[Context]:
    """A unit of work of the operator, rolled back: the tests of a module share a database."""
    module_runtime.clock = clock
    with module_runtime.context(OPERATOR) as ctx:
        yield ctx
        ctx.session.rollback()


@pytest.fixture
def take_in(ctx: Context) -> Importer:
    """Import plain values."""
    return lambda *values: import_bundle(ctx, bundle_of(*values))


@pytest.fixture
def sample(take_in: Importer, value: dict[str, Any]) -> ImportReport:
    """The sample bundle in the database."""
    return take_in(value)


@contextmanager
def _statements(engine: sa.Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def statements() -> Callable[[Context], AbstractContextManager[list[str]]]:
    """What a piece of work sends to the database."""
    return lambda ctx: _statements(ctx.session.get_bind().engine)
