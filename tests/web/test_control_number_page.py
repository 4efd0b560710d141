"""Anybody can check a control number, without an account."""

from __future__ import annotations

from flask.testing import FlaskClient
from village_world import VillageWorld
from web_site import Site

from oneform.identity.policy import OPERATOR


def test_accepted_request_is_told_with_who_asks_for_what(
    client: FlaskClient, world: VillageWorld
) -> None:
    world.take()
    number = world.control_numbers[0]
    shown = client.get(f"/check/{number}").text
    for words in (
        "是真的",
        "统计局",
        "2026年基层情况调查",
        "第七条",
        "2026年3月31日",
        "常住人口数",
    ):
        assert words in shown
    client.get("/language/en")
    shown = client.get(f"/check/{number}").text
    for words in ("this request is real", "statistics", "31 March 2026", "resident population"):
        assert words in shown


def test_number_is_understood_however_it_was_copied(
    client: FlaskClient, world: VillageWorld
) -> None:
    world.take()
    number = world.control_numbers[0]
    answer = client.get("/check", query_string={"number": f" {number.lower()} "})
    assert answer.headers["Location"] == f"/check/{number}"
    assert "查不到" not in client.get(answer.headers["Location"]).text


def test_number_that_nobody_has_is_no_request(client: FlaskClient) -> None:
    for number in ("OF-20260316-7K3M9Q2XABCD-C", "x", "9" * 3000, "<b>"):
        answer = client.get(f"/check/{number}")
        assert answer.status_code == 404
        assert "查不到这个准入码" in answer.text
        assert "<b>" not in answer.text


def test_cancelled_request_is_told_as_such(
    site: Site, client: FlaskClient, world: VillageWorld
) -> None:
    world.take()
    number = world.control_numbers[-1]
    with site.runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE request SET state = 'cancelled' WHERE control_no = :number", number=number)
    assert "已经撤销" in client.get(f"/check/{number}").text
