"""Sealing of secrets."""

from __future__ import annotations

import pytest

from oneform.kernel.crypto import SealBroken, seal, unseal

KEY = "k" * 40


def test_sealed_secrets_are_read_again() -> None:
    sealed = seal(KEY, "source", {"password": "密码 123"})
    assert unseal(KEY, "source", sealed) == {"password": "密码 123"}


def test_seal_shows_nothing_of_the_secret() -> None:
    assert b"hunter2" not in seal(KEY, "source", {"password": "hunter2"})


def test_same_secret_is_sealed_differently_each_time() -> None:
    assert seal(KEY, "source", {"a": "b"}) != seal(KEY, "source", {"a": "b"})


def test_no_seal_holds_no_secrets() -> None:
    assert unseal(KEY, "source", None) == {}


@pytest.mark.parametrize(("key", "purpose"), [("l" * 40, "source"), (KEY, "webhook")])
def test_seal_opens_only_with_its_key_and_for_its_purpose(key: str, purpose: str) -> None:
    with pytest.raises(SealBroken, match="secret key"):
        unseal(key, purpose, seal(KEY, "source", {"a": "b"}))


def test_altered_seal_is_refused() -> None:
    sealed = bytearray(seal(KEY, "source", {"a": "b"}))
    sealed[30] ^= 1
    with pytest.raises(SealBroken):
        unseal(KEY, "source", bytes(sealed))
