"""A host migrates its own tables in the same database, and its Alembic never sees ours."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from keyrack.store.database import create_engine
from keyrack.store.migrations import include_object, migrate
from tests.backends import Backend


class Base(DeclarativeBase):
    """A host's tables."""


class Customer(Base):
    """One of them."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)


@pytest.mark.parametrize("include_schemas", [False, True])
async def test_a_host_finds_nothing_to_change(backend: Backend, include_schemas: bool) -> None:
    found = await _autogenerate(backend, include_schemas=include_schemas, include_object=include_object)
    assert found == []


async def test_without_the_filter_it_would_drop_our_tables(backend: Backend) -> None:
    found = await _autogenerate(backend, include_schemas=True)
    assert "keyrack_keys" in {change[1].name for change in found if change[0] == "remove_table"}


async def _autogenerate(backend: Backend, **options: Any) -> list[Any]:
    """Return what a host's Alembic would change, in a database that holds its tables and ours."""

    def compare(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))

    await migrate(backend.url, backend.traffic_url)
    engine = create_engine(backend.url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found
