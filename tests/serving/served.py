"""A server of its own process on a data folder, and this process beside it on the same files."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from keyrack import Keyrack, Settings
from keyrack.manage import keys
from keyrack.model.permissions import Rights
from keyrack.model.principals import Principal
from keyrack.model.workspaces import Workspace
from keyrack.store.migrations import migrate
from tests.cli.programs import Program
from tests.cli.programs import running as program_running
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES
from tests.serving.plans import MESSAGES, SERVED
from tests.serving.wire import SECONDS_MAX, Received, Wire, connected

# Never imported here: it makes its own rack, of the settings that it finds.
HOST = "tests.serving.host:app"


@dataclass
class Line:
    """What the log says of a call."""

    request_id: str
    method: str
    path: str
    status: int
    code: str | None
    credential_id: str | None


@dataclass
class Installation:
    """A data folder with a workspace, opened by this process."""

    data: Path
    rack: Keyrack
    workspace: Workspace
    owner: Principal
    seen: list[str] = field(default_factory=list)

    async def key(self, rights: Rights = ALL_RIGHTS, name: str = "local-dev", **options: Any) -> keys.Issued:
        """Make a key whose integration has these rights."""
        return await keys.create(self.rack.assembly.desk, self.owner, name=name, rights=rights, **options)

    async def revoke(self, key: keys.Issued) -> None:
        """End a key, as any other process on the same files does."""
        await keys.revoke(self.rack.assembly.desk, self.owner, key.key.id)

    async def lines(self) -> list[Line]:
        """The whole log, the operator's included, oldest first."""
        wanted = "SELECT request_id, method, path, status, code, credential_id FROM keyrack_request_logs ORDER BY request_id"
        async with self.rack.assembly.store.reading_traffic() as c:
            return [Line(*row) for row in await c.all(text(wanted))]  # type: ignore[call-arg]

    async def line(self, request_id: str) -> Line:
        """The one line of a call, as soon as it is moved."""
        await self.all_logged([request_id])
        (found,) = [line for line in await self.lines() if line.request_id == request_id]
        return found

    async def lines_of(self, key: keys.Issued, count: int) -> list[Line]:
        """The lines of a key, as soon as there are so many."""
        found: list[Line] = []

        async def are_there() -> bool:
            found[:] = [line for line in await self.lines() if line.credential_id == key.key.id]
            return len(found) >= count

        await until(are_there, lambda: f"only {found}")
        return found

    async def all_logged(self, request_ids: Iterable[str]) -> None:
        """Wait until every one of these calls is in the log, and find each there once."""
        wanted = set(request_ids)
        found: Counter[str] = Counter()

        async def are_there() -> bool:
            found.clear()
            found.update(line.request_id for line in await self.lines())
            return wanted <= set(found)

        await until(are_there, lambda: f"not in the log: {sorted(wanted - set(found))}")
        assert {} == {name: count for name, count in found.items() if count > 1}


@dataclass
class Served(Installation):
    """An installation that a server serves."""

    program: Program = field(kw_only=True)
    url: str = field(kw_only=True)

    @asynccontextmanager
    async def wire(self, key: keys.Issued | None = None) -> AsyncIterator[Wire]:
        """Connect; what is answered on the connection must be in the log when the server has ended."""
        async with connected(self.url, key.secret.text if key is not None else None) as wire:
            yield wire
            self.seen += [answer.request_id for answer in wire.answers if "x-request-id" in answer.headers]

    async def get(self, target: str, key: keys.Issued | None = None) -> Received:
        """Send one GET on a connection of its own."""
        async with self.wire(key) as wire:
            return await wire.get(target)


@asynccontextmanager
async def installed(data: Path) -> AsyncIterator[Installation]:
    """Make an installation with one workspace, and the host's own table beside it."""
    settings = Settings(data=data)
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=SERVED, meters=[MESSAGES])
    await migrate(settings.store_url, settings.traffic_url)
    workspace = await rack.workspaces.create("VML", slug="vml")
    owner = await rack.workspaces.operator(workspace.id)
    engine = rack.host_engine()
    async with engine.begin() as c:
        await c.execute(text("CREATE TABLE notes (note TEXT)"))
    await engine.dispose()
    try:
        yield Installation(data, rack, workspace, owner)
    finally:
        await rack.assembly.store.close()


@asynccontextmanager
async def serving(installation: Installation, *options: str, name: str = "server", **variables: str) -> AsyncIterator[Served]:
    """Serve an installation for the length of a block, in a process that can import what this one can."""
    arguments = ("serve", HOST, "--port", "0", "--data", str(installation.data), "--json", *options)
    with program_running(installation.data.parent, *arguments, name=name, PYTHONPATH=os.pathsep.join(sys.path), **variables) as program:
        printed = await asyncio.to_thread(program.first_line)
        yield Served(**vars(installation), program=program, url=printed["url"])


async def until(condition: Callable[[], Any], otherwise: Callable[[], str] = lambda: "waited in vain") -> None:
    """Wait until something holds, for a bounded time."""
    for _ in range(SECONDS_MAX * 20):
        outcome = condition()
        if await outcome if asyncio.iscoroutine(outcome) else outcome:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(otherwise())
