"""What is measured: the smallest app on ASGI and on FastAPI, each bare and behind the gate."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from keyrack import Brand, Caller, Category, Keyrack, Limit, Plan, Settings
from keyrack.assemble import Assembly
from keyrack.gate.gate import Gate
from keyrack.gate.table import Route, Table
from keyrack.gate.walk import Walk
from keyrack.model.catalog import Operation
from keyrack.model.permissions import need

PATH = "/api/customers"
BODY = b'{"object":"list","data":[]}'
BRAND = Brand("Bench", "bench")
CATEGORIES = (Category("customers", "Customers"), Category("onboardings", "Onboardings"), Category("messages", "Messages", in_spaces=True))
# The limit is counted like any other, and is never reached: what is measured is the answer, not the refusal.
PLANS = (Plan("standard", "Standard", limits=(Limit("workspace", quota=1_000_000, window_seconds=1),)),)


def rack_on(folder: Path) -> Keyrack:
    """Return a rack that keeps its data in this folder, with the settings of a new installation."""
    return rack_at(folder, None)


def rack_at(folder: Path, database_url: str | None) -> Keyrack:
    """Return a rack that keeps its data in a database, or in this folder where none is named."""
    return Keyrack(Settings(data=folder, database_url=database_url), brand=BRAND, categories=CATEGORIES, plans=PLANS)


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with the same few bytes: the least that an ASGI app can do."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def walk_of(assembly: Assembly) -> Walk:
    """Return the parts of a gate whose one operation `raw` answers."""
    operation = Operation("GET", PATH, need("customers:read", assembly.categories))
    pattern, _, convertors = compile_path(PATH)
    return assembly.walk(Table(["/api"], [Route(operation, frozenset({"GET", "HEAD"}), pattern, convertors, raw)]))


def raw_behind(folder: Path) -> ASGIApp:
    """Return the same app behind the gate, with no framework in between."""
    assembly = rack_on(folder).assembly

    async def start() -> Walk:
        await assembly.start()
        return walk_of(assembly)

    return Gate(raw, {}, start, assembly.stop, assembly.request_ids.new)


def fastapi_bare(folder: Path) -> ASGIApp:
    """Return a FastAPI app with one route that needs nothing."""
    app = _fastapi()

    @app.get(PATH)
    async def list_customers() -> dict[str, object]:
        return {"object": "list", "data": []}

    return app


def fastapi_behind(folder: Path) -> ASGIApp:
    """Return the same route behind the gate, as a host writes it: it declares what it needs, and takes its caller."""
    app, rack = _fastapi(), rack_on(folder)

    @app.get(PATH, dependencies=[rack.requires("customers:read")])
    async def list_customers(caller: Caller) -> dict[str, object]:
        return {"object": "list", "data": []}

    rack.install(app)
    return app


HOSTS: dict[str, Callable[[Path], ASGIApp]] = {
    "raw": lambda folder: raw,
    "raw behind the gate": raw_behind,
    "FastAPI": fastapi_bare,
    "FastAPI behind the gate": fastapi_behind,
}


def _fastapi() -> FastAPI:
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
