"""Which addresses may be reached: those that are public, and what the operator allows."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyrack.model.addresses import Address, Network, networks, plain, refused_address

PRIVATE = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4"),
    *("240.0.0.0/4", "255.255.255.255/32"),
]
PRIVATE_V6 = [
    *("::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48", "2001:10::/28"),
    *("2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::/32", "fe80::/10", "fec0::/10"),
    *("ff00::/8",),
]


def within(texts: list[str]) -> st.SearchStrategy[Address]:
    """Any address of these networks, their edges above all."""
    return st.sampled_from([ip_network(text) for text in texts]).flatmap(_inside)


def _inside(network: Network) -> st.SearchStrategy[Address]:
    first, last = int(network.network_address), int(network.broadcast_address)
    kind = IPv4Address if isinstance(network, IPv4Network) else IPv6Address
    return (st.sampled_from([first, last]) | st.integers(first, last)).map(kind)


private_v4 = within(PRIVATE).map(lambda address: IPv4Address(int(address)))


@given(address=within(PRIVATE + PRIVATE_V6))
def test_every_address_of_every_special_network_is_refused(address: Address) -> None:
    assert refused_address(address, ()) is not None


@given(address=st.ip_addresses(v=4) | st.ip_addresses(v=6))
@example(address=ip_address("198.41.0.4"))
@example(address=ip_address("2606:4700::1111"))
def test_what_may_be_reached_is_public_in_the_eyes_of_others_too(address: Address) -> None:
    if refused_address(address, ()) is None:
        assert plain(address).is_global
        assert not plain(address).is_multicast


@given(address=private_v4)
def test_private_address_is_refused_in_every_form_that_holds_it(address: IPv4Address) -> None:
    number = int(address)
    forms = [
        IPv6Address((0xFFFF << 32) | number),  # v4-mapped
        IPv6Address(number),  # v4-compatible
        IPv6Address((0xFFFF << 48) | number),  # v4-translated
        IPv6Address((0x64FF9B << 96) | number),  # NAT64
        IPv6Address((0x64FF9B0001 << 80) | number),  # NAT64, local use
        IPv6Address((0x2002 << 112) | (number << 80) | 1),  # 6to4
        IPv6Address((0x20010000 << 96) | (number << 64) | 0xFFFF),  # Teredo, as its server
        IPv6Address((0x20010000 << 96) | (0xC6290004 << 64) | (number ^ 0xFFFF_FFFF)),  # Teredo, as its client
        IPv6Address((0xFE80 << 112) | (0x5EFE << 32) | number),  # ISATAP
    ]
    assert [] == [form for form in forms if refused_address(form, ()) is None]


@pytest.mark.parametrize("text", ["1.1.1.1", "198.41.0.4", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:198.41.0.4"])
def test_public_address_may_be_reached(text: str) -> None:
    assert refused_address(ip_address(text), ()) is None


def test_address_of_one_link_is_refused() -> None:
    assert refused_address(IPv6Address("2606:4700::1111%eth0"), ()) is not None
    assert refused_address(IPv6Address("fe80::1%eth0"), networks(["fe80::/10"])) is not None


@given(address=within(["10.20.0.0/16", "fd12::/16"]))
def test_allowed_network_may_be_reached(address: Address) -> None:
    assert refused_address(address, networks(["10.20.0.0/16", "fd12::/16"])) is None


@given(address=within(PRIVATE + PRIVATE_V6).filter(lambda address: address not in IPv4Network("10.20.0.0/16")))
def test_allowed_network_opens_no_other(address: Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is None or mapped not in IPv4Network("10.20.0.0/16"):
        assert refused_address(address, networks(["10.20.0.0/16"])) is not None


@given(address=private_v4)
def test_allowed_nat64_leads_to_no_private_address(address: IPv4Address) -> None:
    allowed = networks(["64:ff9b::/96"])
    assert refused_address(IPv6Address((0x64FF9B << 96) | int(address)), allowed) is not None
    assert refused_address(IPv6Address("64:ff9b::198.41.0.4"), allowed) is None


def test_words_do_not_hold_the_address() -> None:
    """What a name leads to inside a network is not told outside."""
    assert "The address is private; only public addresses are called." == refused_address(IPv4Address("10.1.2.3"), ())


def test_networks_are_read_as_operators_write_them() -> None:
    assert (IPv4Network("10.0.0.0/8"), IPv6Network("::1/128")) == networks(["10.1.2.3/8", "::1"])
    with pytest.raises(ValueError, match="does not appear to be"):
        networks(["everything"])
