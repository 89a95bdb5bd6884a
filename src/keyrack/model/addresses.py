"""Addresses that customers give: which of them outgoing calls may reach, and why not the others. What is not public is refused.

Two questions, asked one after the other. What a URL says by itself (`destination`, `refused_url`) is asked before anything is resolved,
also when somebody enters it. What its host resolves to (`refused_address`) is asked right before a connection, of every address.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import idna

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

URL_LENGTH_MAX = 2_000
HOST_LENGTH_MAX = 253
PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
# What RFC 3986 lets stand in a path and a query, and the brackets, braces and bars that people write there.
_PATH = re.compile(r"[!$-;=?-\[\]_a-~]*")
# Browsers and the C library read such a host as a number (0x7f000001, 127.1, 0177.0.0.1): whoever checks it must not read a name.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE = frozenset({"corp", "home", "internal", "intranet", "lan", "local", "localhost"})

# The Fetch standard's "bad ports": those of other protocols, which could take an HTTP request for their own.
# fmt: off
_PORTS_OF_OTHERS = frozenset({
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115,
    117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587,
    601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
    6679, 6697, 10080
})
# fmt: on

# IANA's special-purpose registry (RFC 6890), and what is public by number alone. The first network that holds an address says why.
_REFUSED_V4: dict[IPv4Network, str] = {
    IPv4Network(network): why
    for network, why in {
        "0.0.0.0/8": "stands for “this network”",
        "10.0.0.0/8": "is private",
        "100.64.0.0/10": "is shared inside a provider’s network",
        "127.0.0.0/8": "is the machine itself (loopback)",
        "168.63.129.16/32": "is a cloud’s own service for its machines",
        "169.254.0.0/16": "is link-local, where clouds keep their metadata",
        "172.16.0.0/12": "is private",
        "192.0.0.0/24": "is kept for protocols",
        "192.0.2.0/24": "is kept for documentation",
        "192.88.99.0/24": "is a relay’s (6to4)",
        "192.168.0.0/16": "is private",
        "198.18.0.0/15": "is kept for measurements",
        "198.51.100.0/24": "is kept for documentation",
        "203.0.113.0/24": "is kept for documentation",
        "224.0.0.0/4": "is multicast",
        "255.255.255.255/32": "is broadcast",
        "240.0.0.0/4": "is reserved",
    }.items()
}
_NAT64 = IPv6Network("64:ff9b::/96")
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6: dict[IPv6Network, str] = {
    IPv6Network(network): why
    for network, why in {
        "::/128": "stands for no address",
        "::1/128": "is the machine itself (loopback)",
        "::/96": "holds an IPv4 address in a form that is no longer used",
        "64:ff9b::/96": "is translated to an IPv4 address (NAT64)",
        "64:ff9b:1::/48": "is translated to an IPv4 address (NAT64)",
        "100::/64": "is discarded",
        "2001::/32": "is a tunnel to an IPv4 address (Teredo)",
        "2001::/23": "is kept for protocols",
        "2001:db8::/32": "is kept for documentation",
        "2002::/16": "is a tunnel to an IPv4 address (6to4)",
        "3fff::/20": "is kept for documentation",
        "5f00::/16": "is a segment’s (SRv6)",
        "fc00::/7": "is private",
        "fe80::/10": "is link-local",
        "fec0::/10": "is site-local",
        "ff00::/8": "is multicast",
    }.items()
}
_ONLY_PUBLIC = "only public addresses are called"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a URL leads. `host` is in ASCII and lower case, without brackets; `path` includes the query.

    `address` is there where the host is one, and no name.
    """

    scheme: str
    host: str
    address: Address | None
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says: the host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that an operator has named, like `10.0.0.0/8`. Raises ValueError for what is none."""
    return tuple(ip_network(text, strict=False) for text in texts)


def is_allowed(address: Address, allowed: Collection[Network]) -> bool:
    """Whether the operator has named a network that holds this address. A v4-mapped address is the IPv4 address in it."""
    meant = plain(address)
    return any(meant in network for network in allowed)


def plain(address: Address) -> Address:
    """Return the address that is reached by this one: of a v4-mapped address, the IPv4 address in it."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def refused_address(address: Address, allowed: Collection[Network]) -> str | None:
    """Say in words why an address may not be reached; None where it may: it is public, or in a network that the operator allows.

    The words do not hold the address: what a name resolves to inside a network is nobody's business outside. A NAT64 that the operator
    allows is a way to IPv4 addresses, which are judged by themselves.
    """
    meant = plain(address)
    if isinstance(meant, IPv6Address) and meant.scope_id is not None:
        return f"The address belongs to one link; {_ONLY_PUBLIC}."
    if is_allowed(meant, allowed):
        return refused_address(IPv4Address(int(meant) & 0xFFFF_FFFF), allowed) if meant in _NAT64 else None
    refused: Iterable[tuple[Network, str]] = _REFUSED_V4.items() if isinstance(meant, IPv4Address) else _REFUSED_V6.items()
    for network, why in refused:
        if meant in network:
            return f"The address {why}; {_ONLY_PUBLIC}."
    if isinstance(meant, IPv6Address) and meant not in _PUBLIC_V6:
        return f"The address is not given to anybody; {_ONLY_PUBLIC}."
    return None


