"""Replays as rows: claimed, written with what they are the answer of, read by retries."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from keyrack.model.replays import Claim, Lost, Replay
from keyrack.store import postgresql
from keyrack.store.database import Connection
from keyrack.store.replay_tables import replay_claims, replays
from keyrack.store.tables import metadata, without_schema

PRUNED_MAX = 1000
"""How many rows one call of `prune` deletes."""


async def find(c: Connection, workspace_id: str, scope: str) -> Replay | None:
    """Return what was kept of a call, or None."""
    row = await c.first(select(replays).where(replays.c.workspace_id == workspace_id, replays.c.scope == scope))
    if row is None:
        return None
    lost = Lost(row.lost) if row.lost is not None else None
    return Replay(row.fingerprint, row.request_id, row.status, row.sealed, lost, row.made)


async def add_claim(c: Connection, claim: Claim, now: int, until: int) -> tuple[str, int] | None:
    """Claim a call, where nobody runs it; return None, or the fingerprint of the one that runs and when its lease ends."""
    given = _insert(c.dialect)(replay_claims).values(
        scope=claim.scope, workspace_id=claim.workspace_id, token=claim.token, fingerprint=claim.fingerprint, leased_until=until
    )
    new = {"token": claim.token, "fingerprint": claim.fingerprint, "leased_until": until}
    taken = given.on_conflict_do_update(index_elements=["scope"], set_=new, where=replay_claims.c.leased_until <= now)
    if await c.execute(taken):
        return None
    own = replay_claims.c
    row = await c.first(select(replay_claims).where(own.workspace_id == claim.workspace_id, own.scope == claim.scope))
    # Given back between the two statements: whoever comes again at once will find it free.
    return (row.fingerprint, row.leased_until) if row is not None else (claim.fingerprint, now)


async def renew(c: Connection, workspace_id: str, scope: str, token: str, until: int) -> None:
    """Hold a claim for longer, unless somebody took it over."""
    await c.execute(update(replay_claims).where(*_held(workspace_id, scope, token)).values(leased_until=until))


async def release(c: Connection, workspace_id: str, scope: str, token: str) -> None:
    """Give a claim back, so that a retry runs at once."""
    await c.execute(delete(replay_claims).where(*_held(workspace_id, scope, token)))


async def save(c: Connection, claim: Claim, replay: Replay, now: int) -> bool:
    """Write what came of a call in the transaction that carries it out. False: somebody else has carried it out."""
    return bool(await c.execute(_completion(c.dialect, replays, claim, replay, now)))


async def save_in(session: AsyncSession | Session, claim: Claim, replay: Replay, now: int) -> bool:
    """Do what `save` does in a host's own transaction. Raises what the driver raises."""
    dialect = session.get_bind().dialect.name
    statement = _completion(dialect, replays if dialect == postgresql.DIALECT else _without_schema(), claim, replay, now)
    if isinstance(session, AsyncSession):
        done: Any = await session.execute(statement)
    else:
        done = await asyncio.to_thread(session.execute, statement)
    return bool(done.rowcount)


async def prune(c: Connection, kept_since: int) -> int:
    """Forget some answers, and claims, from before a time; return how many answers: PRUNED_MAX means that more may wait."""
    await c.execute(delete(replay_claims).where(replay_claims.c.leased_until < kept_since))
    old = select(replays.c.scope).where(replays.c.created_at < kept_since).order_by(replays.c.created_at).limit(PRUNED_MAX)
    return await c.execute(delete(replays).where(replays.c.scope.in_(old.scalar_subquery())))


def _held(workspace_id: str, scope: str, token: str) -> tuple[Any, ...]:
    own = replay_claims.c
    return own.workspace_id == workspace_id, own.scope == scope, own.token == token


def _completion(dialect: str, table: Table, claim: Claim, replay: Replay, now: int) -> Executable:
    known: Mapping[str, Any] = {
        "status": replay.status,
        "sealed": replay.sealed,
        "lost": replay.lost.value if replay.lost is not None else None,
        "made": _plain(replay.made),
    }
    own = {"scope": claim.scope, "workspace_id": claim.workspace_id, "token": claim.token, "request_id": claim.request_id}
    given = _insert(dialect)(table).values(**own, fingerprint=claim.fingerprint, created_at=now, **known)
    # The same claim may say more of its call: first that it was carried out, then what its answer was.
    completion: Executable = given.on_conflict_do_update(index_elements=["scope"], set_=known, where=table.c.token == claim.token)
    return completion


def _plain(made: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [dict(one) for one in made]


def _insert(dialect: str) -> Any:
    return insert_on_postgresql if dialect == postgresql.DIALECT else insert_on_sqlite


@lru_cache(maxsize=1)
def _without_schema() -> Table:
    """The table as a host's session sees it on SQLite, which has no schemas."""
    return without_schema(metadata).tables[replays.name]
