"""Sources as they are defined: every mistake, secrets, changes, and who may."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from source_fixtures import with_settings
from waiting import wait_until_blocked

from oneform.config import Settings
from oneform.identity.policy import OPERATOR, PUBLIC, Principal
from oneform.kernel.crypto import SealBroken
from oneform.kernel.errors import Forbidden, Invalid, Stale, Unauthenticated
from oneform.runtime import Runtime
from oneform.sources.naming import read_names
from oneform.sources.probing import prepare_probe, probe_source
from oneform.sources.service import (
    NoSuchSource,
    SourceExists,
    SourceView,
    add_source,
    change_source,
    delete_source,
    get_source,
    list_sources,
    put_source,
    sources_sealed_otherwise,
)

Definition = Callable[..., dict[str, Any]]
COUNTY, CITY = "420102000000", "420100000000"
AWAY = {"url": "postgresql://reader:hunter2@8.8.8.8/db", "table": "villages"}


@pytest.fixture
def mistakes(runtime: Runtime, definition: Definition) -> Callable[..., set[tuple[str, str]]]:
    """(pointer, code) of what is wrong with a definition."""

    def find(**other: Any) -> set[tuple[str, str]]:
        with runtime.context(OPERATOR) as ctx, pytest.raises(Invalid) as caught:
            add_source(ctx, definition(**other), runtime.settings)
        with runtime.context(OPERATOR) as ctx:
            assert ctx.sql("SELECT count(*) FROM source").scalar_one() == 0
        return {(mistake.pointer, mistake.code) for mistake in caught.value.mistakes}

    return find


def test_definition_becomes_a_source(
    offered: Callable[..., SourceView], settings: Settings
) -> None:
    view = offered(limits={"timeout_s": 5}, fresh_for="P1Y")
    assert view.as_definition() == {
        "code": "stats.villages",
        "name": None,
        "agency": "stats",
        "kind": "sql",
        "settings": {"url": settings.database_url, "table": "dept.villages"},
        "keys": {"subject": "code", "area": None, "period": "year", "observed_on": None},
        "fields": {"pop.total": "total", "pop.rate": "rate"},
        "areas": [CITY],
        "fresh_for": "P1Y",
        "limits": {"timeout_s": 5},
        "enabled": True,
    }


def test_second_of_two_who_offer_the_same_source_at_once_is_told(
    runtime: Runtime, definition: Definition
) -> None:
    other = with_settings(runtime)

    def offer() -> None:
        with other.context(OPERATOR) as ctx, pytest.raises(SourceExists):
            add_source(ctx, definition(), other.settings)

    with ThreadPoolExecutor(1) as pool:
        with runtime.context(OPERATOR) as ctx:
            add_source(ctx, definition(), runtime.settings)
            second = pool.submit(offer)
            wait_until_blocked(runtime.engine, second)
        second.result()
    other.close()


def test_all_mistakes_are_listed_at_once(mistakes: Any) -> None:
    assert mistakes(
        code="1st",
        agency="nobody",
        settings={"table": "t", "query": "SELECT 1"},
        keys={"period": {"value": "2025-13"}},
        fields={"pop.nothing": "x"},
        areas=["999999999999"],
        fresh_for="a while",
        limits={"timeout_s": 0, "calls": 1},
        surprise=True,
    ) == {
        ("", "additionalProperties"),
        ("/code", "pattern"),
        ("/agency", "unknown_agency"),
        ("/settings", "required"),
        ("/settings", "additionalProperties"),
        ("/keys", "required"),
        ("/keys/period/value", "period"),
        ("/fields/pop.nothing", "unknown_field"),
        ("/areas/0", "unknown_area"),
        ("/fresh_for", "duration"),
        ("/limits/timeout_s", "exclusiveMinimum"),
        ("/limits", "additionalProperties"),
    }


@pytest.mark.parametrize(
    ("other", "mistake"),
    [
        ({"kind": "telepathy"}, ("/kind", "unknown_kind")),
        ({"fields": {}}, ("/fields", "minProperties")),
        ({"fields": {"pop.total": {"column": "a", "field": "b"}}}, ("/fields/pop.total", "shape")),
        ({"fields": {"a": "pop.total", "b": "pop.total"}}, ("/fields/b", "duplicate")),
        ({"fields": {"pop.total": "a", "person.age": "b"}}, ("/fields/person.age", "mixed_kinds")),
        ({"fields": {"person.age": "b"}}, ("/keys/area", "required")),
        ({"keys": {"subject": "code"}}, ("/keys/period", "required")),
        ({"keys": {"subject": "code", "period": "2025-11"}}, ("/keys/period", "wrong_period")),
        (
            {"keys": {"subject": "code", "period": "year", "area": "place"}},
            ("/keys/area", "superfluous"),
        ),
        (
            {"settings": {"url": "postgresql://a@10.0.0.1/db", "table": "t"}},
            ("/settings/url", "address-refused"),
        ),
        ({"settings": {"url": "nonsense", "table": "t"}}, ("/settings/url", "url")),
        (
            {"kind": "file", "settings": {"path": "../../etc/passwd"}},
            ("/settings/path", "path"),
        ),
        (
            {"settings": {"url": "postgresql://a@8.8.8.8/db", "table": "t", "password": "pw"}},
            ("/settings/password", "missing_secret"),
        ),
        ({"secrets": {"pw": "x"}}, ("/secrets/pw", "unused_secret")),
        ({"secrets": {"p w": "x"}}, ("/secrets", "pattern")),
    ],
)
def test_mistake_is_found(mistakes: Any, other: dict[str, Any], mistake: tuple[str, str]) -> None:
    assert mistakes(**other) == {mistake}


def test_what_is_no_object_is_refused(runtime: Runtime) -> None:
    with runtime.context(OPERATOR) as ctx, pytest.raises(Invalid, match="mistakes"):
        add_source(ctx, ["code"], runtime.settings)


def test_fields_may_be_written_from_the_side_of_the_column(
    offered: Callable[..., SourceView],
) -> None:
    view = offered(fields={"total": "pop.total", "s": {"field": "aid.status", "codes": {"A": "1"}}})
    assert view.fields == {
        "pop.total": "total",
        "aid.status": {"column": "s", "codes": {"A": "1"}},
    }


@pytest.mark.parametrize(
    ("period", "shown"),
    [
        ("year", "year"),
        (2025, {"value": "2025"}),
        ("2025", {"value": "2025"}),
        ({"column": "2025"}, {"column": "2025"}),
        ({"value": "2025"}, {"value": "2025"}),
    ],
)
def test_period_is_a_column_or_a_constant(
    offered: Callable[..., SourceView], period: Any, shown: Any
) -> None:
    assert offered(keys={"subject": "code", "period": period}).keys["period"] == shown


def test_areas_default_to_the_agencys_own(runtime: Runtime, definition: Definition) -> None:
    given = definition()
    del given["areas"]
    with runtime.context(OPERATOR) as ctx:
        assert add_source(ctx, given, runtime.settings).areas == [CITY]


def test_code_is_given_once(offered: Callable[..., SourceView]) -> None:
    offered()
    with pytest.raises(SourceExists):
        offered()


def test_secrets_are_sealed_and_never_shown(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(OPERATOR) as ctx:
        view = add_source(ctx, definition(settings=AWAY), runtime.settings)
    assert "hunter2" not in str(view)
    assert view.settings["url"] == "postgresql://reader@8.8.8.8/db"
    with runtime.context(OPERATOR) as ctx:
        stored = ctx.sql("SELECT to_jsonb(s)::text FROM source AS s").scalar_one()
        told = ctx.sql("SELECT string_agg(data::text, '') FROM audit_event").scalar_one()
        probe = prepare_probe(ctx, view.code, runtime.settings)
    assert "hunter2" not in stored + told
    assert b"hunter2".hex() not in stored
    assert probe.secrets == {"password": "hunter2"}


def test_secrets_are_named_by_the_settings(runtime: Runtime, definition: Definition) -> None:
    settings = {"url": "postgresql://a@8.8.8.8/db", "table": "t", "password": "pw"}
    with runtime.context(OPERATOR) as ctx:
        add_source(ctx, definition(settings=settings, secrets={"pw": "x"}), runtime.settings)
        assert prepare_probe(ctx, "stats.villages", runtime.settings).secrets == {"pw": "x"}


def test_lost_key_is_told(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(OPERATOR) as ctx:
        add_source(ctx, definition(settings=AWAY), runtime.settings)
    other = with_settings(runtime, secret_key="l" * 40)
    with pytest.raises(SealBroken, match="secret key"):
        probe_source(other, "stats.villages")
    with runtime.context(OPERATOR) as ctx:
        assert sources_sealed_otherwise(ctx, runtime.settings) == []
        assert sources_sealed_otherwise(ctx, other.settings) == ["stats.villages"]
    other.close()


def test_change_replaces_members_and_keeps_the_rest(
    runtime: Runtime, offered: Callable[..., SourceView]
) -> None:
    before = offered(limits={"timeout_s": 5})
    with runtime.context(OPERATOR) as ctx:
        after = change_source(ctx, before.code, {"fields": {"pop.rate": "rate"}}, runtime.settings)
    assert after.fields == {"pop.rate": "rate"}
    assert (after.limits, after.areas, after.version) == (before.limits, before.areas, 2)


def test_change_keeps_secrets_of_the_same_place(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(OPERATOR) as ctx:
        view = add_source(ctx, definition(settings=AWAY), runtime.settings)
        change_source(
            ctx, view.code, {"settings": {**view.settings, "table": "u"}}, runtime.settings
        )
        assert prepare_probe(ctx, view.code, runtime.settings).secrets == {"password": "hunter2"}


def test_secrets_do_not_follow_to_another_place(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(OPERATOR) as ctx:
        view = add_source(ctx, definition(settings=AWAY), runtime.settings)
    elsewhere = {**view.settings, "url": "postgresql://reader@9.9.9.9/db"}
    with runtime.context(OPERATOR) as ctx, pytest.raises(Invalid) as caught:
        change_source(ctx, view.code, {"settings": elsewhere}, runtime.settings)
    assert [mistake.code for mistake in caught.value.mistakes] == ["missing_secret"]
    with runtime.context(OPERATOR) as ctx, pytest.raises(Invalid):
        put_source(ctx, definition(settings=elsewhere), runtime.settings)
    with runtime.context(OPERATOR) as ctx:
        secrets = {"password": "new"}
        change_source(ctx, view.code, {"settings": elsewhere, "secrets": secrets}, runtime.settings)


@pytest.mark.parametrize("member", ["code", "agency", "kind", "surprise"])
def test_some_members_cannot_be_changed(
    runtime: Runtime, offered: Callable[..., SourceView], member: str
) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx, pytest.raises(Invalid) as caught:
        change_source(ctx, "stats.villages", {member: "x"}, runtime.settings)
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [(f"/{member}", "fixed_member")]


def test_change_of_a_stale_version_is_refused(
    runtime: Runtime, offered: Callable[..., SourceView]
) -> None:
    view = offered()
    with runtime.context(OPERATOR) as ctx:
        change_source(ctx, view.code, {"enabled": False}, runtime.settings, if_match=view.etag)
    with runtime.context(OPERATOR) as ctx, pytest.raises(Stale):
        change_source(ctx, view.code, {"enabled": True}, runtime.settings, if_match=view.etag)
    with runtime.context(OPERATOR) as ctx, pytest.raises(Stale):
        delete_source(ctx, view.code, if_match=view.etag)


def test_putting_the_same_file_changes_nothing(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(OPERATOR) as ctx:
        assert put_source(ctx, definition(settings=AWAY), runtime.settings)[1] == "added"
    with runtime.context(OPERATOR) as ctx:
        view, done = put_source(ctx, definition(settings=AWAY), runtime.settings)
        assert (done, view.version) == ("unchanged", 1)
    with runtime.context(OPERATOR) as ctx:
        view, done = put_source(
            ctx, definition(settings=AWAY, fields={"pop.rate": "r"}), runtime.settings
        )
        assert (done, view.version, view.fields) == ("changed", 2, {"pop.rate": "r"})


def test_source_is_called_by_its_name_or_else_by_its_agencys(
    runtime: Runtime, definition: Definition, mistakes: Callable[..., set[tuple[str, str]]]
) -> None:
    assert mistakes(name={"en": "Register"}) == {("/name", "required")}
    with runtime.context(OPERATOR) as ctx:
        code = add_source(ctx, definition(), runtime.settings).code
        agency = ctx.sql("SELECT name FROM agency WHERE code = 'stats'").scalar_one()
        assert read_names(ctx, [code, "none"]) == {code: agency}
    name = {"zh": "村情台账", "en": "Village register"}
    with runtime.context(OPERATOR) as ctx:
        assert put_source(ctx, definition(name=name), runtime.settings)[1] == "changed"
        assert read_names(ctx, [code]) == {code: name}
    with runtime.context(PUBLIC) as ctx, pytest.raises(Unauthenticated):
        read_names(ctx, [code])


def test_putting_another_agencys_code_is_refused(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(OPERATOR) as ctx:
        put_source(ctx, definition(), runtime.settings)
        with pytest.raises(SourceExists):
            put_source(ctx, definition(agency="civil"), runtime.settings)


def test_deleted_source_is_gone_and_on_record(
    runtime: Runtime, offered: Callable[..., SourceView]
) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx:
        delete_source(ctx, "stats.villages")
        with pytest.raises(NoSuchSource):
            get_source(ctx, "stats.villages")
    with runtime.context(OPERATOR) as ctx:
        tags = ctx.sql("SELECT tag FROM audit_event WHERE target_type = 'source' ORDER BY id")
        assert tags.scalars().all() == ["source.added", "source.deleted"]


def test_source_is_found_by_code_and_by_number(
    runtime: Runtime, offered: Callable[..., SourceView]
) -> None:
    view = offered()
    with runtime.context(OPERATOR) as ctx:
        assert get_source(ctx, str(view.id)) == get_source(ctx, view.code) == view
        for ref in ("x", "999999", "9" * 40, "a\0b", "", "²"):
            with pytest.raises(NoSuchSource):
                get_source(ctx, ref)


def test_agencies_manage_their_own_sources_only(
    runtime: Runtime, offered: Callable[..., SourceView], owner: Callable[[str], Principal]
) -> None:
    view = offered()
    with runtime.context(owner("civil")) as ctx:
        assert list_sources(ctx).items == []
        for call in (
            lambda: get_source(ctx, view.code),
            lambda: change_source(ctx, view.code, {"enabled": False}, runtime.settings),
            lambda: delete_source(ctx, view.code),
            lambda: prepare_probe(ctx, view.code, runtime.settings),
        ):
            with pytest.raises(NoSuchSource):
                call()
    with runtime.context(owner("stats")) as ctx:
        assert [item.code for item in list_sources(ctx).items] == [view.code]


def test_agencies_offer_their_own_sources_only(
    runtime: Runtime, definition: Definition, owner: Callable[[str], Principal]
) -> None:
    with runtime.context(owner("civil")) as ctx, pytest.raises(Forbidden):
        add_source(ctx, definition(), runtime.settings)
    with runtime.context(owner("civil")) as ctx, pytest.raises(Forbidden):
        add_source(ctx, definition(agency="nobody"), runtime.settings)
    with runtime.context(owner("stats")) as ctx:
        add_source(ctx, definition(), runtime.settings)


def test_areas_beyond_the_agency_are_refused(
    runtime: Runtime, definition: Definition, owner: Callable[[str], Principal]
) -> None:
    with runtime.context(owner("stats")) as ctx, pytest.raises(Invalid) as caught:
        add_source(ctx, definition(areas=["420000000000", COUNTY]), runtime.settings)
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [("/areas/0", "outside_reach")]


def test_nobody_else_gets_at_sources(runtime: Runtime, definition: Definition) -> None:
    with runtime.context(PUBLIC) as ctx:
        for call in (
            lambda: list_sources(ctx),
            lambda: get_source(ctx, "x"),
            lambda: add_source(ctx, definition(), runtime.settings),
            lambda: put_source(ctx, definition(), runtime.settings),
            lambda: change_source(ctx, "x", {}, runtime.settings),
            lambda: delete_source(ctx, "x"),
        ):
            with pytest.raises(Unauthenticated):
                call()


def test_list_comes_in_pages(runtime: Runtime, offered: Callable[..., SourceView]) -> None:
    for code in ("b", "a", "c"):
        offered(code=code)
    with runtime.context(OPERATOR) as ctx:
        first = list_sources(ctx, limit=2)
        second = list_sources(ctx, limit=2, cursor=first.next)
    assert [item.code for item in (*first.items, *second.items)] == ["a", "b", "c"]
    assert second.next is None


def test_probe_tells_of_columns_that_are_not_there(
    runtime: Runtime, offered: Callable[..., SourceView]
) -> None:
    offered()
    assert probe_source(runtime, "stats.villages").ok
    with runtime.context(OPERATOR) as ctx:
        change_source(ctx, "stats.villages", {"fields": {"pop.total": "heads"}}, runtime.settings)
    result = probe_source(runtime, "stats.villages")
    assert not result.ok
    assert "heads" in result.detail
    assert result.sample_count == 4
