"""Where outgoing calls may go: not to the machine itself, nor into its private networks.

Refused are loopback, link-local, private, multicast, reserved and unspecified
addresses, and unix sockets, unless the setting `allow_hosts` lists

- the host's name as the caller writes it (`db.internal`): whatever it resolves to,
- its address (`10.1.2.3`) or a network that holds it (`10.1.0.0/16`, `fd00::/8`),
- or `unix`, for unix sockets.

A caller that can connect to an address rather than a name connects to one that
`check_host` gave, so that the name cannot resolve to another in between.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from oneform.kernel.errors import DomainError

UNIX = "unix"
"""The word in `allow_hosts` that admits unix sockets."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IPv6 addresses that carry an IPv4 address in their last 32 bits: NAT64 (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class EgressRefused(DomainError):
    """A call to this address is not allowed."""

    code = "address-refused"
    title = "Calls to this address are not allowed"


class HostUnknown(DomainError):
    """The name does not resolve (now)."""

    code = "host-unknown"
    title = "The host's name does not resolve"


def check_unix(allow: Iterable[str]) -> None:
    """EgressRefused unless unix sockets are listed."""
    if UNIX not in allow:
        raise EgressRefused(
            "Unix sockets are not allowed; the operator can list “unix” in ONEFORM_ALLOW_HOSTS."
        )


def check_written(host: str, allow: Iterable[str]) -> None:
    """EgressRefused for what is plainly refused as it is written; asks no name server.

    For checks inside a transaction. A name that resolves to a private address is
    found by `check_host`, before each call.
    """
    allowed = tuple(allow)
    if _listed(host, allowed):
        return
    name = _plain(host)
    if name == "localhost" or name.endswith(".localhost"):
        raise _refusal(host)
    address = _address(name)
    if address is not None:
        _check_address(host, address, allowed)


def check_host(host: str, allow: Iterable[str]) -> list[str]:
    """The addresses of a host that may be called; all of them, or none.

    EgressRefused when one of them is not allowed, HostUnknown when there are none.
    """
    allowed = tuple(allow)
    name = _plain(host)
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostUnknown(f"The name {host[:200]!r} does not resolve.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not _listed(host, allowed):
        for text in addresses:
            _check_address(host, ipaddress.ip_address(text), allowed)
    return list(dict.fromkeys(addresses))


def is_public(address: Address) -> bool:
    """Whether an address is on the public Internet, also by the IPv4 address that it carries."""
    inner = _carried(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _check_address(host: str, address: Address, allowed: tuple[str, ...]) -> None:
    if is_public(address) or any(_holds(entry, address) for entry in allowed):
        return
    raise _refusal(host)


def _refusal(host: str) -> EgressRefused:
    return EgressRefused(
        f"{host[:200]} is in a private network or on this machine; the operator can list it in "
        "ONEFORM_ALLOW_HOSTS."
    )


def _plain(host: str) -> str:
    return host.strip().removeprefix("[").removesuffix("]").rstrip(".").lower()


def _listed(host: str, allowed: tuple[str, ...]) -> bool:
    return _plain(host) in {_plain(entry) for entry in allowed if entry != UNIX}


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _holds(entry: str, address: Address) -> bool:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    inner = _carried(address)
    return address in network or (inner is not None and inner in network)
