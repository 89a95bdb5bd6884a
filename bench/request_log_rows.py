"""A large request log made where it lies: PostgreSQL itself writes the lines and what they are found by, step by step.

Every line has what a call of `Crowd` has. Only hashes of terms come from here, one per value; no line passes through this process.
"""

import time
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.request_log_crowd import KEYS_PER_WORKSPACE, OBJECTS_PER_WORKSPACE, OPERATIONS, RARE, SHARE_OF_THE_LARGEST, Crowd
from keyrack.model.request_logs import DAY_MS, SLOT_MS, SLOTS_PER_PERIOD, RequestLog, terms_of
from keyrack.store import postgresql, request_log_days
from keyrack.store.database import Store

STEP_MS = 1_200_000
STATEMENT_SECONDS_MAX = 300
STATUSES = (400, 403, 404, 429, 500)

_PREPARE = (
    "CREATE UNLOGGED TABLE bench_picks (at bigint, w smallint, k smallint, o smallint, op smallint, status smallint, test boolean)",
    "CREATE UNLOGGED TABLE bench_terms (w smallint, kind text, a integer, term bigint)",
    "CREATE UNLOGGED TABLE bench_keys (w smallint, k smallint, workspace_id text, id text, name text, integration_id text)",
    "CREATE UNLOGGED TABLE bench_objects (w smallint, o smallint, id text)",
    "CREATE UNLOGGED TABLE bench_operations (op smallint, method text, head text, route text, one boolean)",
)
_PICK = f"""
INSERT INTO bench_picks
SELECT :since + n * CAST(:span AS bigint) / :count,
    CASE WHEN random() < {SHARE_OF_THE_LARGEST} THEN 0 ELSE 1 + floor(random() * (:workspaces - 1)) END,
    floor(random() * {KEYS_PER_WORKSPACE}), floor(random() * {OBJECTS_PER_WORKSPACE}),
    CASE WHEN random() > 1e-4 THEN floor(random() * {len(OPERATIONS)}) ELSE {len(OPERATIONS)} END,
    CASE WHEN random() > 0.03 THEN 200 ELSE (ARRAY{list(STATUSES)})[1 + floor(random() * {len(STATUSES)})] END, random() < 0.1
FROM generate_series(0, :count - 1) n
"""
_LINES = """
INSERT INTO keyrack.keyrack_request_logs
SELECT 'req_' || lpad(to_hex(at), 11, '0') || lpad(to_hex((random() * 9e18)::bigint), 16, '0'), at, k.workspace_id,
    CASE WHEN f.one THEN f.head || o.id ELSE f.route END, f.route, f.method, p.status, CASE WHEN p.status > 399 THEN 'not_found' END,
    'key', k.id, k.name, k.integration_id, NULL, NULL, NULL, CASE WHEN p.test THEN 'test' ELSE 'live' END, '203.0.113.7',
    'acme-sync/2.1 (linux)', (exp(8 + random() * 2 - random() * 2))::bigint, NULL
FROM bench_picks p JOIN bench_keys k USING (w, k) JOIN bench_operations f USING (op) JOIN bench_objects o USING (w, o)
"""
_TERMS = f"""
INSERT INTO keyrack.keyrack_request_log_terms
SELECT DISTINCT (slot / {SLOTS_PER_PERIOD})::integer AS period, t.term, slot FROM (
    SELECT DISTINCT at / {SLOT_MS} AS slot, w, 'key' AS kind, k::integer AS a FROM bench_picks
    UNION ALL SELECT DISTINCT at / {SLOT_MS}, w, 'operation', op FROM bench_picks
    UNION ALL SELECT DISTINCT at / {SLOT_MS}, w, 'object', o FROM bench_picks JOIN bench_operations USING (op) WHERE one
    UNION ALL SELECT DISTINCT at / {SLOT_MS}, w, 'failed', k * 1000 + status FROM bench_picks WHERE status > 399
) s JOIN bench_terms t USING (w, kind, a) ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
"""


async def fill(store: Store, crowd: Crowd, count: int, since: int, until: int) -> float:
    """Write so many lines of a time, and their terms, straight into the tables; return how many seconds it took."""
    await request_log_days.make(store, range(since // DAY_MS, until // DAY_MS + 2))
    engine = postgresql.engine_of(store.url, statement_seconds_max=STATEMENT_SECONDS_MAX)
    async with engine.begin() as connection:
        await _prepare(connection, crowd)
    started, done = time.perf_counter(), 0
    for start in range(since, until, STEP_MS):
        end = min(start + STEP_MS, until)
        wanted = count * (end - since) // (until - since) - done
        told = {"since": start, "span": end - start, "count": wanted, "workspaces": len(crowd.workspace_ids)}
        async with engine.begin() as connection:
            for statement in (text(_PICK).bindparams(**told), text(_LINES), text(_TERMS), text("TRUNCATE bench_picks")):
                await connection.execute(statement)
        done += wanted
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
    await engine.dispose()
    return time.perf_counter() - started


async def _prepare(connection: AsyncConnection, crowd: Crowd) -> None:
    partitions = await connection.execute(
        text("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'keyrack.keyrack_request_logs'::regclass")
    )
    unlogged = [f"ALTER TABLE {name} SET UNLOGGED" for name in ("keyrack.keyrack_request_log_terms", *partitions.scalars())]
    for statement in (*_PREPARE, *unlogged):
        await connection.execute(text(statement))
    numbers = {id_: number for number, id_ in enumerate(crowd.workspace_ids)}
    rows = {
        "bench_terms": [{"w": w, "kind": kind, "a": a, "term": term} for w, kind, a, term in _terms(crowd)],
        "bench_keys": [
            {"w": numbers[id_], "k": k, "workspace_id": id_, "id": key, "name": name, "integration_id": integration_id}
            for id_, keys in crowd.keys.items()
            for k, (key, name, integration_id) in enumerate(keys)
        ],
        "bench_objects": [{"w": numbers[id_], "o": o, "id": one} for id_, ones in crowd.objects.items() for o, one in enumerate(ones)],
        "bench_operations": [
            {"op": op, "method": method, "head": route.removesuffix("{id}"), "route": route, "one": route.endswith("}")}
            for op, (method, route) in enumerate([*OPERATIONS, ("GET", RARE)])
        ],
    }
    for name, told in rows.items():
        columns = list(told[0])
        sql = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join(f':{column}' for column in columns)})"
        await connection.execute(text(sql), told)


def _terms(crowd: Crowd) -> Iterator[tuple[int, str, int, int]]:
    """Yield every term of a crowd, by the numbers of what has it: workspace, kind, and number."""

    def found(number: int, kind: str, a: int, line: RequestLog) -> Iterator[tuple[int, str, int, int]]:
        for term, _ in terms_of([line]):
            yield number, kind, a, term

    for number, id_ in enumerate(crowd.workspace_ids):
        for a, (_, route) in enumerate([*OPERATIONS, ("GET", RARE)]):
            yield from found(number, "operation", a, RequestLog("", 0, id_, "", route, "GET", 200))
        for a, one in enumerate(crowd.objects[id_]):
            yield from found(number, "object", a, RequestLog("", 0, id_, f"/{one}", None, "GET", 200))
        for a, (key_id, _, integration_id) in enumerate(crowd.keys[id_]):
            line = RequestLog("", 0, id_, "", None, "GET", 200, credential_id=key_id, integration_id=integration_id)
            yield from found(number, "key", a, line)
            for status in STATUSES:
                failed = RequestLog("", 0, id_, "", None, "GET", status, credential_id=key_id)
                yield from found(number, "failed", a * 1000 + status, failed)
