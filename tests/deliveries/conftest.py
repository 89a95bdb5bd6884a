"""A running host whose events go out, and what tests do with it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from keyrack import EventType, Keyrack, Settings
from keyrack.crypto.format import Secret
from keyrack.manage import deliveries, endpoints
from keyrack.manage.desk import Desk
from keyrack.model.deliveries import Attempt, Delivery, State
from keyrack.model.endpoints import Endpoint
from keyrack.model.events import Actor, Event
from keyrack.model.principals import Kind, Mode
from keyrack.store import bells, events
from keyrack.store.ids import new_id
from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.deliveries.receivers import Receiver, receiving
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, build_app, client_of, living
from tests.serving.served import until

CREATED = EventType("customer.created", category="customers")
POSTED = EventType("message.posted", category="messages")
HERE = ["127.0.0.0/8"]
LIMIT = 100


@dataclass
class Shop:
    """The host, its receiver, and its clock."""

    host: Host
    receiver: Receiver
    clock: FrozenClock

    @property
    def desk(self) -> Desk:
        """What changes are made with."""
        return self.host.rack.assembly.desk

    async def endpoint(self, path: str = "/hooks", **fields: Any) -> tuple[Endpoint, Secret]:
        """Make an endpoint at a path of the receiver's."""
        wanted = {"url": self.receiver.url + path, "events": ["*"], **fields}
        issued = await endpoints.create(self.desk, self.host.owner, **wanted)
        return issued.endpoint, issued.secret or Secret("")

    def event(self, data: Mapping[str, Any] | None = None, kind: str = "customer.created", mode: Mode = Mode.LIVE, **fields: Any) -> Event:
        """Return an event of a customer's."""
        customer_id = new_id()
        made = Event(
            id=new_id(),
            workspace_id=self.host.workspace.id,
            type=kind,
            object_type=kind.split(".")[0],
            object_id=customer_id,
            actor=Actor(Kind.KEY, "key_1", "local-dev"),
            mode=mode,
            created_at=self.clock.now(),
            data={"object": kind.split(".")[0], "id": customer_id, "name": "Søn"} if data is None else data,
            request_id="req_1",
        )
        return replace(made, **fields)

    async def happen(self, *happened: Event) -> list[str]:
        """Commit events, as a host does, and return their ids."""
        async with self.desk.store.changing() as c:
            for event in happened:
                await events.add(c, event)
        bells.ring()
        return [event.id for event in happened]

    async def of(self, endpoint: Endpoint, state: State | None = None) -> list[Delivery]:
        """Return an endpoint's deliveries, the newest first, without those of its own making."""
        found = await deliveries.page(self.desk, self.host.owner, limit=LIMIT, endpoint_id=endpoint.id, state=state)
        return [one for one in found if one.event_type.split(".")[0] in ("customer", "message")]

    async def attempts(self, delivery: Delivery) -> list[Attempt]:
        """Return a delivery's attempts, the newest first."""
        return await deliveries.attempts(self.desk, self.host.owner, delivery.id, limit=LIMIT)

    async def until_all(self, endpoint: Endpoint, state: State, count: int = 1) -> list[Delivery]:
        """Wait until so many deliveries stand in a state, and return them."""
        found: list[Delivery] = []

        async def stand() -> bool:
            found[:] = await self.of(endpoint, state)
            return len(found) == count

        await until(stand, lambda: f"{len(found)} stand in {state}")
        return found


@asynccontextmanager
async def opened(backend: Backend, data: Path, receiver: Receiver, **options: Any) -> AsyncIterator[Shop]:
    """Run a host on a database. Its deliveries may go to this machine."""
    settings = Settings(data=data, database_url=backend.url, outgoing_networks=HERE, **options.pop("settings", {}))
    clock = FrozenClock()
    given = {"brand": BRAND, "categories": CATEGORIES, "plans": PLANS, "events": [CREATED, POSTED], "now": clock.now, **options}
    rack = Keyrack(settings, **given)
    app = build_app(rack)
    rack.install(app)
    async with living(app), client_of(rack, app, clock) as host:
        yield Shop(host, receiver, clock)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A customer's server."""
    async with receiving() as one:
        yield one


@pytest.fixture
async def shop(backend: Backend, tmp_path: Path, receiver: Receiver) -> AsyncIterator[Shop]:
    """A running host, on each database in turn."""
    async with opened(backend, tmp_path, receiver) as one:
        yield one
