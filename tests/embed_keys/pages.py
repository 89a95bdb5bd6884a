"""A host whose widgets stand in pages of others, and what those pages send."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from keyrack import Caller, Embeddable, Keyrack, Settings
from keyrack.manage import embed_keys
from keyrack.model.embed_keys import EmbedKey
from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, build_app, client_of, living

SITE, SHOP = "https://www.example.com", "https://shop.example.com:8443"
WIDGETS = {"w1": "Front page", "w2": "Shop"}


class Resumed(BaseModel):
    """A visit that goes on."""

    token: str | None = None


class Said(BaseModel):
    """Something said."""

    body: str


@dataclass
class Page:
    """A page on an origin, with an embed key in it, whose visitor may have a token."""

    host: Host
    key: EmbedKey
    origin: str = SITE
    token: str | None = None

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call as a browser does from the page: the key stands in the address, the visitor's token in a header."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "cross-site", **options.pop("headers", {})}
        return await self.host.send(method, path, self.token, headers=headers, params={"key": self.key.text}, **options)

    async def visit(self, resume: str | None = None) -> httpx.Response:
        """Open a visit, and go on with its token."""
        self.token = None
        answer = await self.call("POST", "/api/v1/visits", json={"token": resume})
        if answer.status_code == 201:
            self.token = answer.json()["token"]
        return answer

    async def say(self, body: str = "Hello", **options: Any) -> httpx.Response:
        """Say something as the visitor."""
        return await self.call("POST", "/api/v1/said", json={"body": body}, **options)

    async def ask_before(self, method: str = "POST", path: str = "/api/v1/said", **options: Any) -> httpx.Response:
        """Ask what a browser asks before a call from the page."""
        headers = {"Origin": self.origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
        return await self.host.send("OPTIONS", path, headers=headers, **({"params": {"key": self.key.text}} | options))


async def _find(workspace_id: str, object_id: str) -> str | None:
    return WIDGETS.get(object_id)


async def _offer(workspace_id: str) -> Sequence[tuple[str, str]]:
    return list(WIDGETS.items())


def add_widgets(app: FastAPI, rack: Keyrack) -> None:
    """Add what embed keys and visits may call."""

    @app.get("/api/v1/widget", dependencies=[rack.embedded()])
    async def show_widget(caller: Caller, key: str | None = None) -> dict[str, Any]:
        return {"widget": caller.embedded("widget"), "visitor": caller.visitor}

    @app.post("/api/v1/visits", dependencies=[rack.embedded(cost=2)], status_code=201)
    async def open_visit(caller: Caller, body: Resumed) -> dict[str, Any]:
        opened = rack.open_visit(caller, body.token)
        return {"visitor": opened.visitor, "token": opened.token.text, "expires_at": opened.expires_at}

    app.state.heard = asyncio.Event()

    @app.get("/api/v1/heard", dependencies=[rack.embedded(visitor=True)])
    async def listen() -> StreamingResponse:
        async def words() -> AsyncIterator[bytes]:
            for _ in range(6000):
                yield b"word "
                app.state.heard.set()
                await asyncio.sleep(0.01)
            yield b"last"

        return StreamingResponse(words(), media_type="text/plain")

    @app.post("/api/v1/said", dependencies=[rack.embedded(visitor=True)], status_code=201)
    async def say(caller: Caller, body: Said) -> dict[str, Any]:
        return {"widget": caller.embedded("widget"), "visitor": caller.visitor, "body": body.body}


@asynccontextmanager
async def running(backend: Backend, data: Path) -> AsyncIterator[Host]:
    """Run the host on a database."""
    clock = FrozenClock()
    rack = Keyrack(
        Settings(data=data, database_url=backend.url),
        brand=BRAND,
        categories=CATEGORIES,
        plans=PLANS,
        embeds=[Embeddable("widget", "Widget", '<script src="{base_url}/widget.js" data-key="{key}"></script>', _find, _offer)],
        now=clock.now,
    )
    app = build_app(rack)
    add_widgets(app, rack)
    rack.install(app)
    async with living(app), client_of(rack, app, clock) as host:
        yield host


async def new_page(host: Host, *origins: str, **fields: Any) -> Page:
    """Make an embed key, and a page on the first of its origins."""
    chosen: dict[str, Any] = {"name": "Our site", "object_type": "widget", "object_id": "w1", "origins": origins or (SITE,), **fields}
    key = await embed_keys.create(host.rack.assembly.desk, host.owner, **chosen)
    return Page(host, key, key.origins[0])
