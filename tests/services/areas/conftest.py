"""A small tree in the database, the whole of Hubei, and a counter of statements."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from oneform.areas import service
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

DATA = Path(__file__).parents[2] / "data" / "areas"

SMALL = """\
code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
420102000000,420100000000,3,江岸区
420102002000,420102000000,4,大智街道
420102002003,420102002000,5,保成社区
420102002004,420102002000,5,泰宁社区
420102003000,420102000000,4,一元街道
420102003001,420102003000,5,三阳社区
420103000000,420100000000,3,江汉区
420103006000,420103000000,4,民族街道
420103006002,420103006000,5,舞台社区
"""

CHANGES_HEADER = "change,old_code,new_code,parent_code,level,name,on_date\n"

ReadHubei = Callable[[str], bytes]
Counting = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture(scope="session")
def hubei() -> ReadHubei:
    """Reads one of the three real files; see the README beside them."""
    return lambda name: gzip.decompress((DATA / f"{name}.csv.gz").read_bytes())


@pytest.fixture
def small(runtime: Runtime) -> Runtime:
    """A runtime on a database with the small tree."""
    with runtime.context(OPERATOR) as ctx:
        service.import_areas(ctx, SMALL.encode())
    return runtime


@pytest.fixture(scope="module")
def library(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """The small tree again, one for all tests of a module that leave it as it is."""
    home = tmp_path_factory.mktemp("home")
    runtime = Runtime(Settings(home=home, database_url=module_database_url, secret_key="k" * 40))
    with runtime.context(OPERATOR) as ctx:
        service.import_areas(ctx, SMALL.encode())
    yield runtime
    runtime.close()


@pytest.fixture
def change(small: Runtime) -> Callable[..., dict[str, int]]:
    """Applies lines of an area changes file to the small tree, in a transaction of their own."""

    def apply(*lines: str) -> dict[str, int]:
        with small.context(OPERATOR) as ctx:
            return service.apply_changes(ctx, (CHANGES_HEADER + "\n".join(lines)).encode())

    return apply


@pytest.fixture
def count_statements(runtime: Runtime) -> Counting:
    """Lists the statements that are sent while it is open."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        sa.event.listen(runtime.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            sa.event.remove(runtime.engine, "before_cursor_execute", note)

    return counting
