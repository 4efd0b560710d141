"""The one form as a person of a village meets it, in a real browser."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from village_world import CODES, EASY, QUIET_VILLAGE, RARE, Village, VillageWorld, make_residents
from visiting import CHECK, SEND, answer, confirm, log_in, press, question, wait_for
from web_site import Open, Site

from oneform.identity.policy import OPERATOR

pytestmark = pytest.mark.browser

SAVED = "已自动保存"


@pytest.mark.parametrize("script", [True, False])
def test_village_fills_confirms_checks_sends_and_sees_what_is_done(
    open_page: Open, world: VillageWorld, script: bool
) -> None:
    village = world.take()
    asks = world.asks(village)
    page = open_page(script=script)
    log_in(page, village.username)
    assert "要填 11 项" in page.locator("h1").inner_text()
    confirm(page, asks["population.people"])
    answer(page, asks["population.households"], "４１０ 户")
    answer(page, asks["land.cultivated"], "2,320.5")
    question(page, asks["water.source"]).get_by_role("combobox").select_option("村集中供水")
    question(page, asks["community.station"]).get_by_label("否", exact=True).check()
    question(page, asks["environment.toilet"]).get_by_label("没有厕所").check()
    answer(page, asks["disaster.drill"], "2026-03-01")
    answer(page, asks["party.phone"], "13800138000")
    answer(page, asks["funds.income"], "12.3")
    notes = question(page, asks["culture.notes"])
    notes.get_by_text("填不了？").click()
    notes.get_by_label("不适用").check()
    notes.get_by_label("原因").fill("村里没有老房子")
    press(page, CHECK)

    assert page.get_by_role("heading", level=1).inner_text() == "请核对一遍"
    lines = page.locator(".answers > div")
    assert lines.count() == 10
    told = re.sub(r"\s+", " ", page.locator(".answers").inner_text())
    assert "常住人口数 1,203 人 与上次相同" in told
    assert "常住户数 410 户 上次 402 户 +8" in told
    assert "没有厕所" in told
    assert "2026年3月1日" in told
    assert world.values(village) == {}
    press(page, SEND)

    assert re.search(r"/submissions/[0-9a-f-]{36}$", page.url)
    assert page.locator("h1").inner_text() == "已报上 10 项"
    receipt = page.locator("main").inner_text()
    assert "3 个部门一共要 16 项次，您只填了 10 项。少花了约" in receipt
    assert "其中 1 项要先经乡镇（街道）审核" in receipt
    assert world.values(village) == {
        "population.people": 1203,
        "population.households": 410,
        "land.cultivated": 2320.5,
        "water.source": "3",
        "community.station": False,
        "environment.toilet": "9",
        "disaster.drill": "2026-03-01",
        "party.phone": "13800138000",
        "culture.notes": "not_applicable",
    }
    page.reload()
    assert page.locator("main").inner_text() == receipt
    page.get_by_role("link", name="还有 1 项，接着填").click()
    assert "要填 1 项" in page.locator("h1").inner_text()
    page.get_by_role("link", name="已报的").click()
    assert page.locator(".sent li").count() == 1
    assert page.locator(".sent p").inner_text().endswith(" · 报上 9 项 · 1 项审核中")


def test_back_from_the_receipt_is_the_form_with_what_is_left(
    open_page: Open, world: VillageWorld
) -> None:
    village = world.take(EASY)
    asks = world.asks(village)
    page = open_page()
    log_in(page, village.username)
    confirm(page, asks[EASY[0]])
    answer(page, asks[EASY[1]], "410")
    press(page, CHECK)
    page.reload()
    assert "要填 4 项" in page.locator("h1").inner_text()
    assert question(page, asks[EASY[0]]).get_by_label("与上次相同").is_checked()
    assert question(page, asks[EASY[1]]).locator("[data-value]").input_value() == "410"
    press(page, CHECK)
    press(page, SEND)
    page.go_back()
    assert "要填 2 项" in page.locator("h1").inner_text()
    page.go_forward()
    assert page.locator("h1").inner_text() == "已报上 2 项"


def test_paragraphs_stay_paragraphs(open_page: Open, world: VillageWorld) -> None:
    village = world.take(["culture.notes"])
    page = open_page()
    log_in(page, village.username)
    answer(page, world.asks(village)["culture.notes"], "老房子三座。\n古树五棵。")
    press(page, CHECK)
    assert page.locator(".answers strong").inner_text() == "老房子三座。\n古树五棵。"
    press(page, SEND)
    assert page.locator(".answers strong").inner_text() == "老房子三座。\n古树五棵。"


@pytest.mark.parametrize("script", [True, False])
def test_mistakes_are_told_at_the_question_and_nothing_typed_is_lost(
    open_page: Open, world: VillageWorld, script: bool
) -> None:
    village = world.take()
    asks = world.asks(village)
    page = open_page(script=script)
    log_in(page, village.username)
    wrong = {
        "population.people": ("十二人", "请用数字填写"),
        "population.households": ("-3", "不能是负数"),
        "elderly.over_60": ("28.5", "请填整数"),
        "party.phone": ("1380013800", "手机号是 11 位数字"),
        "culture.notes": ("古", "至少要写 2 个字"),
        "funds.income": ("1.234", "要是 0.01 的倍数"),
    }
    for code, (text, _) in wrong.items():
        answer(page, asks[code], text)
    answer(page, asks["land.cultivated"], "2320")
    press(page, CHECK)

    summary = page.get_by_role("alert")
    assert summary.get_by_role("link").count() == len(wrong)
    assert page.title().startswith("有误")
    for code, (text, words) in wrong.items():
        field = question(page, asks[code]).locator("[data-value]")
        assert field.input_value() == text
        assert field.get_attribute("aria-invalid") == "true"
        described = (field.get_attribute("aria-describedby") or "").split()
        assert f"error-{asks[code]}" in described
        assert words in page.locator(f"#error-{asks[code]}").inner_text()
        assert words in summary.inner_text()
    assert question(page, asks["land.cultivated"]).locator("[data-value]").input_value() == "2320"
    if script:
        summary.get_by_role("link", name="值班电话").click()
        assert page.evaluate("document.activeElement.name") == f"value.{asks['party.phone']}"
    page.goto("/form")
    for code, (text, _) in wrong.items():
        assert question(page, asks[code]).locator("[data-value]").input_value() == text
    assert world.values(village) == {}


def test_what_was_typed_survives_a_reload_and_another_machine(
    open_page: Open, world: VillageWorld
) -> None:
    village = world.take()
    asks = world.asks(village)
    page = open_page()
    log_in(page, village.username)
    answer(page, asks["population.households"], "410")
    confirm(page, asks["population.people"])
    question(page, asks["community.station"]).get_by_label("否", exact=True).check()
    drill = question(page, asks["disaster.drill"])
    drill.get_by_text("填不了？").click()
    drill.get_by_label("不知道").check()
    drill.get_by_label("原因").fill("还没有组织过")
    drill.get_by_label("原因").blur()
    typed = {
        "population.households": 410,
        "population.people": 1203,
        "community.station": False,
        "disaster.drill": {"missing": "unknown", "note": "还没有组织过"},
    }
    wait_for(page, lambda: world.drafts(village) == typed)
    page.get_by_text(SAVED).wait_for()
    other = open_page(script=False)
    log_in(other, village.username)
    for each in (page, other):
        each.reload()
        assert question(each, asks["population.people"]).get_by_label("与上次相同").is_checked()
        field = question(each, asks["population.households"]).locator("[data-value]")
        assert field.input_value() == "410"
        assert question(each, asks["community.station"]).get_by_label("否", exact=True).is_checked()
        drill = question(each, asks["disaster.drill"])
        assert drill.get_by_label("不知道").is_checked()
        assert drill.get_by_label("原因").input_value() == "还没有组织过"
        assert "已填 4 / 11" in each.locator(".send-bar").inner_text()


def test_mistake_is_told_when_the_field_is_left(
    open_page: Open, village: Village, world: VillageWorld
) -> None:
    ask = world.asks(village)["party.phone"]
    page = open_page()
    log_in(page, village.username)
    answer(page, ask, "12345")
    error = page.locator(f"#error-{ask}")
    assert error.is_hidden()
    question(page, ask).locator("[data-value]").blur()
    error.get_by_text("手机号是 11 位数字").wait_for()
    answer(page, ask, "13800138000")
    question(page, ask).locator("[data-value]").blur()
    error.wait_for(state="hidden")


def test_confirming_and_writing_exclude_each_other(
    open_page: Open, village: Village, world: VillageWorld
) -> None:
    ask = world.asks(village)["population.people"]
    page = open_page()
    log_in(page, village.username)
    same = question(page, ask).get_by_label("与上次相同")
    field = question(page, ask).locator("[data-value]")
    confirm(page, ask)
    field.fill("1250")
    assert not same.is_checked()
    confirm(page, ask)
    assert field.input_value() == ""


def test_both_without_script_are_a_mistake_in_words(
    open_page: Open, village: Village, world: VillageWorld
) -> None:
    ask = world.asks(village)["population.people"]
    page = open_page(script=False)
    log_in(page, village.username)
    confirm(page, ask)
    answer(page, ask, "1250")
    press(page, CHECK)
    assert "请只留一个" in page.locator(f"#error-{ask}").inner_text()
    answer(page, ask, "1,203")
    press(page, CHECK)
    assert "1,203" in page.locator(".answers").inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_odd_value_is_looked_at_again_and_passes_with_a_reason(
    open_page: Open, world: VillageWorld, script: bool
) -> None:
    village = world.take(EASY)
    asks = world.asks(village)
    page = open_page(script=script)
    log_in(page, village.username)
    answer(page, asks["population.people"], "2000")
    answer(page, asks["elderly.over_60"], "2100")
    press(page, CHECK)
    odd = question(page, asks["population.people"])
    assert "比上次多了 66%（上次是 1203），一般不超过 30%" in odd.inner_text()
    assert "比“常住人口数”（2000）还大" in question(page, asks["elderly.over_60"]).inner_text()
    answer(page, asks["elderly.over_60"], "300")
    odd.get_by_label("没有填错").check()
    odd.get_by_label("原因").fill("新建了安置小区")
    press(page, CHECK)
    assert "新建了安置小区" in page.locator(".answers").inner_text()
    press(page, SEND)
    assert world.values(village) == {"population.people": 2000, "elderly.over_60": 300}


def test_changing_something_on_the_way_keeps_the_rest(open_page: Open, world: VillageWorld) -> None:
    village = world.take(EASY)
    asks = world.asks(village)
    page = open_page(script=False)
    log_in(page, village.username)
    confirm(page, asks["population.people"])
    answer(page, asks["population.households"], "410")
    drill = question(page, asks["elderly.over_60"])
    drill.get_by_text("填不了？").click()
    drill.get_by_label("不知道").check()
    drill.get_by_label("原因").fill("正在核对")
    press(page, CHECK)
    page.get_by_role("button", name="修改 常住户数").click()
    page.wait_for_load_state()
    assert page.url.endswith(f"#q-{asks['population.households']}")
    assert question(page, asks["population.people"]).get_by_label("与上次相同").is_checked()
    assert question(page, asks["elderly.over_60"]).get_by_label("原因").input_value() == "正在核对"
    answer(page, asks["population.households"], "411")
    press(page, CHECK)
    press(page, SEND)
    assert world.values(village) == {
        "population.people": 1203,
        "population.households": 411,
        "elderly.over_60": "unknown",
    }


def test_keyboard_alone_is_enough(open_page: Open, world: VillageWorld) -> None:
    village = world.take(EASY)
    asks = world.asks(village)
    page = open_page()
    page.goto("/login")
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(80):
            keys.press("Tab")
            if page.evaluate("document.activeElement.name") == name:
                break
        assert page.evaluate("document.activeElement.name") == name
        assert page.evaluate(FOCUS_IS_SEEN), name

    tab_to("username")
    keys.type(village.username)
    tab_to("password")
    keys.type("correct horse")
    keys.press("Enter")
    page.wait_for_url("**/form")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    keys.press("Enter")
    tab_to(f"confirm.{asks['elderly.over_60']}")
    keys.press("Space")
    tab_to(f"value.{asks['land.cultivated']}")
    keys.type("2320")
    tab_to(f"value.{asks['population.households']}")
    keys.type("410")
    keys.press("Enter")
    page.get_by_role("heading", name="请核对一遍").wait_for()
    for _ in range(30):
        keys.press("Tab")
        assert page.evaluate(FOCUS_IS_SEEN)
        if "没有错，提交" in page.evaluate("document.activeElement.textContent"):
            break
    keys.press("Enter")
    page.wait_for_url("**/submissions/*")
    assert world.values(village) == {
        "elderly.over_60": 288,
        "land.cultivated": 2320,
        "population.households": 410,
    }


FOCUS_IS_SEEN = """() => {
  const active = document.activeElement, box = active.getBoundingClientRect();
  const bar = document.querySelector('.send-bar');
  const under = bar && !bar.contains(active) && getComputedStyle(bar).position === 'sticky'
    ? bar.getBoundingClientRect().top : innerHeight;
  const style = getComputedStyle(active);
  const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
    || style.boxShadow !== 'none';
  return marked && box.bottom > 0 && box.top < under && box.right > 0;
}"""
"""Whether what has the focus is in sight, not under the bar, and marked (WCAG 2.4.7, 2.4.11)."""


def test_who_asks_and_why_stands_beside_the_question(
    open_page: Open, village: Village, world: VillageWorld
) -> None:
    ask = world.asks(village)["population.people"]
    page = open_page()
    log_in(page, village.username)
    asked = question(page, ask).locator(".asked")
    asked.get_by_text("谁要：统计局等 3 个部门").click()
    told = asked.inner_text()
    for words in (
        *("统计局", "民政局", "卫生健康局", "核定2026年公共服务配置标准"),
        *("《中华人民共和国统计法》第七条", "2026年3月31日", "2026年6月30日"),
    ):
        assert words in told
    number = asked.get_by_role("link").first.inner_text()
    assert number in world.control_numbers
    assert page.locator("legend").get_by_text("常住人口数", exact=True).count() == 1
    page.goto(f"/check/{number}")
    assert "是真的" in page.locator("h1").inner_text()
    assert "统计局" in page.locator(".facts").inner_text()


def test_two_windows_of_one_person_are_no_conflict(
    open_page: Open, village: Village, world: VillageWorld
) -> None:
    ask = world.asks(village)["population.households"]
    first, second = open_page(), open_page(script=False)
    for page in (first, second):
        log_in(page, village.username)
    answer(first, ask, "410")
    question(first, ask).locator("[data-value]").blur()
    first.get_by_text(SAVED).wait_for()
    answer(second, ask, "420")
    press(second, CHECK)
    assert "420 户" in second.locator(".answers").inner_text().replace("\u00a0", " ")


def test_offline_is_told_and_saved_when_there_is_a_network_again(
    open_page: Open, village: Village, world: VillageWorld
) -> None:
    asks = world.asks(village)
    page = open_page()
    log_in(page, village.username)
    page.context.set_offline(True)
    answer(page, asks["population.households"], "410")
    question(page, asks["population.households"]).locator("[data-value]").blur()
    page.get_by_text("没有网络，还没保存上").wait_for()
    beside = page.locator(".send-bar").get_by_role("button", name=CHECK).bounding_box()
    assert beside is not None
    assert beside["width"] > beside["height"] * 2, "its words stand in one line"
    press(page, CHECK)
    assert page.url.endswith("/form")
    assert (
        question(page, asks["population.households"]).locator("[data-value]").input_value() == "410"
    )
    page.context.set_offline(False)
    page.get_by_text(SAVED).wait_for()
    assert world.drafts(village) == {"population.households": 410}


def test_session_that_ends_while_typing_loses_nothing(
    site: Site, open_page: Open, village: Village, world: VillageWorld
) -> None:
    asks = world.asks(village)
    page, plain = open_page(), open_page(script=False)
    for each in (page, plain):
        log_in(each, village.username)
    with site.runtime.context(OPERATOR) as ctx:
        ctx.sql("DELETE FROM session_token")
    answer(page, asks["population.households"], "410")
    question(page, asks["population.households"]).locator("[data-value]").blur()
    page.get_by_text("登录已过期").wait_for()
    assert page.locator("[data-save-state] a").get_attribute("href") == "/login"

    answer(plain, asks["land.cultivated"], "2320")
    confirm(plain, asks["population.people"])
    press(plain, CHECK)
    assert "您填的内容没有丢" in plain.locator("main").inner_text()
    plain.get_by_label("用户名").fill(village.username)
    plain.get_by_label("密码", exact=True).fill("correct horse")
    press(plain, "登录")
    assert plain.url.endswith("/form")
    assert question(plain, asks["land.cultivated"]).locator("[data-value]").input_value() == "2320"
    assert question(plain, asks["population.people"]).get_by_label("与上次相同").is_checked()


@pytest.mark.parametrize("script", [True, False])
def test_language_changes_in_the_middle_of_the_form(
    open_page: Open, world: VillageWorld, script: bool
) -> None:
    village = world.take(EASY)
    asks = world.asks(village)
    page = open_page(script=script)
    log_in(page, village.username)
    answer(page, asks["population.households"], "410")
    page.get_by_role("button", name="English").click()
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("lang") == "en"
    assert (
        question(page, asks["population.households"]).locator("[data-value]").input_value() == "410"
    )
    assert "resident households" in question(page, asks["population.households"]).inner_text()
    page.goto("/submissions")
    assert page.locator("h1").inner_text() == "What was sent"


def test_village_that_nothing_is_asked_of_is_told_so(
    site: Site, open_page: Open, world: VillageWorld
) -> None:
    with site.runtime.context(OPERATOR) as ctx:
        username = world.add_person(ctx, QUIET_VILLAGE)
    page = open_page()
    log_in(page, username)
    assert page.locator("h1").inner_text() == "现在没有要填的，不用做什么。"
    page.get_by_role("link", name="看看已报的数据").click()
    assert "还没有报过数据" in page.locator("main").inner_text()


def test_names_with_rare_characters_are_shown_as_they_are(
    open_page: Open, world: VillageWorld
) -> None:
    village = world.take(EASY[:1], name=RARE)
    page = open_page()
    log_in(page, village.username)
    assert RARE in page.locator("h1").inner_text()
    confirm(page, world.asks(village)[EASY[0]])
    press(page, CHECK)
    assert RARE in page.locator("main").inner_text()
    press(page, SEND)
    assert RARE in page.locator("main").inner_text()


def test_long_form_comes_in_parts_that_are_sent_by_themselves(
    site: Site, open_page: Open, world: VillageWorld
) -> None:
    village = world.take(CODES)
    with site.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, village.code, [(f"R{n:03}", f"欧阳{n:03}") for n in range(35)])
        world.ask(
            ctx,
            "civil",
            ["resident.age", "resident.disabled"],
            village.code,
            due=dt.date(2026, 3, 20),
            kind="resident",
        )
    page = open_page(script=False)
    log_in(page, village.username)
    assert "要填 81 项" in page.locator("h1").inner_text()
    parts = page.locator(".tasks li")
    links = parts.get_by_role("link").all_inner_texts()
    assert [text.replace("\n", " ") for text in links] == [
        "居民台账 欧阳000 – 欧阳029",
        "居民台账 欧阳030 – 欧阳034",
        "社区服务设施与社会力量、文化体育与文物、自然灾害 等",
    ]
    parts.nth(1).get_by_role("link").click()
    assert "第 2 部分，共 3 部分" in page.locator("h1").inner_text()
    assert page.locator(".question").count() == 10
    page.locator("[name^='value.']").first.fill("61")
    press(page, CHECK)
    assert "欧阳030" in page.locator(".answers").inner_text()
    press(page, SEND)
    page.get_by_role("link", name="还有 80 项，接着填").click()
    assert parts.count() == 3
