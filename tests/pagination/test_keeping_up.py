"""A program that keeps a copy: the event feed tells it of each change once, however late that is committed, and of each deletion."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.customers.models import Customer
from keyrack.model.events import Actor, Event
from keyrack.model.principals import Kind, Mode
from keyrack.store.events import event_row
from keyrack.store.ids import new_id
from tests.atrium.conftest import host, served
from tests.atrium.host import Host

__all__ = ["host", "served"]


async def followed(caller: Host, last: str | None, query: str = "") -> list[dict[str, Any]]:
    """Return what the feed tells since the event that was met last, oldest first."""
    found: list[dict[str, Any]] = []
    url: str | None = f"/events?sort=created_at&limit=2{query}" + (f"&starting_after={last}" if last else "")
    while url is not None:
        answer = await caller.get(url)
        assert 200 == answer.status_code, answer.text
        found += answer.json()["data"]
        url = answer.json()["next_url"]
    return found


async def test_feed_tells_of_each_change_once_and_of_deletions(host: Host) -> None:
    customer = (await host.post("/customers", {"name": "Aurora"})).json()["id"]
    known = await followed(host, None)
    assert "customer.created" == known[-1]["type"]
    await host.patch(f"/customers/{customer}", {"name": "Borealis"})
    await host.delete(f"/customers/{customer}")
    told = await followed(host, known[-1]["id"])
    assert [("customer.updated", "Borealis"), ("customer.deleted", "Borealis")] == [(one["type"], one["data"]["name"]) for one in told]
    assert {customer} == {one["object_id"] for one in told}
    assert [] == await followed(host, told[-1]["id"])


async def test_feed_is_narrowed_to_kinds_of_things(host: Host) -> None:
    customer = (await host.post("/customers", {"name": "Aurora"})).json()["id"]
    await host.post(f"/customers/{customer}/contacts", {"name": "Mira"})
    await host.delete(f"/customers/{customer}")
    ours = [one["id"] for one in await followed(host, None)]
    told = await followed(host, None, "&type=customer.*")
    assert ["customer.created", "customer.deleted"] == [one["type"] for one in told]
    assert told == await followed(host, None, "&object_type=customer")
    assert told[1:] == await followed(host, None, "&type=customer.deleted")
    # Behind any event of the workspace, also one that the filter leaves out.
    assert told[1:] == await followed(host, ours[ours.index(told[1]["id"]) - 1], "&type=customer.*")
    assert [] == await followed(host, None, "&type=custom.*")
    for wrong in ("customer*", "*", "*.deleted", ".", "customer.", "", "a%25.*"):
        refused = await host.get(f"/events?type={wrong}")
        assert (400, "type", True) == (refused.status_code, refused.json()["param"], "customer.*" in refused.json()["detail"]), wrong


async def test_change_that_commits_late_is_told_after_what_was_read(host: Host) -> None:
    if not str(host.rack.settings.store_url).startswith("postgresql"):
        pytest.skip("a file has one writing transaction at a time")
    known = await followed(host, None)
    engine = host.rack.host_engine()
    async with AsyncSession(engine) as slow:
        slow.add(event_row("postgresql", _event_of(host, known[0])))
        await slow.flush()
        await host.post("/customers", {"name": "Quick"})
        quick = await followed(host, known[-1]["id"])
        assert ["customer.created"] == [one["type"] for one in quick]
        await slow.commit()
    await engine.dispose()
    assert ["customer.slow"] == [one["type"] for one in await followed(host, quick[-1]["id"])]


async def test_lists_by_change_are_complete_with_an_overlap(host: Host) -> None:
    if not str(host.rack.settings.store_url).startswith("postgresql"):
        pytest.skip("a file has one writing transaction at a time")
    early, late = [(await host.post("/customers", {"name": name})).json() for name in ("Early", "Late")]
    engine = host.rack.host_engine()
    async with AsyncSession(engine) as slow:
        row = (await slow.scalars(select(Customer).where(Customer.id == late["id"]))).one()
        row.change({"domain": "late.example"})
        await slow.flush()
        await host.patch(f"/customers/{early['id']}", {"domain": "early.example"})
        page = (await host.get(f"/customers?sort=updated_at&updated_after={early['created_at']}")).json()["data"]
        assert [early["id"]] == [one["id"] for one in page if one["domain"]]
        await slow.commit()
    await engine.dispose()
    # Its time lies before that of what was read: asked for from there on it would be missed, and with an overlap it is not.
    with_overlap = (await host.get(f"/customers?sort=updated_at&updated_after={early['created_at']}")).json()["data"]
    assert {early["id"], late["id"]} == {one["id"] for one in with_overlap if one["domain"]}


def _event_of(caller: Host, like: dict[str, Any]) -> Event:
    actor = Actor(Kind.KEY, like["actor"]["id"], "slow")
    return Event(new_id(), caller.workspace_id, "customer.slow", "customer", "c1", actor, Mode.LIVE, 1_000)
