"""A host whose operations refuse in every way that its framework and its own code can."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from keyrack import Keyrack, Settings, refusals
from tests.backends import copy_files
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, client_of, living

CARD_DECLINED = refusals.Refusal("card_declined", 402, "Card declined", "The bank said no.", "Use another card.")
UNDECLARED = refusals.Refusal("never_declared", 402, "Never declared", "Nobody declared it.", "Declare it.")


class Strict(BaseModel):
    """What takes no field but its own."""

    model_config = ConfigDict(extra="forbid")


class Address(Strict):
    """Something nested."""

    street_name: str = ""
    postal_code: str | None = Field(default=None, alias="postalCode")


class ByMail(Strict):
    """One of two ways."""

    kind: Literal["mail"] = "mail"
    address: Address = Address()


class ByPhone(Strict):
    """The other."""

    kind: Literal["phone"] = "phone"
    phone_number: str = ""


class Tagged(TypedDict, total=False):
    """What is no model."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    color_code: str


@dataclass
class Size:
    """Nor is this."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    width_mm: int = 0


class NewOrder(Strict):
    """A body with fields of every kind."""

    target_launch_date: str | None = None
    title: str = ""
    addresses: list[Address] = []
    by_name: dict[str, Address] = {}
    way: Annotated[ByMail | ByPhone, Field(discriminator="kind")] = ByMail()
    tagged: Tagged = {}
    size: Size = Size()


class OrderQuery(Strict):
    """Parameters."""

    status: str | None = None
    updated_after: str | None = None


def build(rack: Keyrack) -> FastAPI:
    """Return the host."""
    app = FastAPI()
    write = [rack.requires("customers:write")]

    @app.post("/api/v1/orders", dependencies=write)
    async def create_order(body: NewOrder) -> dict[str, bool]:
        return {"made": True}

    @app.post("/api/v1/pairs", dependencies=write)
    async def create_pair(order: Annotated[NewOrder, Body()], address: Annotated[Address, Body()]) -> dict[str, bool]:
        return {"made": True}

    @app.get("/api/v1/orders", dependencies=write)
    async def list_orders(query: Annotated[OrderQuery, Query()]) -> dict[str, bool]:
        return {"listed": True}

    @app.post("/api/v1/payments", dependencies=write)
    async def pay(body: dict[str, Any]) -> None:
        raise (CARD_DECLINED if body.get("declared") else UNDECLARED)("The bank of this card\n# said no.", param="card")

    return app


@pytest.fixture(scope="module")
async def host(migrated_files: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """It runs, for all tests of a file."""
    data = tmp_path_factory.mktemp("data")
    copy_files(migrated_files, data)
    rack = Keyrack(Settings(data=data), brand=BRAND, categories=CATEGORIES, plans=PLANS, refusals=[CARD_DECLINED])
    app = build(rack)
    rack.install(app)
    async with living(app), client_of(rack, app) as one:
        yield one
