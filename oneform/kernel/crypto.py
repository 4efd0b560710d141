"""Sealing of secrets that have to be read again: passwords and tokens of sources, keys of webhooks.

Authenticated encryption (Fernet) under keys derived from the configured secret
key, one for each purpose, so that a seal of one purpose opens nowhere else.
Passwords and tokens that are only compared are hashed in `oneform.identity`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from oneform.kernel.errors import Conflict


class SealBroken(Conflict):
    """The seal was made under another secret key, for another purpose, or was altered."""

    code = "seal-broken"
    title = "A stored secret cannot be opened with the present secret key"


def _fernet(secret_key: str, purpose: str) -> Fernet:
    derived = HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=f"oneform:{purpose}".encode()
    ).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(secret_key: str, purpose: str, secrets: Mapping[str, str]) -> bytes:
    """Encrypt named secrets; each seal of the same secrets looks different."""
    return _fernet(secret_key, purpose).encrypt(json.dumps(dict(secrets)).encode())


def unseal(secret_key: str, purpose: str, sealed: bytes | None) -> dict[str, str]:
    """The secrets of a seal, none for None; SealBroken where they cannot be opened."""
    if sealed is None:
        return {}
    try:
        opened = _fernet(secret_key, purpose).decrypt(bytes(sealed))
    except InvalidToken:
        raise SealBroken(
            "The stored secrets cannot be opened: the secret key of this installation has "
            "changed. Give them again, or restore the key."
        ) from None
    found: dict[str, str] = json.loads(opened)
    return found
