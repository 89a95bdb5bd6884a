"""A host whose API has changed three times, and whose code knows today's shapes alone."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict

from keyrack import DeprecatedOperation, Keyrack, Settings, VersionChange, refusals
from keyrack.manage import keys
from keyrack.testing import FrozenClock
from tests.backends import copy_files
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, client_of, living

FIRST, SPLIT, RENAMED, NEWEST = "2026-01-01", "2026-02-01", "2026-04-01", "2026-06-01"
SUNSET = 1_798_761_600_000
"""The first moment of 2027."""
AUTUMN = SUNSET - 60 * 24 * 3600 * 1000
ORDERS = ["GET /api/v1/orders", "POST /api/v1/orders", "PATCH /api/v1/orders/{order_id}"]


def join_name(body: dict[str, Any]) -> dict[str, Any]:
    """Make a person of a name."""
    if not isinstance(body.get("person"), str):
        return body
    first, _, last = body["person"].partition(" ")
    return body | {"person": {"first": first, "last": last}}


def split_name(order: dict[str, Any]) -> dict[str, Any]:
    """Make a name of a person."""
    return order | {"person": f"{order['person']['first']} {order['person']['last']}"}


CHANGES: list[VersionChange | DeprecatedOperation] = [
    VersionChange(
        date=NEWEST,
        title="What an order costs is its price",
        description="The field `amount` is called `price`.",
        operations=ORDERS,
        # A kind of ours is none of the host's: its keys are not what our operations answer with.
        objects=["order", "key", "api_key_identity"],
        renames={"amount": "price", "code": "prefix", "title": "key_name"},
        request_examples=[({"amount": 5}, {"price": 5})],
        response_examples=[({"object": "order", "amount": 5}, {"object": "order", "price": 5})],
    ),
    VersionChange(
        date=SPLIT,
        title="Names have two parts",
        description="The field `customer` is called `person`, and has two parts.",
        operations=ORDERS,
        objects=["order"],
        renames={"customer": "person"},
        request=join_name,
        response=split_name,
        request_examples=[({"customer": "Ada Park"}, {"person": {"first": "Ada", "last": "Park"}})],
        response_examples=[
            ({"object": "order", "customer": "Ada Park"}, {"object": "order", "person": {"first": "Ada", "last": "Park"}}),
        ],
        deprecated=SPLIT,
        sunset="2027-01-01",
    ),
    VersionChange(
        date=RENAMED,
        title="Costs are amounts",
        description="The field `costs` is called `amount`.",
        operations=ORDERS,
        objects=["order"],
        renames={"costs": "amount"},
        request_examples=[({"costs": 5}, {"amount": 5})],
        response_examples=[({"object": "order", "costs": 5}, {"object": "order", "amount": 5})],
        deprecated=RENAMED,
    ),
    DeprecatedOperation(
        date=NEWEST,
        title="No more old orders",
        description="Use the list.",
        operation="GET /api/v1/old-orders",
        sunset="2027-01-01",
    ),
]


class Person(BaseModel):
    """Whose an order is."""

    model_config = ConfigDict(extra="forbid")
    first: str
    last: str


class NewOrder(BaseModel):
    """An order to make, in today's shape."""

    model_config = ConfigDict(extra="forbid")
    person: Person = Person(first="Ada", last="Park")
    price: int


class OrderQuery(BaseModel):
    """The filters of the list."""

    model_config = ConfigDict(extra="forbid")
    price: int | None = None
    sort: str | None = None


@dataclass
class Seen:
    """What reached the host's code."""

    bodies: list[bytes] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    lengths: list[str | None] = field(default_factory=list)

    def clear(self) -> None:
        """Forget it."""
        self.bodies, self.queries, self.lengths = [], [], []


def order(price: int = 5) -> dict[str, Any]:
    """Return an order in today's shape."""
    return {"object": "order", "id": "o1", "person": {"first": "Ada", "last": "Park"}, "price": price}