def refused_url(url: str, allowed: Collection[Network]) -> str | None:
    """Say in words why a URL is not called, before its host is resolved; None where nothing speaks against it so far."""
    try:
        destination(url, allowed)
    except ValueError as refused:
        return str(refused)
    return None


def destination(url: str, allowed: Collection[Network]) -> Destination:
    """Return where a URL leads. Raises ValueError, in words for a person, for one that is not called.

    This is the only reading of a URL: what is checked is what is connected to.
    """
    if len(url) > URL_LENGTH_MAX:
        raise ValueError(f"A URL has at most {URL_LENGTH_MAX:,} characters.")
    if any(one <= " " or one == "\x7f" for one in url):
        raise ValueError("A URL has no spaces and no control characters.")
    parts = _URL.fullmatch(url)
    if parts is None or not parts[2]:
        raise ValueError("A URL begins with https:// and a host.")
    scheme, authority, rest = parts[1].lower(), parts[2], parts[3]
    if scheme not in PORTS or (scheme == "http" and not allowed):
        raise ValueError("Only https:// is called.")
    if "#" in rest:
        raise ValueError("A fragment (what follows #) is never sent: leave it out.")
    if not _PATH.fullmatch(rest):
        raise ValueError("Write everything but letters, digits and -._~ percent-encoded (UTF-8) in a URL's path and query.")
    host, address, port = _host_and_port(authority, PORTS[scheme])
    reason = _refused_name(host, allowed) if address is None else refused_address(address, allowed)
    if reason is None and scheme == "http" and address is not None and not is_allowed(address, allowed):
        reason = "Only https:// is called."
    if reason is not None:
        raise ValueError(reason)
    return Destination(scheme, host, address, port, rest if rest.startswith("/") else f"/{rest}")


def _host_and_port(authority: str, default: int) -> tuple[str, Address | None, int]:
    if "@" in authority:
        raise ValueError("Put no user name and no password into a URL: use a header.")
    bracketed = re.fullmatch(r"\[([^\]]*)\](.*)", authority)
    if bracketed is not None:
        text, rest = bracketed[1], bracketed[2]
    else:
        text, colon, number = authority.partition(":")
        rest = colon + number
    port = default if not rest else _port(rest)
    if bracketed is None:
        return *_host(text), port
    try:
        address = IPv6Address(text)
    except ValueError:
        raise ValueError(f"[{text}] is no IPv6 address.") from None
    return str(address), address, port


def _port(text: str) -> int:
    digits = re.fullmatch(r":([0-9]{1,5})", text)
    if digits is None or not 1 <= int(digits[1]) <= 65_535:
        raise ValueError("A port is a number from 1 to 65535.")
    port = int(digits[1])
    if port in _PORTS_OF_OTHERS:
        raise ValueError(f"Port {port} is another protocol's.")
    return port


def _host(text: str) -> tuple[str, IPv4Address | None]:
    """Return a host as it is looked up, and its address where it is one. Checked in ASCII: other digits and dots mean the same there."""
    try:
        host = text.lower() if text.isascii() else idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except UnicodeError:
        raise ValueError("The host is no valid name.") from None
    if len(host) > HOST_LENGTH_MAX or not _HOST.fullmatch(host):
        raise ValueError("The host is no valid name.")
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return host, None
    try:
        return host, IPv4Address(host)
    except ValueError:
        raise ValueError(f"{host} is no IPv4 address: write it as four decimal numbers, like 198.41.0.4.") from None


def _refused_name(host: str, allowed: Collection[Network]) -> str | None:
    # Where the operator allows networks, such names may lead there: what they resolve to is checked like that of any other.
    inside = "." not in host or host.rpartition(".")[2] in _INSIDE or host.endswith(".home.arpa")
    return f"{host} means something inside a network only; {_ONLY_PUBLIC}." if inside and not allowed else None
