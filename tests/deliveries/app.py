"""What a server of the kill test serves: `keyrack serve tests.deliveries.app:app`. Each customer is a row of the host's, with an event."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from keyrack import Caller, EventType, Keyrack, Limit, Plan, Settings
from tests.hosts import BRAND, CATEGORIES

PAUSE_SECONDS = 0.5
PLANS = (Plan("wide", "Wide", limits=(Limit("workspace", quota=100_000, window_seconds=1, burst=100_000),)),)


class Base(DeclarativeBase):
    """The host's own tables."""


class Customer(Base):
    """A customer."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class CustomerView(BaseModel):
    """What an event tells of a customer."""

    id: int
    name: str


CREATED = EventType("customer.created", CustomerView, category="customers")


def build_rack(settings: Settings) -> Keyrack:
    """Return the rack of a server. What fails is tried again soon, and not given up."""
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS, events=[CREATED])
    rack.assembly.deliveries.pause = lambda *_: PAUSE_SECONDS
    return rack


def build() -> FastAPI:
    """Return the app over the database that the environment names."""
    rack = build_rack(Settings())
    app, engine = FastAPI(), rack.host_engine()

    async def session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False) as one:
            yield one

    @app.post("/api/v1/customers/{name}", dependencies=[rack.requires("customers:write")], status_code=201)
    async def create_customer(name: str, db: Annotated[AsyncSession, Depends(session)], caller: Caller) -> dict[str, str]:
        rack.transaction(db)
        customer = Customer(name=name)
        db.add(customer)
        rack.record(db, CREATED, customer)
        return {"name": name}

    rack.install(app)
    return app


def __getattr__(name: str) -> FastAPI:
    # Made when it is asked for: whoever imports this module for the rack alone has no database in the environment.
    if name != "app":
        raise AttributeError(name)
    app = globals()["app"] = build()
    return app
