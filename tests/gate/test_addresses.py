"""The client's address: the peer's, or the right-most hop that no trusted proxy has; whatever a client writes into the headers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.gate.head import HeadReader
from keyrack.model.calls import Call
from tests.backends import Backend
from tests.hosts import Host, running

PROXIES = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]
TRUSTED = ["10.0.0.1", "10.255.3.4", "fd00::1", "fd12:3456::9", "192.0.2.7"]
UNTRUSTED = ["203.0.113.7", "198.51.100.2", "11.0.0.1", "2001:db8::5", "fe80::1", "::1", "127.0.0.1"]
GARBAGE = [
    "",
    "unknown",
    "_hidden",
    "-",
    "203.0.113",
    "203.0.113.7.8",
    "1.2.3.4:5:6",
    "[",
    "[]:80",
    "x" * 300,
    "0x7f.1",
    "é",
    "for=1.2.3.4",
]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Hop:
    """One hop of a header: as it is written, and which address that means; None for none."""

    written: str
    address: str | None


def read(peer: str | None, headers: Headers, proxies: list[str] = PROXIES) -> str | None:
    """Return the address of a call from a peer with these headers."""
    reader = HeadReader(proxies, 64 * 1024, 1000, ["acme"], "acme_embed")
    call = Call("GET", "/api/v1/me", "req_0", 0, 0)
    scope = {"headers": headers, "client": (peer, 5000) if peer is not None else None, "query_string": b""}
    reader.read(call, scope)
    return call.address


def lines(name: str, hops: list[Hop], cuts: int = 0) -> Headers:
    """Write hops as a header, in one line or cut into two."""
    texts = [hop.written for hop in hops]
    parts = [texts[:cuts], texts[cuts:]] if 0 < cuts < len(texts) else [texts]
    return [(name.encode(), ", ".join(part).encode("latin-1")) for part in parts]


def of_list(address: str) -> st.SearchStrategy[Hop]:
    """The ways in which proxies write an address into X-Forwarded-For."""
    plain = [address, f" {address} "]
    if ":" in address:
        plain += [f"[{address}]", f"[{address}]:8080", ip_address(address).exploded]
    else:
        plain += [f"{address}:8080", f"::ffff:{address}", f"[::ffff:{address}]:1"]
    zoned = [Hop(f"{address}%eth0", f"{address}%eth0")] if ":" in address else []
    return st.sampled_from([*(Hop(text, address) for text in plain), *zoned])


def of_forwarded(address: str) -> st.SearchStrategy[Hop]:
    """The ways in which proxies write an address into Forwarded, with a host that the client chose beside it."""
    quoted = f'"[{address}]:80"' if ":" in address else f'"{address}:80"'
    names = [f"for={quoted}", f"FOR={quoted.upper()}", f"for={address}"] if ":" not in address else [f"for={quoted}", f"For={quoted}"]
    before = ["", "proto=https;", 'host="for=9.9.9.9";', 'by=203.0.113.9;host="a,for=9.9.9.9";']
    after = ["", ";proto=http", '; host="a;for=9.9.9.9"', ';host="a\\",for=9.9.9.9"', ';host="x, y"']
    return st.builds(lambda one, name, last: Hop(one + name + last, address), *map(st.sampled_from, (before, names, after)))


hops_of_list = st.sampled_from([*TRUSTED, *UNTRUSTED]).flatmap(of_list) | st.sampled_from([Hop(text, None) for text in GARBAGE])
hops_forwarded = st.sampled_from([*TRUSTED, *UNTRUSTED]).flatmap(of_forwarded) | st.sampled_from(
    [Hop(text, None) for text in ("for=unknown", "for=_x", "proto=https", "for=1.2.3.4;for=9.9.9.9", "", "for")]
)
header_of_hops = st.tuples(st.just("x-forwarded-for"), st.lists(hops_of_list, max_size=8)) | st.tuples(
    st.just("forwarded"), st.lists(hops_forwarded, max_size=8)
)
peers = st.sampled_from([*TRUSTED, *UNTRUSTED, "::ffff:10.0.0.1", "fe80::1%eth0", "testclient", None])
# Whatever bytes a server lets through as a header's value.
values = st.binary(max_size=300) | st.text(st.sampled_from('0123456789.:,;="[]% \\forFOR_\t'), max_size=200).map(str.encode)
spoofed = st.lists(st.tuples(st.sampled_from([b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"]), values), max_size=5)


@given(peers, header_of_hops, spoofed)
def test_peer_wins_where_no_proxy_is_trusted(peer: str | None, header: tuple[str, list[Hop]], others: Headers) -> None:
    assert peer == read(peer, [*lines(*header), *others], proxies=[])


@given(st.sampled_from([*UNTRUSTED, "testclient", "fe80::1%eth0"]), header_of_hops, spoofed)
def test_peer_that_is_no_trusted_proxy_wins(peer: str, header: tuple[str, list[Hop]], others: Headers) -> None:
    assert peer == read(peer, [*lines(*header), *others])


@given(st.sampled_from([*TRUSTED, None]), header_of_hops, st.integers(0, 8))
def test_rightmost_untrusted_hop_wins_behind_trusted_proxies(peer: str | None, header: tuple[str, list[Hop]], cuts: int) -> None:
    name, hops = header
    assert nearest_untrusted(peer, hops) == read(peer, lines(name, hops, cuts))


def nearest_untrusted(peer: str | None, hops: list[Hop]) -> str | None:
    """The rule, read slowly: follow the hops from the peer on, as far as each is a trusted proxy that names the one before it."""
    chain = [peer, *[hop.address for hop in reversed(hops)]]
    believed = [chain[0]]
    for address in chain[1:]:
        # A zone says on which link an address is: whose it is does not change with it.
        if (believed[-1] or "").partition("%")[0] in UNTRUSTED or address is None:
            break
        believed.append(address)
    return believed[-1]


@given(st.sampled_from(["x-forwarded-for", "forwarded"]), values, st.sampled_from(UNTRUSTED), st.booleans(), st.data())
def test_what_a_client_writes_moves_nothing_that_the_proxy_wrote(
    name: str, theirs: bytes, address: str, apart: bool, data: st.DataObject
) -> None:
    """The proxy appends the client's address to the client's own header, in the same line or in another."""
    write = of_list if name == "x-forwarded-for" else of_forwarded
    own = data.draw(write(address))
    between = data.draw(st.lists(st.sampled_from(TRUSTED).flatmap(write), max_size=2))
    rest = b", ".join([own.written.encode(), *[hop.written.encode() for hop in between]])
    header = [(name.encode(), theirs), (name.encode(), rest)] if apart else [(name.encode(), theirs + b", " + rest)]
    assert own.address == read("10.0.0.1", header)


@given(st.sampled_from(TRUSTED), spoofed)
def test_garbage_gives_the_peer_or_an_address_in_its_normal_form(peer: str, headers: Headers) -> None:
    found = read(peer, headers)
    assert found is not None
    assert str(ip_address(found)) == found


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host behind one trusted proxy, which is the peer of every call here."""
    async with running(Backend.in_folder(tmp_path), tmp_path, trusted_proxies=["192.0.2.7"]) as one:
        yield one


async def test_one_rule_serves_allowlists_and_the_log(host: Host) -> None:
    key = await host.key(ip_ranges=["203.0.113.0/24"])
    for header, status in (("203.0.113.7", 200), ("203.0.113.7, 198.51.100.2", 403), ("198.51.100.2, [::ffff:203.0.113.9]:80", 200)):
        answer = await host.get("/api/v1/customers", key, headers={"X-Forwarded-For": header})
        assert status == answer.status_code
        line = await host.get(f"/api/v1/logs/{answer.headers['x-request-id']}", key, headers={"X-Forwarded-For": "203.0.113.1"})
        assert {"203.0.113.7, 198.51.100.2": "198.51.100.2", "203.0.113.7": "203.0.113.7"}.get(header, "203.0.113.9") == line.json()[
            "ip_address"
        ]
    assert 403 == (await host.get("/api/v1/customers", key)).status_code
