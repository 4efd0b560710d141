"""All of Hubei: 28,992 areas of 2022, their changes, and 28,652 areas of 2023 in the end."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from oneform.areas import queries, service
from oneform.areas.importing import ImportReport
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.runtime import Runtime

ReadHubei = Callable[[str], bytes]

BEFORE, AFTER = dt.date(2023, 6, 29), dt.date(2023, 6, 30)


@pytest.fixture(scope="module")
def province(
    module_database_url: str, hubei: ReadHubei, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """A database with the areas of 2022 and their changes to 2023, for tests that only read."""
    home: Path = tmp_path_factory.mktemp("home")
    runtime = Runtime(Settings(home=home, database_url=module_database_url, secret_key="k" * 40))
    with runtime.context(OPERATOR) as ctx:
        assert service.import_areas(ctx, hubei("areas_hubei_2022")) == ImportReport(created=28992)
    with runtime.context(OPERATOR) as ctx:
        assert b"".join(service.export_areas(ctx)) == hubei("areas_hubei_2022")
    with runtime.context(OPERATOR) as ctx:
        counts = service.apply_changes(ctx, hubei("area_changes_hubei_2022_2023"))
        assert counts == {"open": 167, "recode": 17, "rename": 333, "close": 507}
    with runtime.engine.connect() as connection:  # an index still leads to what was replaced
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            sa.text("VACUUM ANALYZE area")
        )
    yield runtime
    runtime.close()


@pytest.fixture
def ctx(province: Runtime) -> Iterator[Context]:
    with province.context(OPERATOR) as ctx:
        yield ctx


def test_changed_areas_of_2022_are_those_of_2023_to_the_byte(
    ctx: Context, hubei: ReadHubei
) -> None:
    assert b"".join(service.export_areas(ctx)) == hubei("areas_hubei")


def test_importing_the_areas_of_2023_afterwards_changes_nothing(
    ctx: Context, hubei: ReadHubei
) -> None:
    assert service.import_areas(ctx, hubei("areas_hubei")) == ImportReport(unchanged=28652)


def test_every_code_of_2022_is_readable_on_its_day_and_every_one_of_2023_on_its(
    ctx: Context, hubei: ReadHubei
) -> None:
    for name, day in (("areas_hubei_2022", BEFORE), ("areas_hubei", AFTER)):
        lines = [line.split(",") for line in hubei(name).decode().splitlines()[1:]]
        found = queries.areas_by_code(ctx, [line[0] for line in lines], day)
        seen = [
            [view.code, view.parent or "", str(view.level.value), view.name]
            for view in (found[line[0]] for line in lines)
        ]
        assert seen == lines


def test_names_beyond_the_usual_characters_survive(ctx: Context) -> None:
    private, beyond = (
        queries.get_area(ctx, code).name for code in ("420684103229", "420602006207")
    )
    assert any("\ue000" <= sign <= "\uf8ff" for sign in private)
    assert any(ord(sign) > 0xFFFF for sign in beyond)


def plan(ctx: Context, statement: str, **params: object) -> list[dict[str, Any]]:
    """The nodes of a statement's plan, as it was executed."""
    found = ctx.sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", **params).scalar_one()
    tree = found if isinstance(found, list) else json.loads(found)

    def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("Plans", ()):
            yield from walk(child)

    return list(walk(tree[0]["Plan"]))


@pytest.mark.parametrize("code", ["420102002000", "422822000000", "420100000000"])
def test_descendants_cost_what_they_are_and_not_the_whole_tree(ctx: Context, code: str) -> None:
    path = queries.get_area(ctx, code).path
    below = queries.BELOW.format(area="a", path="CAST(:path AS text)")
    nodes = plan(ctx, f"SELECT a.id FROM area AS a WHERE {below}", path=path)
    assert {node.get("Index Name") for node in nodes} - {None} == {"ix_area_path"}
    answer = nodes[0]["Actual Rows"]
    assert answer < 28_000
    assert all(node["Actual Rows"] <= answer for node in nodes)
    assert all(node.get("Rows Removed by Filter", 0) == 0 for node in nodes)


def test_children_are_found_by_their_index(ctx: Context) -> None:
    parent = queries.get_area(ctx, "420102002000").id
    statement = "SELECT code FROM area AS a WHERE a.parent_id = :parent ORDER BY a.code LIMIT 51"
    nodes = plan(ctx, statement, parent=parent)
    assert {node.get("Index Name") for node in nodes} - {None} == {"ix_area_parent_id_code"}


def test_list_of_a_county_goes_through_its_villages_page_by_page(ctx: Context) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = queries.list_areas(
            ctx, parent="422822000000", level=queries.Level.VILLAGE, limit=100, cursor=cursor
        )
        seen += [view.code for view in page.items]
        if page.next is None:
            break
        assert len(page.items) == 100
        cursor = page.next
    assert seen == sorted(set(seen))
    assert all(code.startswith("422822") for code in seen)
    assert (
        len(seen)
        == ctx.sql(
            "SELECT count(*) FROM area WHERE code LIKE '422822%' AND level = 5 AND valid_to IS NULL"
        ).scalar_one()
    )
