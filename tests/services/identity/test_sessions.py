"""Logging in, locking out, sessions that end."""

from __future__ import annotations

import datetime as dt
import threading

import argon2
import pytest
import sqlalchemy as sa

from oneform.audit.models import AuditEvent
from oneform.identity import passwords
from oneform.identity.models import SessionToken, Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR, PUBLIC, Permission, Role
from oneform.identity.sessions import (
    authenticate_password,
    close_session,
    forget_expired,
    open_session,
    principal_of_session,
)
from oneform.kernel.actor import ActorKind
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.runtime import Runtime

VILLAGE = "420102001001"
PASSWORD = "correct horse"


@pytest.fixture
def person(ctx: Context, areas: None) -> Staff:
    add_person(
        ctx,
        AddPerson(username="zhang", name="张三", roles=["staff"], area=VILLAGE, password=PASSWORD),
    )
    return ctx.session.scalars(sa.select(Staff)).one()


def test_session_leads_to_the_person_and_reach(ctx: Context, person: Staff) -> None:
    found = authenticate_password(ctx, "zhang", PASSWORD)
    assert found is person
    opened = open_session(ctx, person)
    ctx.session.flush()
    actor = principal_of_session(ctx, opened.token)
    assert actor is not None
    assert (actor.kind, actor.label, actor.roles) == (ActorKind.PERSON, "zhang", {Role.STAFF})
    assert actor.may(Permission.ANSWER)
    assert not actor.may(Permission.SUBMIT_REQUEST)
    assert actor.reaches(ctx.sql(f"SELECT path FROM area WHERE code = '{VILLAGE}'").scalar_one())
    assert not actor.reaches(
        ctx.sql("SELECT path FROM area WHERE code = '420102001000'").scalar_one()
    )


def test_username_is_taken_as_it_is_typed_on_a_phone(ctx: Context, person: Staff) -> None:
    assert authenticate_password(ctx, " Ｚhang ", PASSWORD) is person


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("zhang", "wrong"),
        ("zhang", ""),
        ("nobody", PASSWORD),
        ("zhang\0", PASSWORD),
        ("zhang", PASSWORD + "\0"),
        ("zhang", PASSWORD + "x" * 5000),
    ],
)
def test_wrong_credentials_are_nobody(
    ctx: Context, person: Staff, username: str, password: str
) -> None:
    assert authenticate_password(ctx, username, password) is None


@pytest.mark.parametrize("state", ["unknown", "disabled", "locked", "without password"])
def test_a_hash_is_computed_for_whoever_cannot_log_in(
    ctx: Context, person: Staff, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """The time that an answer takes must not tell which accounts there are."""
    if state == "disabled":
        person.disabled_at = ctx.clock.now()
    if state == "locked":
        person.locked_until = ctx.clock.now() + dt.timedelta(minutes=1)
    if state == "without password":
        person.password_hash = None
    verified = []
    verify = argon2.PasswordHasher.verify

    def counting(self: argon2.PasswordHasher, hash: str, password: str) -> bool:
        verified.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counting)
    name = "nobody" if state == "unknown" else "zhang"
    assert authenticate_password(ctx, name, PASSWORD) is None
    assert verified == [passwords.NOBODYS_HASH]


def test_account_is_locked_after_five_failures_for_fifteen_minutes(
    ctx: Context, person: Staff, clock: FixedClock
) -> None:
    for _ in range(5):
        assert authenticate_password(ctx, "zhang", "wrong") is None
    assert authenticate_password(ctx, "zhang", PASSWORD) is None
    clock.advance(dt.timedelta(minutes=14, seconds=59))
    assert authenticate_password(ctx, "zhang", PASSWORD) is None
    clock.advance(dt.timedelta(seconds=1))
    assert authenticate_password(ctx, "zhang", PASSWORD) is person
    assert person.locked_until is None
    tags = ctx.session.scalars(sa.select(AuditEvent.tag)).all()
    assert tags.count("person.locked") == 1


def test_success_forgets_earlier_failures(ctx: Context, person: Staff) -> None:
    for _ in range(3):
        for _ in range(4):
            authenticate_password(ctx, "zhang", "wrong")
        assert authenticate_password(ctx, "zhang", PASSWORD) is person


def test_guesses_in_parallel_are_counted_one_by_one(runtime: Runtime) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO area (code, name, level, region_id, path) VALUES ('1', '一', 1, 1, '/1/')"
        )
        add_person(ctx, AddPerson(username="z", roles=["staff"], area="1", password=PASSWORD))
    start = threading.Barrier(8)

    def guess() -> None:
        start.wait()
        with runtime.context(PUBLIC) as ctx:
            authenticate_password(ctx, "z", "wrong")

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with runtime.context(PUBLIC) as ctx:
        assert authenticate_password(ctx, "z", PASSWORD) is None
        assert ctx.session.scalars(sa.select(Staff.locked_until)).one() is not None


def test_session_ends_after_its_time(ctx: Context, person: Staff, clock: FixedClock) -> None:
    opened = open_session(ctx, person)
    ctx.session.flush()
    clock.advance(opened.expires_at - clock.now() - dt.timedelta(seconds=1))
    assert principal_of_session(ctx, opened.token) is not None
    assert forget_expired(ctx) == 0
    clock.advance(dt.timedelta(seconds=1))
    assert principal_of_session(ctx, opened.token) is None
    assert forget_expired(ctx) == 1


def test_closed_session_is_over(ctx: Context, person: Staff) -> None:
    opened, other = open_session(ctx, person), open_session(ctx, person)
    ctx.session.flush()
    close_session(ctx, opened.token)
    close_session(ctx, opened.token)
    assert principal_of_session(ctx, opened.token) is None
    assert principal_of_session(ctx, other.token) is not None


def test_token_is_kept_as_a_hash_only(ctx: Context, person: Staff) -> None:
    token = open_session(ctx, person).token
    ctx.session.flush()
    kept = ctx.session.scalars(sa.select(SessionToken.token_hash)).one()
    assert token.encode() not in bytes(kept)
    assert len(kept) == 32


def test_outdated_hash_is_replaced_at_the_next_login(ctx: Context, person: Staff) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    person.password_hash = old
    ctx.session.flush()
    assert authenticate_password(ctx, "zhang", PASSWORD) is person
    assert person.password_hash != old
    assert person.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_logging_in_leaves_no_trace_of_when_somebody_works(ctx: Context, person: Staff) -> None:
    before = ctx.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent))
    authenticate_password(ctx, "zhang", PASSWORD)
    open_session(ctx, person)
    ctx.session.flush()
    assert ctx.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == before
