"""A small host product for tests: real routes on a real rack, through the same assembly that every user gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from keyrack import Brand, Caller, Category, Keyrack, Limit, Plan, Settings, refusals
from keyrack.manage import integrations, keys
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Mode, Principal
from keyrack.model.workspaces import Workspace
from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.documented import refusals_listed

BRAND = Brand("Acme", "acme", all_by_default=True)
CATEGORIES = (
    Category("customers", "Customers"),
    Category("onboardings", "Onboardings"),
    Category("messages", "Messages", in_spaces=True),
)
PLANS = (
    Plan("standard", "Standard", limits=(Limit("workspace", quota=1000, window_seconds=1, burst=5000),)),
    Plan("small", "Small", limits=(Limit("workspace", quota=1, window_seconds=3600, burst=3),)),
    Plan("free", "Free", api_access=False),
)
ALL_RIGHTS = Rights(permissions={ALL: Level.WRITE})
ADMIN_RIGHTS = Rights(OrgAccess.ADMIN)


class NewCustomer(BaseModel):
    """A body with one required field."""

    model_config = ConfigDict(extra="forbid")
    name: str


def build_app(rack: Keyrack) -> FastAPI:
    """Return a host app with one route of each kind."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_customers(app, rack)
    _add_messages(app, rack)
    _add_oddities(app, rack)
    return app


def _add_customers(app: FastAPI, rack: Keyrack) -> None:
    read, write = rack.requires("customers:read"), rack.requires("customers:write")

    @app.get("/api/v1/customers", dependencies=[read])
    async def list_customers(caller: Caller) -> dict[str, Any]:
        return {"workspace_id": caller.workspace_id, "caller": caller.name, "mode": caller.mode}

    @app.post("/api/v1/customers", dependencies=[write], status_code=201)
    async def create_customer(body: NewCustomer) -> dict[str, Any]:
        return {"name": body.name}

    @app.get("/api/v1/customers/{customer}", dependencies=[read])
    async def get_customer(customer: str) -> dict[str, Any]:
        if customer == "missing":
            raise refusals.NOT_FOUND("No such customer.")
        if customer == "gone":
            raise HTTPException(404, "No such customer.")
        return {"id": customer}

    @app.delete("/api/v1/customers/{customer}", dependencies=[write], status_code=204)
    async def delete_customer(customer: str) -> None:
        return None


def _add_messages(app: FastAPI, rack: Keyrack) -> None:
    @app.get("/api/v1/spaces/{space_id}/messages", dependencies=[rack.requires("messages:read", space="path:space_id")])
    async def list_messages(space_id: str) -> dict[str, Any]:
        return {"space_id": space_id}

    @app.post("/api/v1/spaces/{space_id}/messages", dependencies=[rack.requires("messages:write", space="path:space_id")])
    async def post_message(space_id: str) -> dict[str, Any]:
        return {"space_id": space_id}

    @app.get("/api/v1/messages/{space_id}", dependencies=[rack.requires("messages:read", space="object")])
    async def get_message(space_id: str, caller: Caller) -> dict[str, Any]:
        if space_id != "unasked":
            caller.require("messages:read", space=space_id)
        return {"spaces": caller.spaces("messages:write") if space_id != "unasked" else []}


def _add_oddities(app: FastAPI, rack: Keyrack) -> None:
    read, write = rack.requires("customers:read"), rack.requires("customers:write")

    @app.get("/api/v1/crash", dependencies=[read])
    async def crash() -> None:
        raise RuntimeError("the secret detail of a crash")

    @app.get("/api/v1/stream", dependencies=[read])
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(200):
                yield f"part {number}\n".encode()
                await asyncio.sleep(0.01)

        return StreamingResponse(parts(), media_type="text/plain")

    @app.post("/api/v1/echo", dependencies=[write])
    async def echo(request: Request) -> dict[str, Any]:
        return {"bytes": len(await request.body())}

    @app.get("/api/v1/open", dependencies=[rack.public])
    async def open_to_all() -> dict[str, Any]:
        return {"open": True}

    @app.websocket("/api/v1/socket", dependencies=[read])
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.send_text(await websocket.receive_text())

    @app.get("/outside")
    async def outside(number: int = 1) -> dict[str, Any]:
        return {"number": number}


