"""What was done is one list for people, of changes and reads, in the order in which they look at it."""

from keyrack.manage.activity import Deed
from keyrack.model.orders import Place
from keyrack.testing import FrozenClock
from tests.hosts import Host


async def walked(host: Host, *, changes_only: bool, oldest_first: bool) -> list[str]:
    """Walk through the feed in pages of three, and return what its entries are about, in order."""
    actor = await host.rack.workspaces.operator(host.workspace.id)
    met: list[Deed] = []
    after: Place | None = None
    while page := await host.rack.activity.page(actor, limit=3, after=after, changes_only=changes_only, oldest_first=oldest_first):
        met += page
        after = page[-1].place
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
