"""Events are never lost, and every reader meets each of them once, in one order (CONSISTENCY §6)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import ForeignKey, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from keyrack.model.events import Event
from keyrack.model.workspaces import Workspace
from keyrack.store import database, events
from keyrack.store.database import Store
from tests.store.nouns import NOW, an_event


class Base(DeclarativeBase):
    """A host's tables."""


class Owner(Base):
    """What a customer depends on, so that the unit of work inserts customers late."""

    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)


class Customer(Base):
    """A host's object, whose id and number its database makes."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    stars: Mapped[int] = mapped_column(server_default="3")
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner] = relationship()


@pytest.fixture
async def host(store: Store) -> AsyncIterator[AsyncEngine]:
    """The engine of a host whose tables lie beside ours."""
    engine = database.create_engine(store.url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


async def _number(store: Store) -> int:
    async with store.changing() as c:
        return await events.number(c)


async def _read_on(store: Store, workspace: Workspace, position: int) -> list[Event]:
    async with store.reading() as c:
        return await events.page(c, workspace.id, after=position, limit=100)


async def test_an_event_is_found_as_it_was_added_once_it_is_numbered(store: Store, acme: Workspace) -> None:
    event = an_event(acme.id, request_id="req_1")
    async with store.changing() as c:
        await events.add(c, event)
    async with store.reading() as c:
        assert await events.newest_of_all(c) is None
        assert await events.page(c, acme.id, limit=9) == []
    assert await _number(store) == 1
    async with store.reading() as c:
        assert await events.newest_of_all(c) is not None
        assert await events.page(c, acme.id, limit=9) == [replace(event, position=1)]


async def test_events_committed_in_reverse_order_are_each_paged_once(store: Store, acme: Workspace) -> None:
    made = [an_event(acme.id, created_at=NOW + n) for n in range(5)]
    seen: list[Event] = []
    for event in reversed(made):
        async with store.changing() as c:
            await events.add(c, event)
        await _number(store)
        seen += await _read_on(store, acme, seen[-1].position or 0 if seen else 0)
    assert [event.id for event in seen] == [event.id for event in reversed(made)]
    assert [event.position for event in seen] == [1, 2, 3, 4, 5]


async def test_a_transaction_that_commits_late_is_neither_skipped_nor_waited_for(store: Store, acme: Workspace, host: AsyncEngine) -> None:
    if store.dialect == "sqlite":
        pytest.skip("a file has one writing transaction at a time")
    early, late = an_event(acme.id), an_event(acme.id, created_at=NOW + 1)
    async with AsyncSession(host) as slow, AsyncSession(host) as quick:
        slow.add(events.event_row(store.dialect, early))
        await slow.flush()
        quick.add(events.event_row(store.dialect, late))
        await quick.commit()
        await _number(store)
        assert await _read_on(store, acme, 0) == [replace(late, position=1)]
        await slow.commit()
    await _number(store)
    assert await _read_on(store, acme, 1) == [replace(early, position=2)]


async def test_positions_are_given_once_however_many_number_at_a_time(store: Store, acme: Workspace) -> None:
    async def add(count: int) -> None:
        for _ in range(count):
            async with store.changing() as c:
                await events.add(c, an_event(acme.id))
            await _number(store)

    await asyncio.gather(*[add(5) for _ in range(6)])
    assert [event.position for event in await _read_on(store, acme, 0)] == list(range(1, 31))


async def test_numbering_goes_on_in_bounded_steps(store: Store, acme: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "NUMBERED_MAX", 2)
    made = [an_event(acme.id, created_at=NOW + n) for n in range(5)]
    async with store.changing() as c:
        for event in made:
            await events.add(c, event)
    assert [await _number(store) for _ in range(4)] == [2, 2, 1, 0]
    assert [event.id for event in await _read_on(store, acme, 0)] == [event.id for event in made]


async def test_events_are_paged_both_ways_and_filtered(store: Store, acme: Workspace, other: Workspace) -> None:
    first, second = an_event(acme.id), an_event(acme.id, type="customer.deleted", created_at=NOW + 1)
    third = an_event(acme.id, created_at=NOW + 2, object_id="the-object")
    async with store.changing() as c:
        for event in (first, an_event(other.id, created_at=NOW + 1), second, third):
            await events.add(c, event)
        await events.number(c)
    async with store.reading() as c:
        newest = await events.page(c, acme.id, limit=2)
        assert [event.id for event in newest] == [third.id, second.id]
        assert [event.id for event in await events.page(c, acme.id, limit=2, before=newest[-1].position)] == [first.id]
        assert [event.id for event in await events.page(c, acme.id, limit=9, kind="customer.deleted")] == [second.id]
        assert [event.id for event in await events.page(c, acme.id, limit=9, object_id="the-object")] == [third.id]
        assert await events.page(c, acme.id, limit=9, actor_id="nobody") == []


async def test_a_host_records_an_event_in_its_own_transaction(store: Store, acme: Workspace, host: AsyncEngine) -> None:
    event = an_event(acme.id)
    async with AsyncSession(host) as session:
        session.add(events.event_row(store.dialect, event))
        await session.commit()
        session.add(events.event_row(store.dialect, an_event(acme.id)))
        await session.rollback()
    await _number(store)
    assert await _read_on(store, acme, 0) == [replace(event, position=1)]


async def test_a_payload_is_read_when_the_database_has_made_the_keys(store: Store, acme: Workspace, host: AsyncEngine) -> None:
    event = an_event(acme.id, object_id="", data={})
    async with AsyncSession(host) as session:
        customer = Customer(name="Ärzte", owner=Owner())
        session.add(events.event_row(store.dialect, event, lambda: _payload(customer)))
        session.add(customer)
        await session.commit()
    await _number(store)
    told = replace(event, position=1, object_id="1", data={"name": "Ärzte", "stars": 3})
    assert await _read_on(store, acme, 0) == [told]


async def test_a_payload_is_read_as_it_stands_when_its_object_was_flushed_before(store: Store, acme: Workspace, host: AsyncEngine) -> None:
    async with AsyncSession(host) as session:
        customer = Customer(name="First", owner=Owner())
        session.add(customer)
        await session.flush()
        session.add(events.event_row(store.dialect, an_event(acme.id), lambda: _payload(customer)))
        customer.name = "Second"
        await session.commit()
    await _number(store)
    (event,) = await _read_on(store, acme, 0)
    assert (event.object_id, event.data) == ("1", {"name": "Second", "stars": 3})


async def test_a_failed_flush_leaves_no_payload_behind(store: Store, acme: Workspace, host: AsyncEngine) -> None:
    async with AsyncSession(host) as session:
        session.add(events.event_row(store.dialect, an_event(acme.id), lambda: pytest.fail("read after its flush failed")))
        session.add(Customer(name="Nobody's", owner_id=99))
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            await session.commit()
        await session.rollback()
        session.add(Owner())
        await session.commit()
    assert await _number(store) == 0


async def test_a_synchronous_session_records_as_well(store: Store, acme: Workspace, host: AsyncEngine) -> None:
    if store.dialect != "sqlite":
        pytest.skip("no synchronous driver for PostgreSQL is installed")
    engine = create_engine(make_url(store.url).set(drivername="sqlite"))
    with Session(engine) as session:
        customer = Customer(name="Sync", owner=Owner())
        session.add(events.event_row(store.dialect, an_event(acme.id), lambda: _payload(customer)))
        session.add(customer)
        session.commit()
    engine.dispose()
    await _number(store)
    assert [event.data for event in await _read_on(store, acme, 0)] == [{"name": "Sync", "stars": 3}]


def _payload(customer: Customer) -> tuple[str, dict[str, object]]:
    return str(customer.id), {"name": customer.name, "stars": customer.stars}
