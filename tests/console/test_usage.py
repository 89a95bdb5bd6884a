"""What people see of their plan: what was used of it, and what it allows."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import literal, select

from keyrack import Limit, Meter, Plan
from keyrack.model.limits import DAY_SECONDS
from tests.console.conftest import MEMBERS
from tests.console.visitors import Office
from tests.limits.hosts import EXPORTS, MESSAGES, limited

FULL = Plan(
    "full",
    "Full",
    limits=(Limit("workspace", 1000, 1, burst=5000), Limit("daily", 2000, DAY_SECONDS), Limit("key", 60, 60, per="key")),
    meters={"messages": 10_000, "exports": None},
)


@asynccontextmanager
async def opened(folder: Path, plan: Plan, meters: Sequence[Meter] = ()) -> AsyncIterator[Office]:
    """Run a host whose workspace has this plan and three members."""
    async with limited(folder, [plan], meters) as host, AsyncExitStack() as clients:

        async def client() -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=host.app)
            return await clients.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://acme.test"))

        office = Office(host, client)
        for name, role in MEMBERS.items():
            added = await host.rack.members.add(host.workspace.id, email=f"{name}@acme.example", name=f"{name} Park", role=role)
            office.members[name] = added
        yield office


async def test_bars_show_what_was_used_live_and_test_apart(tmp_path: Path) -> None:
    async with opened(tmp_path, FULL, (MESSAGES, EXPORTS)) as office:
        rack, workspace_id = office.host.rack, office.host.workspace.id
        await rack.count(MESSAGES, 8000, workspace_id=workspace_id)
        await rack.count(MESSAGES, 10_000, workspace_id=workspace_id, mode="test")
        await rack.count(EXPORTS, 1234, workspace_id=workspace_id)
        await office.host.get("/api/v1/customers", await office.host.key())
        for name in MEMBERS:
            page = await (await office.signed_in(name)).open("/console/usage")
            live, test = [section.text for section in page.root.all("section")][:2]
            assert "8,000 of 10,000 messages" in " ".join(live.split())
            assert "1,234 rows this day, without an end" in " ".join(live.split())
            assert "1 of 2,000 calls" in " ".join(live.split())
            assert "Used up. Begins anew" in " ".join(test.split())
            bars = [(bar.attributes["class"], bar.attributes["value"], bar.attributes["max"]) for bar in page.root.all("progress")]
            assert [("warn", "8000", "10000"), ("good", "1", "2000"), ("bad", "10000", "10000"), ("good", "0", "2000")] == bars
            assert "1,000 calls in a second, 5,000 at once" in page.text
            assert "60 calls in a minute, for each key" in page.text


async def test_what_exists_is_shown_without_an_end_of_its_window(tmp_path: Path) -> None:
    plan = Plan("seated", "Seated", meters={"seats": 3, "desks": None})
    seats, desks = (Meter(name, name.title(), existing=lambda _: select(literal(4))) for name in ("seats", "desks"))
    async with opened(tmp_path, plan, (seats, desks)) as office:
        ada = await office.signed_in()
        words = " ".join((await ada.open("/console/usage")).text.split())
        assert (2, 2) == (words.count("4 of 3 seats"), words.count("4 desks, without an end"))
        assert (2, 4) == (
            words.count("Used up. As many as there are, live and test together."),
            words.count("Deleting one makes room at once."),
        )
        assert "anew" not in words
        assert "3 in a" not in " ".join((await ada.open("/console/settings")).text.split())


async def test_a_plan_that_counts_nothing_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, Plan("open", "Open", limits=())) as office:
        page = await (await office.signed_in()).open("/console/usage")
        assert "Nothing is counted" in page.text
        assert "Rate limits" not in page.text


async def test_the_settings_show_the_limits_of_the_plan(tmp_path: Path) -> None:
    async with opened(tmp_path, FULL, (MESSAGES, EXPORTS)) as office:
        page = await (await office.signed_in()).open("/console/settings")
        assert "2,000 calls in a day" in page.text
        assert "Messages10,000 in a month" in page.text.replace(" Messages", "Messages").replace("Messages ", "Messages")
        assert "60 calls in a minute, for each key" in page.text


async def test_a_plan_that_the_host_no_longer_has_breaks_no_page(tmp_path: Path) -> None:
    async with opened(tmp_path, FULL, (MESSAGES, EXPORTS)) as office:
        ada = await office.signed_in()
        office.host.rack.assembly.plans.clear()
        for path in ("/console/usage", "/console/settings"):
            assert 200 == (await ada.open(path)).status
