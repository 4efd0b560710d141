"""What the form does with what it is sent, where several are at it at once or things have changed."""

from __future__ import annotations

import datetime as dt
import re
import threading

import orjson
import pytest
from factories import hold_values
from flask.testing import FlaskClient
from village_world import CODES, EASY, PREVIOUS, TOWNSHIP, VILLAGES, Village, VillageWorld
from visiting import hidden_of, send_form, sign_in, token_of
from web_site import Site
from werkzeug.test import TestResponse

from oneform.identity.policy import OPERATOR

PEOPLE, HOUSEHOLDS, ELDERLY, LAND = EASY


@pytest.fixture
def village(world: VillageWorld) -> Village:
    return world.take(EASY)


@pytest.fixture
def client(client: FlaskClient, village: Village) -> FlaskClient:
    sign_in(client, village.username)
    return client


def values(asks: dict[str, str], **texts: str) -> dict[str, str]:
    """A form with these texts: `people="1203"`."""
    codes = {code.split(".")[1]: code for code in asks}
    form = {f"base.{ask}": "" for ask in asks.values()}
    return form | {f"value.{asks[codes[name]]}": text for name, text in texts.items()}


def send_checked(client: FlaskClient, checked: TestResponse) -> TestResponse:
    return client.post("/form/send", data=dict(hidden_of(checked)))


