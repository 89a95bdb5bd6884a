"""Processes of a cluster: each has its own thread, event loop, store, cache and lease, and they share one database alone."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import event

from keyrack.assemble import Assembly
from keyrack.crypto.digest import digest
from keyrack.feed.postgresql import PostgresqlFeed
from keyrack.manage import keys
from keyrack.manage.keys import Issued
from keyrack.model.principals import Principal
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.server import Keyrack
from keyrack.settings import Settings
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, PLANS

Result = TypeVar("Result")
WAIT_SECONDS_MAX = 60
BETWEEN_SECONDS = 0.01
UNDECIDED = None


class Node:
    """One of them. Methods are called from the test's thread."""

    def __init__(self, url: str, data: Path, **settings: Any) -> None:
        rack = Keyrack(Settings(data=data, database_url=url, **settings), brand=BRAND, categories=CATEGORIES, plans=PLANS)
        self.rack: Keyrack = rack
        self.assembly: Assembly = rack.assembly
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def feed(self) -> PostgresqlFeed:
        """The feed."""
        assert isinstance(self.assembly.feed, PostgresqlFeed)
        return self.assembly.feed

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the node's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS_MAX)

    def start(self) -> None:
        """Begin to serve."""
        self.run(self.assembly.start())

    def close(self) -> None:
        """End."""
        self.run(self.assembly.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def operator(self) -> Principal:
        """Make a workspace, and return its operator."""
        workspace = self.run(self.rack.workspaces.create("VML", slug="vml"))
        return self.run(self.rack.workspaces.operator(workspace.id))

    def key(self, owner: Principal) -> Issued:
        """Make a key."""
        return self.run(keys.create(self.assembly.desk, owner, name="a key", rights=ALL_RIGHTS))

    def revoke(self, owner: Principal, key: Issued) -> None:
        """Revoke a key."""
        self.run(keys.revoke(self.assembly.desk, owner, key.key.id))

    def decide(self, key: Issued) -> bool | None:
        """Decide a call: accepted, refused, or UNDECIDED where that was not possible."""
        try:
            principal = self.run(self.assembly.look_ups.prove(digest(key.secret.text.encode())))
        except Refused as refused:
            if refused.refusal is not STORE_UNAVAILABLE:
                raise
            return UNDECIDED
        return principal is not None and principal.refusal is None

    def remembers(self, key: Issued) -> bool:
        """Whether a call with this key is decided from memory, as far as the node may."""
        return self.assembly.look_ups.cached(digest(key.secret.text.encode())) is not None

    def on_feed(self, work: Any) -> None:
        """Have the feed's own thread do something, and wait for it."""
        worker = self.feed._worker
        assert worker is not None
        asyncio.run_coroutine_threadsafe(work(), worker._loop).result(WAIT_SECONDS_MAX)

    def hear_nothing(self) -> None:
        """Lose every message from now on, without a word."""

        async def unlisten() -> None:
            # The feed may be asking something at this moment, and a session answers one thing after another.
            while True:
                with suppress(asyncpg.InterfaceError):
                    await self.feed._session._connection.execute("UNLISTEN *")
                    return
                await asyncio.sleep(BETWEEN_SECONDS)

        self.on_feed(unlisten)

    @contextmanager
    def paused_feed(self) -> Iterator[None]:
        """Stop the feed's thread, as a process does that gets no processor; the rest of the process runs."""
        paused, goes_on = threading.Event(), threading.Event()

        def pause() -> None:
            paused.set()
            goes_on.wait()

        worker = self.feed._worker
        assert worker is not None
        worker.submit(pause)
        assert paused.wait(WAIT_SECONDS_MAX)
        try:
            yield
        finally:
            goes_on.set()

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """Note every statement that the node's store sends."""
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            sent.append(statement)

        engines = [engine.sync_engine for engine in self.assembly.store._engines()]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        yield sent
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
