"""Address ranges: from where a key may be used. IPv4 written as IPv6 is IPv4 (RFC 4291 §2.5.5.2), in ranges as in addresses."""

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from keyrack.model.addresses import Address, Network, plain

_ZONE = re.compile(r"[0-9A-Za-z._~-]{1,32}")
_WITH_PORT = re.compile(r"[0-9.]+:[0-9]+|\[.*\](:[0-9]+)?")
_MAPPED_BITS = 96
EXAMPLE = "Write ranges like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."


def read_address(text: str | None) -> Address | None:
    """Return the address in a text, IPv4-mapped IPv6 as IPv4; None where it is none. One of a single link keeps its zone (RFC 4007 §11)."""
    _, percent, zone = (text or "").partition("%")
    if percent and not _ZONE.fullmatch(zone):
        return None
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    return address if _zone(address) else plain(address)


def holds(ranges: Iterable[Network], address: Address | None) -> bool:
    """Whether one of the ranges holds an address. None holds what is none, nor one with a zone: that belongs to a link, to no network."""
    return address is not None and not _zone(address) and any(address in network for network in ranges)


def read_range(text: str) -> Network:
    """Return the range in a text: an address, or a network in CIDR. Raises ValueError, in words for a person, for what is none."""
    if "%" in text:
        raise ValueError(f"{text}: what follows % is a zone, which means something on one machine only; leave it out.")
    if _WITH_PORT.fullmatch(text):
        raise ValueError(f"{text}: leave brackets and the port out; a range holds addresses, from whatever port they call.")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text}: this is no IPv4 or IPv6 address range. {EXAMPLE}") from None
    address = text.partition("/")[0]
    if ip_address(address) != network.network_address:
        raise ValueError(f"{text}: write {_unmapped(network)} for the whole range, or {address} for the one address in it.")
    return _unmapped(network)


def warnings(ranges: Collection[str]) -> list[str]:
    """Say in words which ranges bound nothing."""
    open_to = {"0.0.0.0/0": "every IPv4 address", "::/0": "every IPv6 address"}
    return [f"{text} holds {what}: it bounds nothing." for text, what in open_to.items() if text in ranges]


def _unmapped(network: Network) -> Network:
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


def _zone(address: IPv4Address | IPv6Address) -> str | None:
    return address.scope_id if isinstance(address, IPv6Address) else None
