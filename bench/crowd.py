"""A crowd of keys: millions of rows that the database makes of one model, and among them, evenly spread, some whose secrets are known."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from bench.hosts import rack_at
from keyrack.crypto.digest import digest
from keyrack.crypto.format import mint
from keyrack.manage import keys
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.store.ids import new_id
from keyrack.store.migrations import migrate

KEYS_PER_INTEGRATION = 10
INTEGRATIONS_PER_WORKSPACE = 100
CHUNKS = 100
KNOWN_PER_CHUNK = 60
CACHE_KIB = 1024 * 1024
_WORKSPACE, _INTEGRATION, _KEY = "keyrack_workspaces", "keyrack_integrations", "keyrack_keys"
Fields = Mapping[str, str]


@dataclass
class Crowd:
    """Where they are: a data folder, and a database where it is not in there; how many, and the secrets that are known."""

    folder: Path
    database_url: str | None
    count: int = 0
    seconds: float = 0.0
    secrets: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Models:
    """The ids of the rows that all others are made of."""

    workspace_id: str
    integration_id: str
    key_id: str


async def fill(folder: Path, database_url: str | None, count: int, seconds_max: float) -> Crowd:
    """Make a crowd of that many keys, or of as many as can be made in the time."""
    crowd = Crowd(folder, database_url)
    models = await _make_models(folder, database_url)
    ends_at = time.monotonic() + seconds_max
    began = time.monotonic()
    if database_url is None:
        await asyncio.to_thread(_fill_sqlite, crowd, models, count, ends_at)
    else:
        await _fill_postgresql(crowd, models, count, ends_at)
    crowd.seconds = time.monotonic() - began
    return crowd


async def _make_models(folder: Path, database_url: str | None) -> _Models:
    rack = rack_at(folder, database_url)
    await migrate(rack.settings.store_url, rack.settings.traffic_url)
    workspace = await rack.workspaces.create("Model", slug="model")
    owner = await rack.workspaces.operator(workspace.id)
    made = await keys.create(rack.assembly.desk, owner, name="model", rights=Rights(permissions={ALL: Level.WRITE}))
    await rack.assembly.store.close()
    rack.assembly.counters.close()
    return _Models(workspace.id, made.integration.id, made.key.id)


def _fill_sqlite(crowd: Crowd, models: _Models, count: int, ends_at: float) -> None:
    def padded(number: str) -> str:
        return f"substr('0000000000000000000000' || ({number}), -22)"

    with closing(sqlite3.connect(crowd.folder / "keyrack.db", isolation_level=None)) as c:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KIB}", "foreign_keys=OFF", "temp_store=MEMORY"):
            c.execute(f"PRAGMA {pragma}")

        def insert(table: str, model_id: str, fields: Fields, first: int, end: int) -> None:
            names = [row[1] for row in c.execute(f"PRAGMA table_info({table})")]
            series = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})"
            chosen = ", ".join(fields.get(name, f"m.{name}") for name in names)
            c.execute(f"{series} INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} FROM n, {table} AS m WHERE m.id = '{model_id}'")

        c.execute("BEGIN")
        for first, end in _chunks(count):
            for table, model_id, fields, start, stop in _rows(models, first, end, padded, "randomblob(32)"):
                insert(table, model_id, fields, start, stop)
            _know_sqlite(c, crowd, models, first)
            crowd.count = end
            if time.monotonic() > ends_at:
                break
        c.execute("COMMIT")
        c.execute("PRAGMA journal_mode=WAL")


def _know_sqlite(c: sqlite3.Connection, crowd: Crowd, models: _Models, first: int) -> None:
    names = [row[1] for row in c.execute(f"PRAGMA table_info({_KEY})")]
    model = c.execute(f"SELECT * FROM {_KEY} WHERE id = ?", (models.key_id,)).fetchone()
    known = [dict(zip(names, model, strict=True)) | fields for fields in _known(crowd, first)]
    c.executemany(f"INSERT INTO {_KEY} VALUES ({', '.join('?' * len(names))})", [tuple(row.values()) for row in known])


async def _fill_postgresql(crowd: Crowd, models: _Models, count: int, ends_at: float) -> None:
    url = make_url(crowd.database_url or "")
    _, options = url.get_dialect()().create_connect_args(url)
    c = await asyncpg.connect(**{name: value for name, value in options.items() if not name.startswith("prepared_")}, timeout=30)
    try:
        # The rows fit together by their making; a check of each would take most of the time.
        await c.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET search_path = keyrack")
        for first, end in _chunks(count):
            async with c.transaction():
                await _fill_chunk(c, models, first, end)
                await _know_postgresql(c, crowd, models, first)
            crowd.count = end
            if time.monotonic() > ends_at:
                break
        await c.execute("ANALYZE")
    finally:
        await c.close()


async def _fill_chunk(c: Any, models: _Models, first: int, end: int) -> None:
    def padded(number: str) -> str:
        return f"lpad(({number})::text, 22, '0')"

    for table, model_id, fields, start, stop in _rows(models, first, end, padded, "sha256(i::text::bytea)"):
        names = await _names(c, table)
        chosen = ", ".join(fields.get(name, f"m.{name}") for name in names)
        series = f"generate_series({start}, {stop - 1}) AS i"
        await c.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} FROM {series}, {table} AS m WHERE m.id = '{model_id}'", timeout=600
        )


async def _know_postgresql(c: Any, crowd: Crowd, models: _Models, first: int) -> None:
    names = await _names(c, _KEY)
    model = dict(await c.fetchrow(f"SELECT * FROM {_KEY} WHERE id = $1", models.key_id))
    rows = [tuple((model | fields)[name] for name in names) for fields in _known(crowd, first)]
    await c.copy_records_to_table(_KEY, schema_name="keyrack", columns=names, records=rows)


async def _names(c: Any, table: str) -> list[str]:
    found = await c.fetch("SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position", table)
    return [row[0] for row in found]


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    """Yield where each part begins and ends, in whole workspaces but for the last one."""
    whole = KEYS_PER_INTEGRATION * INTEGRATIONS_PER_WORKSPACE
    size = max(-(-count // CHUNKS // whole) * whole, whole)
    for first in range(0, count, size):
        yield first, min(first + size, count)


def _rows(
    models: _Models, first: int, end: int, padded: Callable[[str], str], digest_sql: str
) -> Iterator[tuple[str, str, Fields, int, int]]:
    """Yield for each table its model's id, what differs from the model as SQL over the number `i`, and the numbers."""
    per_workspace = KEYS_PER_INTEGRATION * INTEGRATIONS_PER_WORKSPACE
    workspace = {"id": f"'org_f' || {padded('i')}", "name": "'Workspace ' || i", "slug": "'workspace-' || i"}
    integration = {
        "id": f"'cf' || {padded('i')}",
        "workspace_id": f"'org_f' || {padded(f'i / {INTEGRATIONS_PER_WORKSPACE}')}",
        "name": "'Integration ' || i",
    }
    key = {
        "id": f"'ck' || {padded('i')}",
        "workspace_id": f"'org_f' || {padded(f'i / {per_workspace}')}",
        "integration_id": f"'cf' || {padded(f'i / {KEYS_PER_INTEGRATION}')}",
        "name": "'Key ' || i",
        "digest": digest_sql,
        "created_at": "m.created_at + i",
    }
    yield _WORKSPACE, models.workspace_id, workspace, first // per_workspace, -(-end // per_workspace)
    yield _INTEGRATION, models.integration_id, integration, first // KEYS_PER_INTEGRATION, -(-end // KEYS_PER_INTEGRATION)
    yield _KEY, models.key_id, key, first, end


def _known(crowd: Crowd, first: int) -> list[dict[str, Any]]:
    """Mint keys that belong to the workspaces just made, and remember their secrets."""
    found = []
    for number in range(KNOWN_PER_CHUNK):
        secret = mint("bench")
        crowd.secrets.append(secret.text)
        integration = first // KEYS_PER_INTEGRATION + number
        found.append(
            {
                "id": new_id(),
                "workspace_id": f"org_f{integration // INTEGRATIONS_PER_WORKSPACE:022d}",
                "integration_id": f"cf{integration:022d}",
                "prefix": secret.shown_prefix,
                "digest": digest(secret.text.encode()),
            }
        )
    return found
