"""How many of a host's things a workspace has: read in the host's own transaction, in which one more is about to be added."""

import asyncio
from collections.abc import Callable

from sqlalchemy import Executable, Update, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from keyrack.store import sqlite
from keyrack.store.database import Connection
from keyrack.store.tables import SCHEMA, workspaces

HostSession = AsyncSession | Session
"""A session of a host's, on the database that is ours, too."""
Counting = Callable[[str], Executable]
"""From the id of a workspace to the host's statement that counts what it has."""


async def count(c: Connection, workspace_id: str, counting: Counting) -> int:
    """Return what a host's statement counts of a workspace at this moment."""
    row = await c.first(counting(workspace_id))
    return int(row[0]) if row is not None else 0


async def count_alone(session: HostSession, workspace_id: str, counting: Counting) -> int:
    """Return what a host's statement counts of a workspace, with what this session added. Until its transaction ends, nobody else who
    asks so for the same workspace gets an answer: so what is decided on the number is still so when it is committed.
    """
    # Written, not only locked: whoever comes second waits for the row, and then counts in a snapshot that has what the first one added
    # (READ COMMITTED, SQLite), or is told that it came too late (any snapshot that is older). A rollback gives the row back unchanged.
    hold = _hold(workspace_id, session.get_bind().dialect.name)
    if isinstance(session, AsyncSession):
        await session.execute(hold)
        return int(await session.scalar(counting(workspace_id)) or 0)

    def ask() -> int:
        session.execute(hold)
        return int(session.scalar(counting(workspace_id)) or 0)

    return await asyncio.to_thread(ask)


def _hold(workspace_id: str, dialect: str) -> Update:
    same = update(workspaces).where(workspaces.c.id == workspace_id).values(updated_at=workspaces.c.updated_at)
    return same.execution_options(schema_translate_map={SCHEMA: None}) if dialect == sqlite.DIALECT else same