@dataclass
class Neighbour:
    """Another workspace of the same host, with a key of its own."""

    workspace: Workspace
    key: keys.Issued


@dataclass
class Host:
    """A running host in this process, with one workspace. `clock` is the rack's: tests move it."""

    rack: Keyrack
    app: FastAPI
    client: httpx.AsyncClient
    workspace: Workspace
    owner: Principal
    clock: FrozenClock

    async def key(self, rights: Rights = ALL_RIGHTS, **options: Any) -> keys.Issued:
        """Make a key whose integration has these rights."""
        return await keys.create(self.rack.assembly.desk, self.owner, name=options.pop("name", "local-dev"), rights=rights, **options)

    async def other_workspace(self) -> Neighbour:
        """Make another workspace with a key."""
        workspace = await self.rack.workspaces.create("Neighbour", slug="neighbour")
        owner = await self.rack.workspaces.operator(workspace.id)
        return Neighbour(workspace, await keys.create(self.rack.assembly.desk, owner, name="theirs", rights=ALL_RIGHTS))

    async def edit_rights(self, key: keys.Issued, rights: Rights) -> None:
        """Give the integration behind a key other rights."""
        fields = {"org_access": rights.org_access, "permissions": rights.permissions, "spaces": rights.spaces}
        await integrations.edit(self.rack.assembly.desk, self.owner, key.key.integration_id, **fields)

    async def get(self, path: str, key: keys.Issued | str | None = None, **options: Any) -> httpx.Response:
        """Send a GET with a key."""
        return await self.send("GET", path, key, **options)

    async def send(self, method: str, path: str, key: keys.Issued | str | None = None, **options: Any) -> httpx.Response:
        """Send a call with a key."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key if isinstance(key, str) else key.secret.text}"
        return await self.client.request(method, path, headers=headers, **options)


@asynccontextmanager
async def running(backend: Backend, data: Path, brand: Brand = BRAND, **options: Any) -> AsyncIterator[Host]:
    """Run a host on a database, with its lifespan, and close it."""
    settings = Settings(data=data, database_url=backend.url, **options)
    clock = FrozenClock()
    rack = Keyrack(settings, brand=brand, categories=CATEGORIES, plans=PLANS, now=clock.now)
    app = build_app(rack)
    rack.install(app)
    async with living(app), client_of(rack, app, clock) as host:
        yield host


@asynccontextmanager
async def client_of(rack: Keyrack, app: FastAPI, clock: FrozenClock | None = None) -> AsyncIterator[Host]:
    """Make a workspace in a living app and return it with a client."""
    workspace = await rack.workspaces.create("VML", slug="vml")
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("192.0.2.7", 5000))
    hooks = {"response": [refusals_listed(rack)]}
    async with httpx.AsyncClient(transport=transport, base_url="http://acme.test", event_hooks=hooks) as client:
        owner = await rack.workspaces.operator(workspace.id)
        yield Host(rack, app, client, workspace, owner, clock or FrozenClock())


@asynccontextmanager
async def living(app: Any) -> AsyncIterator[None]:
    """Run an app's lifespan as a server does. Raises RuntimeError with the app's words where it does not start, or what it raises."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    answer = await _said(task, from_app)
    if answer["type"] != "lifespan.startup.complete":
        await task
        raise RuntimeError(answer["message"])
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await _said(task, from_app)
        await task


async def _said(task: asyncio.Task[None], from_app: asyncio.Queue[dict[str, Any]]) -> dict[str, Any]:
    """Return what an app says next. Raises what it raises instead, RuntimeError where it ends without a word."""
    asking = asyncio.create_task(from_app.get())
    await asyncio.wait([task, asking], return_when=asyncio.FIRST_COMPLETED)
    if task.done() and not asking.done() and from_app.empty():
        asking.cancel()
        await task
        raise RuntimeError("the app ended without a word")
    return await asking


__all__ = ["ADMIN_RIGHTS", "ALL_RIGHTS", "Host", "Mode", "SpaceRole", "integrations", "running"]
