"""A key that is bound to addresses: no client outside of them passes, whatever it writes; whoever bounds it is told what that means."""

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from keyrack.gate.head import HeadReader
from keyrack.manage.keys import Issued
from keyrack.model.calls import Call
from keyrack.model.ip_ranges import holds, read_address, read_range
from tests.hosts import ADMIN_RIGHTS, Host

RANGES = ["203.0.113.0/24", "2001:db8:5::/48", "198.51.100.9/32"]
INSIDE = ["203.0.113.7", "203.0.113.255", "2001:db8:5::1", "198.51.100.9"]
OUTSIDE = ["203.0.114.7", "198.51.100.8", "2001:db8:6::1", "::cb00:7107", "64:ff9b::cb00:7107", "2002:cb00:7107::1", "127.0.0.1"]
PROXY = "10.0.0.1"
HEADERS = ["x-forwarded-for", "X-Forwarded-For", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip"]


def written(address: str) -> st.SearchStrategy[str]:
    """The ways in which somebody could write an address so that another one is read."""
    version = ip_address(address).version
    mapped = [f"::ffff:{address}", f"[::ffff:{address}]:443", f"{address}:443"] if version == 4 else [f"[{address}]:443", f"{address}%eth0"]
    named = [f"for={address}", f'for="[{address}]:1"', f"{address}, unknown", f"unknown, {address}", f'"{address}', f"{address}\t"]
    return st.sampled_from([address, f" {address}", f"{address}%1", *mapped, *named])


spoofs = st.lists(st.tuples(st.sampled_from(HEADERS), st.sampled_from(INSIDE).flatmap(written)), max_size=4)


def accepted(peer: str, headers: list[tuple[str, str]], proxies: list[str]) -> bool:
    """Whether the ranges hold the client of a call, by the rule of the gate."""
    reader = HeadReader(proxies, 64 * 1024, 1000, ["acme"], "acme_embed")
    call = Call("GET", "/api/v1/me", "req_0", 0, 0)
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    reader.read(call, {"headers": raw, "client": (peer, 5000), "query_string": b""})
    return holds([read_range(text) for text in RANGES], read_address(call.address))


@given(st.sampled_from(OUTSIDE), spoofs, st.sampled_from([[], [PROXY]]))
def test_client_outside_that_calls_by_itself_does_not_pass(peer: str, spoofed: list[tuple[str, str]], proxies: list[str]) -> None:
    assert not accepted(peer, spoofed, proxies)


@given(st.sampled_from(OUTSIDE), spoofs, st.booleans())
def test_client_outside_behind_a_trusted_proxy_does_not_pass(client: str, spoofed: list[tuple[str, str]], joined: bool) -> None:
    """The proxy appends the client's address, in the client's own line or in another."""
    theirs = [value for name, value in spoofed if name.lower() == "x-forwarded-for"]
    others = [(name, value) for name, value in spoofed if name.lower() != "x-forwarded-for"]
    line = [("x-forwarded-for", ", ".join([*theirs, client]))] if joined else [("x-forwarded-for", one) for one in (*theirs, client)]
    assert not accepted(PROXY, [*others, *line], [PROXY])


@given(st.sampled_from(INSIDE), spoofs)
def test_client_inside_passes_whether_a_proxy_is_between_or_not(client: str, spoofed: list[tuple[str, str]]) -> None:
    assert accepted(client, spoofed, [])
    assert accepted(PROXY, [*spoofed, ("x-forwarded-for", client)], [PROXY])


@given(st.sampled_from(["2001:db8:5::1", "fe80::1"]), st.sampled_from(["eth0", "1"]))
def test_address_of_a_single_link_does_not_pass(address: str, zone: str) -> None:
    assert not accepted(f"{address}%{zone}", [], [])
    assert not accepted(PROXY, [("x-forwarded-for", f"{address}%{zone}")], [PROXY])


async def bound(host: Host, key: Issued, *ranges: str, by: Issued | None = None) -> tuple[int, str]:
    """Bound a key to ranges, by itself or by another one; return what was answered."""
    answer = await host.send("PATCH", f"/api/v1/keys/{key.key.id}", by or key, json={"ip_ranges": ranges})
    return answer.status_code, answer.json().get("detail", "")


async def test_key_does_not_lock_itself_out_and_another_one_may(host: Host) -> None:
    key, other = await host.key(ADMIN_RIGHTS), await host.key(ADMIN_RIGHTS, name="other")
    assert (200, "") == await bound(host, key, "192.0.2.0/24", "2001:db8::/32")
    status, told = await bound(host, key, "203.0.113.0/24")
    assert (400, True) == (status, "192.0.2.7" in told and "lock itself out" in told)
    assert 200 == (await host.get("/api/v1/customers", key)).status_code
    assert (200, "") == await bound(host, key, "203.0.113.0/24", by=other)
    assert "address_not_allowed" == (await host.get("/api/v1/customers", key)).json()["code"]
    assert (200, "") == await bound(host, key, by=other)
    assert 200 == (await host.get("/api/v1/customers", key)).status_code


async def test_range_that_is_none_names_what_to_write(host: Host) -> None:
    key = await host.key(ADMIN_RIGHTS)
    assert (400, "203.0.113.7/24: write 203.0.113.0/24 for the whole range, or 203.0.113.7 for the one address in it.") == await bound(
        host, key, "203.0.113.7/24"
    )
