"""Passwords: Argon2id (RFC 9106) with the parameters that OWASP gives for servers."""

from __future__ import annotations

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from oneform.kernel.errors import Mistake

SHORTEST = 8
LONGEST = 256

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

NOBODYS_HASH = _HASHER.hash("nobody's password")
"""Checked where there is no account, so that the time does not tell."""


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def is_password(password_hash: str, password: str) -> bool:
    """Whether it is the password of the hash."""
    try:
        return _HASHER.verify(password_hash, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def password_mistakes(password: str, pointer: str) -> list[Mistake]:
    """Length only: rules of composition make passwords worse (NIST SP 800-63B, 3.1.1)."""
    if not SHORTEST <= len(password) <= LONGEST:
        words = f"must have {SHORTEST} to {LONGEST} characters"
        return [Mistake(pointer, "length", words)]
    return []
