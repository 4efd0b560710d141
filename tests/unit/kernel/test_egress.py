"""Where outgoing calls may go."""

from __future__ import annotations

import ipaddress

import pytest

from oneform.kernel.egress import (
    EgressRefused,
    HostUnknown,
    check_host,
    check_unix,
    check_written,
    is_public,
)

INSIDE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(EgressRefused, match="ONEFORM_ALLOW_HOSTS"):
        check_host(address, ())
    with pytest.raises(EgressRefused):
        check_written(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "::ffff:8.8.8.8"])
def test_public_addresses_pass(address: str) -> None:
    assert check_host(address, ()) == [address]
    check_written(address, ())
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "017700000001"])
def test_other_ways_to_write_loopback_are_refused(host: str) -> None:
    with pytest.raises(EgressRefused):
        check_host(host, ())


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "db.localhost", "[::1]"])
def test_names_of_this_machine_are_refused_as_written(host: str) -> None:
    with pytest.raises(EgressRefused):
        check_written(host, ())


def test_name_is_judged_by_what_it_resolves_to() -> None:
    with pytest.raises(EgressRefused, match="localhost"):
        check_host("localhost", ())


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1/8"])
def test_listed_addresses_and_networks_pass(entry: str) -> None:
    assert check_host("127.0.0.1", ("10.9.9.9", entry)) == ["127.0.0.1"]
    check_written("127.0.0.1", (entry,))


def test_listed_name_passes_whatever_it_resolves_to() -> None:
    assert "127.0.0.1" in check_host("LocalHost", ("localhost",))
    check_written("localhost", ("localhost",))


def test_network_of_another_kind_lets_nothing_through() -> None:
    with pytest.raises(EgressRefused):
        check_host("127.0.0.1", ("::/0", "10.0.0.0/8", "no-network", "unix"))


def test_mapped_address_passes_with_its_network() -> None:
    assert check_host("::ffff:10.1.1.1", ("10.1.0.0/16",)) == ["::ffff:10.1.1.1"]


def test_name_that_does_not_resolve_is_told() -> None:
    with pytest.raises(HostUnknown, match=r"no-such-host\.invalid"):
        check_host("no-such-host.invalid", ())


def test_impossible_name_is_told() -> None:
    with pytest.raises(HostUnknown):
        check_host("a" * 300 + ".example", ())


def test_unix_sockets_need_the_word() -> None:
    with pytest.raises(EgressRefused, match="unix"):
        check_unix(("127.0.0.1",))
    check_unix(("unix",))
