"""What hosts read of lists is code that runs."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from keyrack import Category, Keyrack, Settings
from keyrack.manage import keys
from tests.backends import Backend
from tests.hosts import ALL_RIGHTS, BRAND, living

PAGE = (Path(__file__).parents[2] / "docs" / "lists.md").read_text()


class Base(DeclarativeBase):
    """A host's tables."""


class Order(Base):
    """A host's object."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[int]
    updated_at: Mapped[int]


class OrderView(BaseModel):
    """It on the wire."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str


@pytest.fixture
def rack(backend: Backend, tmp_path: Path) -> Keyrack:
    """A rack whose host has things called orders."""
    return Keyrack(Settings(data=tmp_path, database_url=backend.url), brand=BRAND, categories=[Category("orders", "Orders")])


@pytest.fixture
async def engine(rack: Keyrack) -> AsyncIterator[AsyncEngine]:
    """The host's engine, with its table."""
    engine = rack.host_engine()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


async def test_the_example_pages_and_sorts_as_it_stands(rack: Keyrack, engine: AsyncEngine) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"rack": rack, "Order": Order, "OrderView": OrderView}
    exec(code, names)
    app = FastAPI()
    app.include_router(names["router"])
    rack.install(app)
    async with living(app):
        workspace = await rack.workspaces.create("VML")
        key = await keys.create(rack.assembly.desk, await rack.workspaces.operator(workspace.id), name="k", rights=ALL_RIGHTS)
        async with AsyncSession(engine) as session:
            for number, name in enumerate("bCa"):
                state = "open" if number else "done"
                session.add(
                    Order(id=f"o{number}", workspace_id=workspace.id, name=name, state=state, created_at=number, updated_at=9 - number)
                )
            await session.commit()
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://acme.test")
        client.headers["Authorization"] = f"Bearer {key.secret.text}"
        for sort, order in (("created_at", "bCa"), ("-updated_at", "bCa"), ("name", "abC"), ("-name", "Cba")):
            assert order == await walked(client, f"/api/v1/orders?limit=1&sort={sort}")
        assert "aC" == await walked(client, "/api/v1/orders?state=open&limit=1")
        assert "C" == await walked(client, "/api/v1/orders?state=open&starting_after=o2")
        for query in ("starting_after=o9", "sort=state", "limit=0", "limit=1&limit=1"):
            assert 400 == (await client.get(f"/api/v1/orders?{query}")).status_code
        await client.aclose()
    await names["session"].kw["bind"].dispose()


async def walked(client: httpx.AsyncClient, url: str | None) -> str:
    """Return the names of all rows, one after another."""
    found = ""
    while url is not None:
        answer = await client.get(url)
        assert 200 == answer.status_code, answer.text
        found += "".join(one["name"] for one in answer.json()["data"])
        url = answer.json()["next_url"]
        assert (url is not None) == ("next" in answer.links)
    return found
