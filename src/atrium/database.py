"""Atrium's own tables: they lie in the database that Keyrack uses, so that a change, its event and its answer commit together."""

import time
from typing import Any

from sqlalchemy import BigInteger, String, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateIndex

from keyrack import new_id

CREATE_TABLES_LOCK = 7_283_746
"""An arbitrary number of our own: of several processes that start at once on PostgreSQL, one creates the tables."""


class Base(DeclarativeBase):
    """What Atrium's tables have in common."""


class Row(Base):
    """A thing in a workspace, of which the API speaks. Times are ms since the epoch."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(25), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)

    def __init__(self, **values: Any) -> None:
        now = now_ms()
        super().__init__(**{"id": new_id(), "created_at": now, "updated_at": now, **values})

    def change(self, values: dict[str, Any]) -> bool:
        """Set these fields; return whether any of them was different before."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name, value in changed.items():
            setattr(self, name, value)
        if changed:
            self.updated_at = max(now_ms(), self.updated_at)
        return bool(changed)


class Database:
    """Sessions on one database. Those for reading take no write lock on SQLite."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.writing = async_sessionmaker(engine, expire_on_commit=False)
        self.reading = async_sessionmaker(engine.execution_options(keyrack_read_only=True), expire_on_commit=False)

    async def create_tables(self) -> None:
        """Create the tables and indexes that are missing. On SQLite the transaction itself keeps other processes out."""
        async with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CREATE_TABLES_LOCK})
            await connection.run_sync(Base.metadata.create_all)
            for index in (index for table in Base.metadata.sorted_tables for index in table.indexes):
                await connection.execute(CreateIndex(index, if_not_exists=True))

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def now_ms() -> int:
    return time.time_ns() // 1_000_000
