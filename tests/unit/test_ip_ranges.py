"""Address ranges: what can be written, what it means, and why not."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.ip_ranges import holds, read_address, read_range, warnings

LARGEST = 2**128 - 1
addresses = st.ip_addresses()
networks = st.integers(0, 2**32 - 1).flatmap(
    lambda number: st.builds(lambda bits: IPv4Network((number, bits), strict=False), st.integers(0, 32))
) | st.integers(0, LARGEST).flatmap(lambda number: st.builds(lambda bits: IPv6Network((number, bits), strict=False), st.integers(0, 128)))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.0/255.255.255.0", "203.0.113.0/24"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_range_has_one_normal_form(written: str, meant: str) -> None:
    assert meant == str(read_range(written))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("203.0.113.7/24", "write 203.0.113.0/24 for the whole range, or 203.0.113.7"),
        ("2001:db8::1/32", "write 2001:db8::/32 for the whole range, or 2001:db8::1"),
        ("::ffff:203.0.113.7/120", "write 203.0.113.0/24 for the whole range"),
        ("fe80::1%eth0", "leave it out"),
        ("203.0.113.7:8080", "leave brackets and the port out"),
        ("[2001:db8::1]:80", "leave brackets and the port out"),
        ("203.0.113.0/33", "no IPv4 or IPv6 address range"),
        ("3405803783", "no IPv4 or IPv6 address range"),
        ("0x7f.1", "no IPv4 or IPv6 address range"),
        ("office.example.com", "no IPv4 or IPv6 address range"),
    ],
)
def test_what_could_mean_two_things_or_none_is_refused_with_what_to_write(written: str, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace(".", r"\.")):
        read_range(written)


@given(networks, addresses)
def test_range_holds_the_addresses_between_its_first_and_its_last(network: IPv4Network | IPv6Network, address: object) -> None:
    assert isinstance(address, IPv4Address | IPv6Address)
    found, meant = read_address(str(address)), read_range(str(network))
    assert found is not None
    inside = found.version == meant.version and int(meant.network_address) <= int(found) <= int(meant.broadcast_address)
    assert inside == holds([meant], found)


@given(st.ip_addresses(v=4))
def test_ipv4_written_as_ipv6_is_ipv4(address: object) -> None:
    assert isinstance(address, IPv4Address)
    mapped = read_address(f"::ffff:{address}")
    assert address == mapped
    assert holds([read_range(str(address))], mapped)
    assert not holds([read_range("::/0")], mapped)


@given(st.ip_addresses(v=6), st.sampled_from(["eth0", "1", "en0.100"]))
def test_address_with_a_zone_is_in_no_range(address: object, zone: str) -> None:
    scoped = read_address(f"{address}%{zone}")
    assert scoped is not None
    assert not holds([read_range("::/0"), read_range("0.0.0.0/0")], scoped)


def test_what_is_no_address_is_in_no_range() -> None:
    for text in (None, "", "unknown", "203.0.113.7%eth0", "fe80::1%", "fe80::1%\0", "fe80::1%a%b", "203.0.113.7:80", "[::1]"):
        assert read_address(text) is None
        assert not holds([read_range("0.0.0.0/0"), read_range("::/0")], read_address(text))


def test_ranges_that_bound_nothing_are_named() -> None:
    assert ["0.0.0.0/0 holds every IPv4 address: it bounds nothing."] == warnings(["0.0.0.0/0", "203.0.113.0/24"])
    assert [] == warnings(["203.0.113.0/24", "::/1"])
