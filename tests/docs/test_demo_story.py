"""The story of `oneform demo`, on real servers: its numbers, and what stands on the terminal."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import oneform
from oneform.demo.calling import Caller
from oneform.demo.county import AGRICULTURE, INVENTED, STAFF
from oneform.demo.demands import OFF_LIST, ON_LIST, ROADS


def test_the_books_of_all_three_requests_balance(demo: Any) -> None:
    first, second, third = demo.outcome.requests
    assert demo.outcome.is_balanced
    villages, without_file = 179, 13
    assert first["cells"] | {"total": 0} == {
        "total": 0,
        "held": villages,
        "shared": 2 * (villages - without_file) + 4 * villages,
        "asked": 4 * villages + 2 * without_file - 3,
        "answered": 3,
        "derived": 0,
        "refused": 0,
        "unavailable": 0,
        "pending_grant": 0,
    }
    assert first["cells"]["total"] == 11 * villages
    assert second["asks"] == {"new": villages, "joined": villages + without_file}
    assert second["cells"]["answered"] == 1
    assert (third["state"], third["cells"]["held"]) == ("fulfilled", 3 * villages)
    assert third["asks"] == {"new": 0, "joined": 0}


def test_what_was_refused_is_told_with_the_nearest_field(demo: Any) -> None:
    after = demo.told.partition(OFF_LIST)[0]
    assert "unknown" in after
    assert ON_LIST in after
    assert "rejection is on record" in demo.told


def test_the_figures_are_told_to_be_invented(demo: Any) -> None:
    assert "（示例）" in demo.told
    with Caller(demo.address, demo.world.keys[AGRICULTURE.code]) as agency:
        rows = agency.rows(f"/requests/{demo.outcome.requests[0]['id']}/data")
    by_source = {row["source"] for row in rows if row["status"] in ("held", "shared")}
    assert by_source == {
        "demo.invented.land",
        "demo.invented.statistics",
        "demo.invented.civil_affairs",
    }


def test_the_answers_of_the_village_say_that_they_are_invented(demo: Any) -> None:
    with Caller(demo.address) as public:
        login = {"username": STAFF.username, "password": demo.world.password}
        token = public.post("/sessions", login, expected={201})["token"]
    with Caller(demo.address, token) as staff:
        (sent,) = staff.get("/submissions")["items"]
        receipt = staff.get(f"/submissions/{sent['id']}")
    assert [answer["note"] for answer in receipt["answers"]] == [INVENTED] * 3


def test_a_form_is_left_with_questions_and_last_years_answers(demo: Any) -> None:
    with Caller(demo.address) as public:
        login = {"username": STAFF.username, "password": demo.world.password}
        token = public.post("/sessions", login, expected={201})["token"]
    with Caller(demo.address, token) as staff:
        form = staff.get("/form")
    rows = itertools.chain.from_iterable(section["rows"] for section in form["sections"])
    asks = {ask["field"]: ask for row in rows for ask in row["asks"]}
    assert len(asks) == 4
    assert ROADS not in asks
    for ask in asks.values():
        assert ask["previous"]["period"] == "2024"
        assert ask["previous"]["source"] == "demo.invented.forms"
        assert all("（示例）" in asker["agency_name"] for asker in ask["requested_by"])


def test_nothing_is_cut_off_on_a_terminal_of_80_columns(demo: Any) -> None:
    assert "…" not in demo.told.replace("resolving …", "")
    assert "[/" not in demo.told


def test_the_readme_tells_the_same_story(demo: Any) -> None:
    readme = (Path(oneform.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    first, second, _ = demo.outcome.requests
    cells = first["cells"]
    asked = cells["asked"] + cells["answered"]
    for number in (cells["total"], cells["held"], cells["shared"], asked):
        assert f"{number:,}" in readme, number
    assert f"{second['asks']['joined']} of its questions" in readme
    found = re.search(r"([\d,]+) min +spared, of ([\d,]+)", demo.told)
    assert found is not None
    spared, wanted = (round(int(minutes.replace(",", "")) / 60) for minutes in found.groups())
    assert (wanted, spared) == (12, 7)
    assert "12 hours" in readme
    assert "**spared** seven" in readme
