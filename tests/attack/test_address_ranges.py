"""Address ranges that are written in unusual ways."""

from keyrack.manage.key_bounds import checked_ranges
from tests.hosts import Host


async def test_range_of_ipv4_written_as_ipv6_lets_its_addresses_in_and_no_other(host: Host) -> None:
    inside = await host.key(ip_ranges=["::ffff:192.0.2.7"])
    beside = await host.key(ip_ranges=["::ffff:192.0.2.8"])
    assert 200 == (await host.get("/api/v1/customers", inside)).status_code
    assert 403 == (await host.get("/api/v1/customers", beside)).status_code


def test_wider_range_of_ipv6_stays_as_it_is() -> None:
    assert ("::/0", "192.0.2.0/24", "::fffe:0:0/95") == checked_ranges(["::/0", "::ffff:192.0.2.0/120", "::fffe:0:0/95"])