def test_two_touches_at_once_send_once(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    checked = send_form(
        client, "check", values(world.asks(village), people="1300", cultivated="2300")
    )
    form = dict(hidden_of(checked))
    cookie = client.get_cookie("oneform_session")
    assert cookie is not None
    places: list[str | None] = []

    def touch() -> None:
        window = site.app.test_client()
        window.set_cookie("oneform_session", cookie.value)
        places.append(window.post("/form/send", data=form).headers.get("Location"))

    touches = [threading.Thread(target=touch) for _ in range(4)]
    for each in touches:
        each.start()
    for each in touches:
        each.join()
    assert len(set(places)) == 1
    assert re.fullmatch(r"/submissions/[0-9a-f-]{36}", places[0] or "")
    with site.runtime.context(OPERATOR) as ctx:
        sent = ctx.sql(
            "SELECT count(*) FROM submission AS s JOIN area AS a ON a.id = s.unit_id "
            "WHERE a.code = :code",
            code=village.code,
        ).scalar_one()
    assert sent == 1


@pytest.mark.parametrize("name", ["李建国", "王桂兰"], ids=["other", "namesake"])
def test_draft_of_somebody_else_is_shown_and_replaced_only_knowingly(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village, name: str
) -> None:
    ask = world.asks(village)[HOUSEHOLDS]
    with site.runtime.context(OPERATOR) as ctx:
        other = world.add_person(ctx, village.code, name=name)
    colleague = site.app.test_client()
    sign_in(colleague, other)
    send_form(colleague, "save", {f"value.{ask}": "400", f"base.{ask}": ""})

    told = send_form(client, "check", {f"value.{ask}": "410", f"base.{ask}": ""})
    assert told.status_code == 422
    assert f"{name}在 09:00 填了：400\u00a0户" in told.text
    assert 'value="410"' in told.text
    assert world.drafts(village) == {HOUSEHOLDS: 400}
    base = dict(hidden_of(told))[f"base.{ask}"]
    assert (
        send_form(client, "check", {f"value.{ask}": "410", f"base.{ask}": base}).status_code == 200
    )
    assert world.drafts(village) == {HOUSEHOLDS: 410}


def test_what_a_colleague_filled_in_meanwhile_stands_where_nothing_was_typed(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    asks = world.asks(village)
    with site.runtime.context(OPERATOR) as ctx:
        other = world.add_person(ctx, village.code)
    colleague = site.app.test_client()
    sign_in(colleague, other)
    send_form(colleague, "save", {f"value.{asks[HOUSEHOLDS]}": "400"})
    checked = send_form(client, "check", values(asks, cultivated="2300"))
    assert checked.status_code == 200
    assert "400\u00a0户" in checked.text
    assert send_checked(client, checked).status_code == 303
    assert world.values(village) == {HOUSEHOLDS: 400, LAND: 2300}


def test_what_is_taken_away_is_gone_from_the_draft(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    ask = world.asks(village)[HOUSEHOLDS]
    saved = send_form(client, "save", {f"value.{ask}": "410", f"base.{ask}": ""})
    base = dict(hidden_of(saved))[f"base.{ask}"]
    assert base
    send_form(client, "save", {f"value.{ask}": "", f"base.{ask}": base})
    assert world.drafts(village) == {}


def test_answer_that_came_from_elsewhere_meanwhile_is_not_sent_again(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    form = values(world.asks(village), people="1300", cultivated="2300")
    checked = send_form(client, "check", form)
    with site.runtime.context(OPERATOR) as ctx:
        hold_values(ctx, PEOPLE, {village.code: 1250}, period="2026")
    sent = send_checked(client, checked)
    receipt = client.get(sent.headers["Location"]).text
    assert "已报上 1 项" in receipt
    assert "您填的有 1 项已经有数据了" in receipt
    assert world.values(village) == {PEOPLE: 1250, LAND: 2300}
    late = send_form(client, "check", form)
    assert late.status_code == 422
    assert "您填的这些已经有数据了，不用再提交" in late.text


def test_empty_form_is_not_sent(client: FlaskClient, world: VillageWorld, village: Village) -> None:
    for step in ("check", "send"):
        told = send_form(client, step, values(world.asks(village)))
        assert told.status_code == 422
        assert "还没有填任何一项" in told.text


def test_sending_past_the_check_is_judged_all_the_same(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    told = send_form(client, "send", values(world.asks(village), people="9999"))
    assert told.status_code == 422
    assert "一般不超过 30%" in told.text
    assert world.values(village) == {}


def test_reason_is_needed_where_there_is_no_answer(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    ask = world.asks(village)[ELDERLY]
    told = send_form(client, "check", {f"missing.{ask}": "unknown", f"base.{ask}": ""})
    assert told.status_code == 422
    assert "请简单写明原因" in told.text
    both = {f"missing.{ask}": "unknown", f"note.{ask}": "不清楚", f"value.{ask}": "3"}
    assert "请只留一个" in send_form(client, "check", both).text


@pytest.mark.parametrize("step", ["check", "save", "edit", "send"])
def test_step_that_is_asked_for_leads_to_the_form(client: FlaskClient, step: str) -> None:
    answer = client.get(f"/form/{step}?part=2")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/form?part=2"


def test_script_is_answered_with_etags_and_words(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    asks = world.asks(village)
    form = {
        f"value.{asks[PEOPLE]}": "1203",
        f"base.{asks[PEOPLE]}": "",
        f"value.{asks[LAND]}": "很多",
    }
    answer = send_form(client, "drafts", form, Accept="application/json")
    told = answer.get_json()["questions"]
    assert told.keys() == {asks[PEOPLE], asks[LAND]}
    assert told[asks[PEOPLE]]["error"] is None
    assert told[asks[PEOPLE]]["base"]
    assert told[asks[LAND]]["error"] == "请用数字填写，例如 12.5"
    assert world.drafts(village) == {PEOPLE: 1203, LAND: "很多"}
    client.post("/logout", data={"csrf_token": token_of(client.get("/submissions"))})
    token = token_of(client.get("/login"))
    refused = client.post(
        "/form/drafts", data=form | {"csrf_token": token}, headers={"Accept": "application/json"}
    )
    assert refused.status_code == 401
    assert refused.get_json()["title"] == "需要重新登录"


def test_form_of_another_unit_is_out_of_reach(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    assert client.get(f"/form?unit={VILLAGES[-1]}").status_code == 403
    assert client.get("/form?unit=429999999999").status_code == 404
    with site.runtime.context(OPERATOR) as ctx:
        above = world.add_person(ctx, TOWNSHIP)
    township = site.app.test_client()
    sign_in(township, above)
    shown = township.get(f"/form?unit={village.code}")
    assert village.name in shown.text
    form = dict(hidden_of(shown))
    assert form["unit"] == village.code
    ask = world.asks(village)[LAND]
    checked = send_form(township, "check", {"unit": village.code, f"value.{ask}": "2300"})
    assert send_checked(township, checked).status_code == 303
    assert world.values(village) == {LAND: 2300}


def test_ask_of_another_village_is_not_in_the_form(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    foreign = world.asks(world.take(EASY))[LAND]
    told = send_form(client, "check", {f"value.{foreign}": "1"})
    assert told.status_code == 422
    assert "已经有数据了" in told.text


def test_broken_names_and_texts_do_no_harm(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    ask = world.asks(village)[LAND]
    form = {f"value.{ask}": "23\0 00", "value.": "1", "value.x": "2", "unknown.1-1": "3"}
    checked = send_form(client, "check", form)
    assert "2,300\u00a0亩" in checked.text
    for parameters in ("part=x", "part=-5", "part=99"):
        assert client.get(f"/form?{parameters}").status_code == 200
    for parameters in ("cursor=x", "section=x", "unit=x%00"):
        assert client.get(f"/form?{parameters}").status_code in (400, 404)


def test_receipt_of_another_village_does_not_exist(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    checked = send_form(client, "check", values(world.asks(village), cultivated="2300"))
    receipt = send_checked(client, checked).headers["Location"]
    stranger = site.app.test_client()
    sign_in(stranger, world.take(EASY).username)
    assert client.get(receipt).status_code == 200
    assert stranger.get(receipt).status_code == 404
    assert stranger.get("/submissions/none").status_code == 404
    assert client.get("/submissions?cursor=none").status_code == 400


def test_returned_answer_comes_back_with_its_comment(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    ask = world.asks(village)[LAND]
    send_form(client, "save", {f"value.{ask}": "2300"})
    with site.runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "UPDATE ask SET state = 'returned', comment = '与确权面积不符' "
            "WHERE region_id || '-' || id = :ask",
            ask=ask,
        )
    assert "乡镇（街道）退回：</strong> 与确权面积不符" in client.get("/form").text


def test_refused_and_reviewed_asks_are_told_apart_from_open_ones(
    site: Site, client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    asks = world.asks(village)
    with site.runtime.context(OPERATOR) as ctx:
        for state, code in (("in_review", LAND), ("refused", ELDERLY)):
            ctx.sql(
                "UPDATE ask SET state = :state WHERE region_id || '-' || id = :ask",
                state=state,
                ask=asks[code],
            )
    shown = client.get("/form").text
    assert "要填 2 项" in shown
    assert "有 2 项在等乡镇（街道）处理" in shown
    assert "已拒接，等待裁定" in shown
    assert f"q-{asks[LAND]}" not in shown


def summary_of(told: TestResponse) -> str:
    """Words of the summary above the form."""
    found = re.search(r'<div class="error-summary.*?</div>', told.text, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found[0]))


def question_of(told: TestResponse, ask: str) -> str:
    """Everything of one question."""
    return told.text.partition(f'id="q-{ask}"')[2].partition("</fieldset>")[0]


def test_odd_value_said_to_be_right_is_asked_for_its_reason(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    ask = world.asks(village)[PEOPLE]
    odd = values(world.asks(village), people="2000")
    told = send_form(client, "check", odd)
    assert "请再看一眼。比上次多了 66%（上次是 1203），一般不超过 30%" in summary_of(told)
    told = send_form(client, "check", odd | {f"sure.{ask}": "1"})
    needed = "请在“原因”里写几个字，说明为什么是 2000"
    assert told.status_code == 422
    assert needed in summary_of(told)
    assert needed in question_of(told, ask)
    assert f'href="#note-{ask}"' in told.text
    assert "原因（必填，写几个字就行）" in question_of(told, ask)
    reasoned = odd | {f"sure.{ask}": "1", f"note.{ask}": "新建了安置小区"}
    assert send_form(client, "check", reasoned).status_code == 200


@pytest.mark.usefixtures("village")
def test_last_time_is_spoken_of_where_there_is_one(
    client: FlaskClient, world: VillageWorld
) -> None:
    assert "点一下“与上次相同”就行。不用一次填完。" in client.get("/form").text
    without = world.take([code for code in CODES if code not in PREVIOUS][:2])
    other = client.application.test_client()
    sign_in(other, without.username)
    told = other.get("/form").text
    assert "不用一次填完。" in told
    assert "与上次相同" not in told


def test_confirmed_value_that_has_become_odd_passes_with_a_reason(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    asks = world.asks(village)
    form = values(asks, people="250") | {f"confirm.{asks[ELDERLY]}": "1"}
    form |= {f"sure.{asks[PEOPLE]}": "1", f"note.{asks[PEOPLE]}": "整村搬迁"}
    assert "比“常住人口数”（250）还大" in question_of(
        send_form(client, "check", form), asks[ELDERLY]
    )
    form |= {f"sure.{asks[ELDERLY]}": "1"}
    told = send_form(client, "check", form)
    assert "说明为什么是 288" in summary_of(told)
    form |= {f"note.{asks[ELDERLY]}": "老人还没有搬"}
    assert send_form(client, "check", form).status_code == 200


def test_odd_values_are_told_together_with_mistakes_and_by_their_own_name(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    asks = world.asks(village)
    both = values(asks, people="400", households="很多", cultivated="2300")
    for step in ("check", "send"):
        told = send_form(client, step, both)
        assert "有 1 处要改一下；有 1 处请再看一眼" in summary_of(told)
        assert "请用数字填写" in question_of(told, asks[HOUSEHOLDS])
        assert "比上次少了 67%" in question_of(told, asks[PEOPLE])
        assert "已填 1 / 4 项" in told.text


def test_odd_values_alone_are_not_called_mistakes(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    told = send_form(client, "check", values(world.asks(village), people="400"))
    assert summary_of(told).startswith(" 有 1 处请再看一眼")
    assert "要改一下" not in told.text


def test_kept_answer_that_cannot_be_sent_is_told_and_not_counted(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    send_form(client, "save", values(world.asks(village), households="很多", cultivated="2300"))
    shown = client.get("/form")
    assert "请用数字填写" in summary_of(shown)
    assert "已填 1 / 4 项" in shown.text


def test_form_opened_again_shows_reasons_and_ticks_as_they_were_left(
    client: FlaskClient, world: VillageWorld, village: Village
) -> None:
    asks = world.asks(village)
    form = values(asks, people="2000") | {f"missing.{asks[ELDERLY]}": "unknown"}
    form |= {f"sure.{asks[PEOPLE]}": "1", f"note.{asks[PEOPLE]}": "新建了安置小区"}
    form |= {f"note.{asks[ELDERLY]}": "还没数过", f"note.{asks[LAND]}": "正在测量"}
    send_form(client, "save", form)
    again = client.get("/form")
    people = question_of(again, asks[PEOPLE])
    assert 'value="2000"' in people
    assert f'name="sure.{asks[PEOPLE]}" value="1" checked' in people
    assert 'value="新建了安置小区"' in people
    elderly = question_of(again, asks[ELDERLY])
    assert 'value="unknown" checked' in elderly
    assert 'value="还没数过"' in elderly
    assert 'value="正在测量"' in question_of(again, asks[LAND])
    assert "已填 2 / 4 项" in again.text
    checked = send_form(client, "check", {f"base.{ask}": "" for ask in asks.values()})
    assert "新建了安置小区" in checked.text
    assert send_checked(client, checked).status_code == 303
    assert world.values(village) == {PEOPLE: 2000, ELDERLY: "unknown"}


def test_source_of_last_times_value_is_called_by_its_name(site: Site, world: VillageWorld) -> None:
    client = site.app.test_client()
    fields = ("funds.income", LAND)
    village = world.take(fields)
    sign_in(client, village.username)
    name = {"zh": "上年年报（示例数据）", "en": "Report of last year"}
    with site.runtime.context(OPERATOR) as ctx:
        source = ctx.sql(
            "INSERT INTO source (code, name, agency_id, kind, settings, keys, limits) "
            "SELECT 'civil.reports', CAST(:name AS jsonb), id, 'file', '{}', '{}', '{}' "
            "FROM agency WHERE code = 'civil' RETURNING id",
            name=orjson.dumps(name).decode(),
        ).scalar_one()
        last_day = dt.date(2025, 12, 31)
        hold_values(
            ctx,
            "funds.income",
            {village.code: 12.5},
            period="2025",
            observed_on=last_day,
            source_id=source,
        )
    ask = world.asks(village)["funds.income"]
    before = question_of(client.get("/form"), ask)
    assert "2025年" in before
    assert "上年年报（示例数据）" in before
    assert "2025年12月31日" not in before
    assert "2026年1月31日" in question_of(client.get("/form"), world.asks(village)[LAND])
    in_english = question_of(send_form(client, "language/en", {f"base.{ask}": ""}), ask)
    assert "Report of last year" in in_english
    assert "civil.reports" not in before + in_english