def build(rack: Keyrack, seen: Seen) -> FastAPI:
    """Return the host."""
    app = FastAPI()
    read, write = [rack.requires("customers:read")], [rack.requires("customers:write")]

    @app.post("/api/v1/orders", dependencies=write, status_code=201)
    async def create_order(body: NewOrder, request: Request) -> dict[str, Any]:
        seen.bodies.append(await request.body())
        seen.lengths.append(request.headers.get("content-length"))
        if body.price == 13:
            raise refusals.CONFLICT("The price is taken.", param="price")
        return order(body.price) | {"person": body.person.model_dump()}

    @app.get("/api/v1/orders", dependencies=read)
    async def list_orders(query: Annotated[OrderQuery, Query()], request: Request, response: Response) -> dict[str, Any]:
        seen.queries.append(request.url.query)
        url = request.url.include_query_params(cursor="next")
        response.headers["Link"] = f'<{url}>; rel="next"'
        nested = [{"object": "shelf", "orders": [order(1)], "event": {"object": "event", "data": order(2)}}]
        return {"object": "list", "data": [order(3), *nested], "has_more": True, "next_cursor": "next", "next_url": str(url)}

    @app.get("/api/v1/orders/{order_id}", dependencies=read)
    async def get_order(order_id: str) -> dict[str, Any]:
        return order()

    @app.get("/api/v1/old-orders", dependencies=read)
    async def list_old_orders() -> list[dict[str, Any]]:
        return [order()]

    _add_oddities(app, rack)
    return app


def _add_oddities(app: FastAPI, rack: Keyrack) -> None:
    read = [rack.requires("customers:read")]

    @app.get("/api/v1/odd/{kind}", dependencies=read)
    async def odd(kind: str, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b'{"object": "order", "id": "o1", "price": 5, ', b'"person": {"first": "Ada", "last": "Park"}}\n'):
                yield part

        if kind in ("json", "ndjson"):
            return StreamingResponse(parts(), media_type={"json": "application/json", "ndjson": "application/x-ndjson"}[kind])
        if kind == "large":
            return JSONResponse([order()] * 100_000)
        if kind == "encodings":
            asked = [name for name in ("accept-encoding", "range") if name in request.headers]
            return JSONResponse({"object": "order", "person": {"first": "Ada", "last": "Park"}, "price": 5, "asked": asked})
        if kind == "compressed":
            return Response(gzip.compress(b"{}"), media_type="application/json", headers={"Content-Encoding": "gzip"})
        if kind == "broken":
            return Response(b'{"object": "order"', media_type="application/json")
        return Response(status_code=204)

    @app.get("/api/v1/crash", dependencies=read)
    async def crash() -> dict[str, Any]:
        return {"object": "order"}

    @app.patch("/api/v1/orders/{order_id}", dependencies=[rack.requires("customers:write")])
    async def update_order(order_id: str, request: Request) -> dict[str, Any]:
        return {"body": (await request.body()).decode(), "length": request.headers.get("content-length")}


@dataclass
class Changed:
    """The host, and what reached its code."""

    host: Host
    seen: Seen

    async def key_at(self, version: str) -> str:
        """Return the secret of a key that is pinned to a version."""
        made = await self.host.key(name=f"at-{version}")
        await keys.edit(self.host.rack.assembly.desk, self.host.owner, made.key.id, api_version=version)
        return made.secret.text


@pytest.fixture(scope="module")
async def running(migrated_files: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Changed]:
    """It runs, for all tests of a file."""
    data = tmp_path_factory.mktemp("data")
    copy_files(migrated_files, data)
    seen, clock = Seen(), FrozenClock()
    clock.set(AUTUMN)
    rack = Keyrack(
        Settings(data=data), brand=BRAND, categories=CATEGORIES, plans=PLANS, versions=CHANGES, first_version=FIRST, now=clock.now
    )
    app = build(rack, seen)
    rack.install(app)
    async with living(app), client_of(rack, app, clock) as host:
        yield Changed(host, seen)


@pytest.fixture
async def changed(running: Changed) -> Changed:
    """It is autumn, and nothing has reached its code."""
    running.host.clock.set(AUTUMN)
    running.seen.clear()
    return running
