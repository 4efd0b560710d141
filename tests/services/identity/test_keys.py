"""Keys of agencies and access tokens made with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from oneform.identity.errors import InvalidClient, InvalidScope
from oneform.identity.keys import issue_key, revoke_key
from oneform.identity.models import Agency, ApiClient
from oneform.identity.oauth import issue_access_token
from oneform.identity.policy import ORDINARY_SCOPES, PUBLIC, Permission, Scope
from oneform.identity.sessions import forget_expired
from oneform.identity.tokens import principal_of_token
from oneform.kernel.actor import ActorKind
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, NotFound, Unauthenticated

TODAY = dt.date(2026, 3, 16)


def test_key_leads_to_its_agency_and_reach(ctx: Context, agency: Agency) -> None:
    issued = issue_key(ctx, "stats")
    assert issued.key.startswith(f"ofk_{issued.key_id}_")
    actor = principal_of_token(ctx, issued.key)
    assert actor is not None
    assert (actor.kind, actor.label, actor.agency_id) == (ActorKind.AGENCY, "stats", agency.id)
    county = ctx.sql("SELECT path FROM area WHERE code = '420102000000'").scalar_one()
    village = ctx.sql("SELECT path FROM area WHERE code = '420102001001'").scalar_one()
    other = ctx.sql("SELECT path FROM area WHERE code = '420103000000'").scalar_one()
    assert actor.area_path == county
    assert actor.reaches(village)
    assert not actor.reaches(other)


def test_key_has_ordinary_scopes_unless_told_otherwise(ctx: Context, agency: Agency) -> None:
    assert issue_key(ctx, "stats").scopes == ORDINARY_SCOPES
    narrow = issue_key(ctx, "stats", ["data:read"])
    assert narrow.scopes == (Scope.DATA_READ,)
    actor = principal_of_token(ctx, narrow.key)
    assert actor is not None
    assert actor.may(Permission.READ_DATA)
    assert not actor.may(Permission.SUBMIT_REQUEST)


def test_urgent_requests_are_never_ordinary(ctx: Context, agency: Agency) -> None:
    actor = principal_of_token(ctx, issue_key(ctx, "stats").key)
    assert actor is not None
    assert not actor.may(Permission.SUBMIT_URGENT_REQUEST)


def test_secret_is_kept_as_a_hash_only(ctx: Context, agency: Agency) -> None:
    issued = issue_key(ctx, "stats")
    secret = issued.key.rpartition("_")[2]
    row = ctx.sql("SELECT to_jsonb(c)::text FROM api_client AS c").scalar_one()
    assert issued.key_id in row
    assert secret not in row


def test_altered_key_leads_to_nobody(ctx: Context, agency: Agency) -> None:
    issued = issue_key(ctx, "stats")
    other = issue_key(ctx, "stats")
    crossed = f"ofk_{issued.key_id}_{other.key.split('_', 2)[2]}"
    for key in (
        issued.key[:-1],
        issued.key + "x",
        crossed,
        "ofk_",
        "ofk__",
        "ofk_a_b",
        "ofk_\0_b",
        "",
        "x",
    ):
        assert principal_of_token(ctx, key) is None


def test_key_is_valid_to_the_end_of_its_last_day(
    ctx: Context, agency: Agency, clock: FixedClock
) -> None:
    issued = issue_key(ctx, "stats", expires=TODAY)
    assert issued.expires_at == dt.datetime(2026, 3, 16, 16, tzinfo=dt.UTC)  # midnight in Shanghai
    clock.advance(dt.timedelta(hours=14, minutes=59))
    assert principal_of_token(ctx, issued.key) is not None
    clock.advance(dt.timedelta(minutes=1))
    assert principal_of_token(ctx, issued.key) is None


def test_key_that_could_never_be_used_is_not_issued_in_a_rehearsal(
    ctx: Context, agency: Agency
) -> None:
    """The day is moved, instants are not: what ends on that day has ended."""
    clock = FixedClock(dt.datetime(2026, 11, 30, tzinfo=dt.UTC), today=TODAY)
    rehearsal = replace(ctx, clock=clock)
    with pytest.raises(Invalid, match="cannot be issued"):
        issue_key(rehearsal, "stats", expires=TODAY + dt.timedelta(days=7))
    issued = issue_key(rehearsal, "stats", expires=dt.date(2026, 11, 30))
    assert principal_of_token(rehearsal, issued.key) is not None


def test_mistakes_of_a_key_are_all_named(ctx: Context, agency: Agency) -> None:
    with pytest.raises(Invalid) as caught:
        issue_key(ctx, "stats", ["data:read", "all", "x"], TODAY - dt.timedelta(days=1))
    assert [mistake.code for mistake in caught.value.mistakes] == ["choice", "choice", "range"]


def test_key_of_an_unknown_agency_is_refused(ctx: Context) -> None:
    with pytest.raises(NotFound):
        issue_key(ctx, "nobody")


def test_only_the_operator_handles_keys(ctx: Context, agency: Agency) -> None:
    nobody = ctx.acting_as(PUBLIC)
    with pytest.raises(Unauthenticated):
        issue_key(nobody, "stats")
    with pytest.raises(Unauthenticated):
        revoke_key(nobody, "x")


def test_revoked_key_ends_at_once_with_its_access_tokens(ctx: Context, agency: Agency) -> None:
    issued = issue_key(ctx, "stats")
    token = issue_access_token(ctx, issued.key_id, issued.key).token
    ctx.session.flush()
    assert principal_of_token(ctx, token) is not None
    revoke_key(ctx, issued.key_id)
    ctx.session.flush()
    assert principal_of_token(ctx, issued.key) is None
    assert principal_of_token(ctx, token) is None
    with pytest.raises(InvalidClient):
        issue_access_token(ctx, issued.key_id, issued.key)


def test_revoking_twice_keeps_the_first_instant(
    ctx: Context, agency: Agency, clock: FixedClock
) -> None:
    issued = issue_key(ctx, "stats")
    assert revoke_key(ctx, issued.key) == issued.key_id
    first = clock.now()
    clock.advance(dt.timedelta(hours=1))
    revoke_key(ctx, issued.key_id)
    assert ctx.session.scalar(sa.select(ApiClient.revoked_at)) == first
    with pytest.raises(NotFound):
        revoke_key(ctx, "unknown")


@pytest.mark.parametrize("whole", [True, False])
def test_client_secret_is_the_whole_key_or_its_last_part(
    ctx: Context, agency: Agency, whole: bool
) -> None:
    issued = issue_key(ctx, "stats")
    secret = issued.key if whole else issued.key.split("_", 2)[2]
    grant = issue_access_token(ctx, issued.key_id, secret)
    ctx.session.flush()
    assert (grant.expires_in, set(grant.scopes)) == (3600, set(ORDINARY_SCOPES))
    actor = principal_of_token(ctx, grant.token)
    assert actor is not None
    assert (actor.label, actor.id) == ("stats", str(ctx.session.scalar(sa.select(ApiClient.id))))


def test_access_token_has_the_scopes_asked_for(ctx: Context, agency: Agency) -> None:
    issued = issue_key(ctx, "stats", ["data:read", "requests:read"])
    grant = issue_access_token(ctx, issued.key_id, issued.key, "data:read")
    ctx.session.flush()
    actor = principal_of_token(ctx, grant.token)
    assert actor is not None
    assert actor.scopes == {Scope.DATA_READ}
    for scope in ("values:write", "data:read values:write", "", "nonsense"):
        with pytest.raises(InvalidScope):
            issue_access_token(ctx, issued.key_id, issued.key, scope)


def test_key_of_another_client_is_no_secret(ctx: Context, agency: Agency) -> None:
    one, two = issue_key(ctx, "stats"), issue_key(ctx, "stats")
    with pytest.raises(InvalidClient):
        issue_access_token(ctx, one.key_id, two.key)


def test_access_token_ends_after_an_hour_or_with_its_key(
    ctx: Context, agency: Agency, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(hours=14, minutes=30))
    issued = issue_key(ctx, "stats", expires=TODAY)
    short = issue_access_token(ctx, issued.key_id, issued.key)
    assert short.expires_in == 1800
    long = issue_access_token(ctx, *_id_and_key(ctx))
    ctx.session.flush()
    clock.advance(dt.timedelta(minutes=45))
    assert principal_of_token(ctx, short.token) is None
    assert principal_of_token(ctx, long.token) is not None
    clock.advance(dt.timedelta(minutes=15))
    assert principal_of_token(ctx, long.token) is None
    assert forget_expired(ctx) == 2


def _id_and_key(ctx: Context) -> tuple[str, str]:
    issued = issue_key(ctx, "stats")
    return issued.key_id, issued.key
