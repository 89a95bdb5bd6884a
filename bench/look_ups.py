"""`python -m bench.look_ups`: what a credential's first call costs, by its kind, on both stores.

Only the look-up is measured: from the digest to the principal that it proves, with the feed that says by what it may decide. The store is
small and warm, so the figures are those of the way to it. The kinds take turns; `--json` prints one object.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.figures import Figure, Machine
from bench.hosts import CATEGORIES, PLANS
from keyrack.feed.cache import Cache
from keyrack.feed.leases import Terms
from keyrack.feed.look_ups import Feed, LookUps
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.feed.sqlite import SqliteFeed
from keyrack.model.app_tokens import AppToken
from keyrack.model.apps import App
from keyrack.model.grants import AccessToken, Grant
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.store import apps, embed_keys, grants, integrations, keys, members, oauth_tokens, people, tokens, workspaces
from keyrack.store.database import Connection, Store
from keyrack.store.ids import new_id
from keyrack.store.migrations import migrate
from tests import postgresql
from tests.store.nouns import NOW, a_digest, a_key, a_member, a_person, a_token, a_workspace, an_embed_key, an_integration

CACHE_ENTRIES_MAX = 100
WAIT_SECONDS = 10.0
LATER = NOW + 100 * 365 * 24 * 3600 * 1000
REPORT_WIDTH = 120
UNKNOWN = "unknown"


class Reading(msgspec.Struct):
    """What one look-up of a kind costs: how many statements, ms until it has ended, and µs of this process's CPU."""

    store: str
    kind: str
    statements: float
    ms: Figure
    cpu_us: Figure


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.look_ups", description="Measure first calls by the kind of credential.")
    parser.add_argument("--stores", type=lambda text: text.split(","), default=["sqlite", "postgresql"])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--batch", type=int, default=10, help="how many look-ups of a kind are timed together")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    asked = parser.parse_args()
    here, found = Machine.here(), list[Reading]()
    for store in asked.stores:
        with tempfile.TemporaryDirectory(prefix="keyrack-bench-") as name:
            folder = Path(name)
            if store == "sqlite":
                found += uvloop.run(_measure(store, f"sqlite:///{folder}/keyrack.db", f"sqlite:///{folder}/traffic.db", asked))
                continue
            with postgresql.serve() as server, server.database() as url:
                found += uvloop.run(_measure(store, url, None, asked))
    if asked.json:
        print(msgspec.json.encode({"machine": here, "look_ups": found}).decode())
        return
    _report(Console(width=None if sys.stdout.isatty() else REPORT_WIDTH), here, found)


async def _measure(name: str, url: str, traffic_url: str | None, asked: argparse.Namespace) -> list[Reading]:
    await migrate(url, traffic_url)
    async with _look_ups(url, traffic_url) as (look_up, store):
        async with store.changing() as c:
            digests = await _fill(c)
        statements = {kind: await _statements(look_up, digest) for kind, digest in digests.items()}
        walls: dict[str, list[float]] = {kind: [] for kind in digests}
        cpus: dict[str, list[float]] = {kind: [] for kind in digests}
        for _ in range(asked.rounds):
            for kind, digest in digests.items():
                began, spent = time.perf_counter(), time.process_time()
                for _ in range(asked.batch):
                    await look_up(digest)
                walls[kind].append((time.perf_counter() - began) / asked.batch * 1e3)
                cpus[kind].append((time.process_time() - spent) / asked.batch * 1e6)
    return [Reading(name, kind, statements[kind], Figure.of(walls[kind]), Figure.of(cpus[kind])) for kind in digests]


@asynccontextmanager
async def _look_ups(url: str, traffic_url: str | None) -> AsyncIterator[tuple[Callable[[bytes], Awaitable[Any]], Store]]:
    store, cache = Store(url, traffic_url, WAIT_SECONDS), Cache(CACHE_ENTRIES_MAX)
    feed: Feed = (
        PostgresqlFeed(url, store, cache, Terms(), WAIT_SECONDS)
        if traffic_url is None
        else SqliteFeed(Path(url.removeprefix("sqlite:///")), cache)
    )
    await feed.start()
    try:
        categories, plans = {each.name: each for each in CATEGORIES}, {each.name: each for each in PLANS}
        yield LookUps(store, cache, feed, categories, plans, lambda: NOW, answer_seconds=WAIT_SECONDS).look_up, store
    finally:
        await feed.stop()
        await store.close()


async def _fill(c: Connection) -> dict[str, bytes]:
    """Add one credential of each kind; return their digests, and one of nothing."""
    workspace, person = a_workspace("acme"), a_person("ada@acme.test")
    await workspaces.add(c, workspace)
    await people.add(c, person)
    integration = an_integration(workspace.id, rights=Rights(permissions={ALL: Level.WRITE}))
    member = a_member(workspace.id, person, rights=Rights(permissions={ALL: Level.WRITE}))
    key, token, embed_key = a_key(integration), a_token(member), an_embed_key(workspace.id)
    await integrations.add(c, integration)
    await members.add(c, member)
    await keys.add(c, key)
    await tokens.add(c, token)
    await embed_keys.add(c, embed_key)
    scopes = ("customers:read",)
    app = App(new_id(), workspace.id, new_id(), "App", ("https://app.example/callback",), scopes, NOW, NOW, "someone", "Ada", a_digest())
    grant = Grant(new_id(), workspace.id, app.id, member.id, person.id, scopes, NOW, NOW)
    await apps.add(c, app)
    await grants.add(c, grant)
    access = AccessToken(new_id(), a_digest(), "acme_oat_abc1", workspace.id, grant.id, app.id, scopes, NOW, LATER)
    own = AppToken(new_id(), a_digest(), "acme_oat_abc1", workspace.id, app.id, app.secret_digest or b"", scopes, NOW, LATER)
    await oauth_tokens.add_access_token(c, access)
    await oauth_tokens.add_app_token(c, own)
    found = {"key": key.digest, "personal token": token.digest, "access token": access.digest}
    return {**found, "app token": own.digest, "embed key": embed_key.digest, UNKNOWN: a_digest()}


async def _statements(look_up: Callable[[bytes], Awaitable[Any]], digest: bytes) -> int:
    """Return how many statements the engines of this process are asked for by one look-up that is not the first."""
    counted = 0

    def count(*_given: object) -> None:
        nonlocal counted
        counted += 1

    found = await look_up(digest)
    event.listen(Engine, "before_cursor_execute", count)
    try:
        assert (await look_up(digest) is None) == (found is None)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    return counted


def _report(console: Console, here: Machine, found: list[Reading]) -> None:
    console.print(f"Python {here.python}, {here.cores} cores, load {here.load_before:.1f} before, {os.getloadavg()[0]:.1f} after\n")
    table = Table("store", "kind", "statements", "ms", "CPU µs", title="One look-up", title_justify="left")
    for one in found:
        table.add_row(one.store, one.kind, f"{one.statements:g}", one.ms.text(2), one.cpu_us.text(0))
    console.print(table)


if __name__ == "__main__":
    main()
