"""What was done is one list for people, of changes and reads, in the order in which they look at it."""

import pytest
from msgspec.structs import replace

from keyrack.manage.activity import Deed
from keyrack.model.call_counts import MINUTE_MS
from keyrack.model.orders import Place
from keyrack.store import request_logs
from keyrack.testing import FrozenClock
from tests.browser.log_lines import lines, write
from tests.hosts import Host


async def walked(host: Host, *, changes_only: bool, oldest_first: bool) -> list[str]:
    """Walk through the feed in pages of three, and return what its entries are about, in order."""
    actor = await host.rack.workspaces.operator(host.workspace.id)
    met: list[Deed] = []
    after: Place | None = None
    while True:
        page = await host.rack.activity.page(actor, limit=3, after=after, changes_only=changes_only, oldest_first=oldest_first)
        met += page.deeds
        if page.after is None:
            break
        assert page.after != after
        after = page.after
    times = [deed.at for deed in met]
    assert times == sorted(times, reverse=not oldest_first)
    return [deed.event.id if deed.event else deed.call.request_id if deed.call else "" for deed in met]


async def test_the_feed_is_walked_either_way_and_tells_the_same(host: Host) -> None:
    assert isinstance(host.clock, FrozenClock)
    for _ in range(4):
        issued = await host.key()
        host.clock.pass_seconds(1)
        await host.get("/api/v1/me", issued)
        host.clock.pass_seconds(1)
    await next(job for job in host.rack.assembly.jobs._jobs if job.name == "move_logs").run()
    for changes_only, reads in ((False, 4), (True, 0)):
        newest_first = await walked(host, changes_only=changes_only, oldest_first=False)
        assert newest_first == (await walked(host, changes_only=changes_only, oldest_first=True))[::-1]
        assert len(newest_first) == len(set(newest_first))
        assert reads == sum(one.startswith("req_") for one in newest_first)


async def test_reads_are_found_behind_more_calls_that_are_none_than_one_search_takes(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_logs, "ROWS_READ_MAX", 20)
    issued, now = await host.key(), host.clock.now()
    expected: list[str] = []
    for method, minutes in (("GET", (60, 50)), ("POST", (40, 20)), ("GET", (10, 5))):
        since, until = (now - ago * MINUTE_MS for ago in minutes)
        made = [replace(line, method=method) for line in lines(host.workspace.id, [issued], 100 if method == "POST" else 8, since, until)]
        await write(host.rack.assembly.desk.store, made)
        expected += [line.request_id for line in made if method == "GET"]
    actor = await host.rack.workspaces.operator(host.workspace.id)
    for oldest_first in (False, True):
        found = await walked(host, changes_only=False, oldest_first=oldest_first)
        assert expected == sorted(one for one in found if one.startswith("req_"))
        assert len(found) == len(set(found)) > len(expected)
    first = await host.rack.activity.page(actor, limit=50)
    assert first.searched_to is not None
    assert all(deed.at >= first.searched_to for deed in first.deeds)
