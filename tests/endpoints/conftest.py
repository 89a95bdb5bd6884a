"""A host with events of its own, and every kind of caller that may ask for endpoints."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from keyrack import EventType, Keyrack, Settings
from keyrack.manage import spaces
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Mode
from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.hosts import ADMIN_RIGHTS, ALL_RIGHTS, BRAND, CATEGORIES, PLANS, Host, build_app, client_of, living

URL = "https://crm.example.com/hooks?token=swordfish"


class CustomerView(BaseModel):
    """A customer."""

    model_config = ConfigDict(from_attributes=True)
    object: Literal["customer"] = "customer"
    id: str
    name: str


class MessageView(BaseModel):
    """A message in a space."""

    object: Literal["message"] = "message"
    id: str
    space_id: str


EVENTS = (
    EventType("customer.created", CustomerView, "A customer was created.", category="customers"),
    EventType("customer.deleted", CustomerView, "A customer was deleted.", category="customers"),
    EventType("onboarding.created", description="An onboarding was created.", category="onboardings"),
    EventType("message.created", MessageView, "A message was written.", category="messages"),
)


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A running host with events of its own, on each database in turn."""
    clock = FrozenClock()
    # Nothing here is about a store that is slow: a busy machine may be.
    settings = Settings(data=tmp_path, database_url=backend.url, store_wait_seconds=20, store_answer_seconds=20)
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS, events=EVENTS, now=clock.now)
    app = build_app(rack)
    rack.install(app)
    async with living(app), client_of(rack, app, clock) as one:
        yield one


CREATED = "/api/v1/endpoints"


class Callers:
    """Keys of each kind, each made when it is first asked for: `support` and `sales` are two integrations with the same rights."""

    def __init__(self, host: Host, space_id: str) -> None:
        self.host = host
        self.space_id = space_id
        self._rights = {
            "admin": ADMIN_RIGHTS,
            "support": Rights(permissions={"customers": Level.READ}),
            "sales": Rights(permissions={"customers": Level.READ}),
            "writer": Rights(permissions={"onboardings": Level.WRITE}),
            "nobody": Rights(),
            "everything": ALL_RIGHTS,
            "reader": Rights(OrgAccess.READER),
            "test": Rights(permissions={"customers": Level.READ}),
            "test_admin": ADMIN_RIGHTS,
            "in_space": Rights(spaces={space_id: SpaceRole.VIEWER}),
        }
        self._keys: dict[str, Issued] = {}

    async def key(self, name: str) -> Issued:
        """Return the key of a kind of caller."""
        if name not in self._keys:
            mode = Mode.TEST if name.startswith("test") else Mode.LIVE
            self._keys[name] = await self.host.key(self._rights[name], name=name, mode=mode)
        return self._keys[name]

    async def send(self, method: str, path: str, caller: str, **options: Any) -> httpx.Response:
        """Send a call as a kind of caller."""
        return await self.host.send(method, path, await self.key(caller), **options)

    async def create(self, caller: str, **fields: Any) -> httpx.Response:
        """Ask for an endpoint."""
        return await self.send("POST", CREATED, caller, json={"url": URL, "events": ["*"], **fields})

    async def make(self, caller: str, **fields: Any) -> dict[str, Any]:
        """Make an endpoint."""
        answer = await self.create(caller, **fields)
        assert 201 == answer.status_code, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture
async def callers(host: Host) -> Callers:
    """One key of each kind."""
    space = await spaces.create(host.rack.assembly.desk, host.owner, "Launch")
    return Callers(host, space.id)
