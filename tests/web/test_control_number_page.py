"""Anybody can check a control number, without an account."""

from __future__ import annotations

from flask.testing import FlaskClient
from village_world import VillageWorld
from web_site import Site

from oneform.identity.policy import OPERATOR

NOBODYS = "OF-20261122-7K3M9Q2XABCD-S"


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
    for typed in (f" {number.lower()} ", number.replace("-", "－"), number[3:].replace("-", " ")):
        answer = client.get("/check", query_string={"number": typed})
        assert answer.headers["Location"] == f"/check/{number}"
        for address in (f"/check/{number}", f"/check/{typed}"):
            assert "是真的" in client.get(address).text


def test_number_that_nobody_has_is_no_request(client: FlaskClient) -> None:
    answer = client.get(f"/check/{NOBODYS}")
    assert answer.status_code == 404
    assert "查不到这个准入码" in answer.text


def test_nobody_is_spared_an_answer_by_a_number_that_was_mistyped(client: FlaskClient) -> None:
    for number in (NOBODYS[:-1] + "0", NOBODYS[:-2], "x", "a/b", "9" * 3000, "<b>"):
        answers = [client.get("/check", query_string={"number": number})]
        if "/" not in number:
            answers.append(client.get(f"/check/{number}"))
        for answer in answers:
            assert answer.status_code == 404
            assert "号码不完整或有误" in answer.text
            assert "可以不填" not in answer.text
            assert "<b>" not in answer.text


def test_cancelled_request_is_told_as_such(
    site: Site, client: FlaskClient, world: VillageWorld
) -> None:
    world.take()
    number = world.control_numbers[-1]
    with site.runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE request SET state = 'cancelled' WHERE control_no = :number", number=number)
    assert "已经撤销" in client.get(f"/check/{number}").text
