"""The days of the request log: on PostgreSQL each is a partition, made before its first line comes and dropped when nobody may keep it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import text

from keyrack.model.request_logs import DAY_MS
from keyrack.store import postgresql
from keyrack.store.database import Connection, Store
from keyrack.store.traffic_tables import request_logs

_PARTITIONS = text("SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = CAST(:parent AS regclass)")


async def make(store: Store, days: Iterable[int]) -> None:
    """Make the partitions of these days (days since the epoch, UTC), where there are partitions and one is missing."""
    if store.dialect != postgresql.DIALECT:
        return
    wanted = {_name(day): day for day in days}
    async with store.reading_traffic() as c:
        missing = wanted.keys() - await _existing(c)
    if missing:
        async with store.writing_traffic() as c:
            await c.all(postgresql.lock(postgresql.Lock.PARTITIONS))
            for name in sorted(missing - await _existing(c)):
                await _make(c, name, wanted[name])


async def drop_before(store: Store, day: int) -> None:
    """Drop the partitions of all days before this one."""
    if store.dialect != postgresql.DIALECT:
        return
    async with store.reading_traffic() as c:
        old = sorted(name for name in await _existing(c) if name < _name(day))
    for name in old:
        async with store.writing_traffic() as c:
            await c.execute(text(f"DROP TABLE IF EXISTS {request_logs.schema}.{name}"))


async def _existing(c: Connection) -> set[str]:
    return {row.relname for row in await c.all(_PARTITIONS.bindparams(parent=request_logs.fullname))}


async def _make(c: Connection, name: str, day: int) -> None:
    # Made apart and attached: that keeps out neither who reads the log nor who writes it; CREATE … PARTITION OF would.
    table, parent = f"{request_logs.schema}.{name}", request_logs.fullname
    await c.execute(text(f"CREATE TABLE {table} (LIKE {parent} INCLUDING DEFAULTS INCLUDING INDEXES)"))
    await c.execute(text(f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES FROM ({day * DAY_MS}) TO ({(day + 1) * DAY_MS})"))


def _name(day: int) -> str:
    return f"{request_logs.name}_{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%Y%m%d}"
