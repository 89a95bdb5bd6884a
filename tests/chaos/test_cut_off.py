"""A primary whose standby is gone tells no change as done: another primary may lack it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyrack import Keyrack, Settings
from keyrack.manage import keys
from keyrack.manage.desk import Desk
from keyrack.model.principals import Principal
from keyrack.store import keys as rows
from keyrack.store.migrations import migrate
from tests.chaos.app import build_rack
from tests.chaos.databases import NAME, Server, databases
from tests.hosts import ALL_RIGHTS

# Long enough for whoever waits for nothing to have returned.
PATIENCE_SECONDS = 1.0


@dataclass
class Site:
    """A process that only changes things, its database server, and a key."""

    primary: Server
    rack: Keyrack
    owner: Principal
    key: keys.Issued

    @property
    def desk(self) -> Desk:
        """What changes are made with."""
        return self.rack.assembly.desk

    def revoke(self) -> "asyncio.Task[object]":
        """Begin to revoke the key."""
        return asyncio.create_task(keys.revoke(self.desk, self.owner, self.key.key.id))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A primary of this test's own."""
    async with databases(has_standby=False) as both:
        folder, _, port = both.primary.socket.rpartition("/.s.PGSQL.")
        url = f"postgresql://postgres@/{NAME}?host={folder}&port={port}"
        await migrate(url)
        rack = build_rack(Settings(data=tmp_path / "data", database_url=url))
        workspace = await rack.workspaces.create("VML", slug="vml")
        owner = await rack.workspaces.operator(workspace.id)
        key = await keys.create(rack.assembly.desk, owner, name="a key", rights=ALL_RIGHTS)
        yield Site(both.primary, rack, owner, key)
        await rack.assembly.store.close()


async def test_a_second_revoke_waits_for_the_standby_that_the_first_one_never_reached(site: Site) -> None:
    # Each commit waits for a standby from now on, and there is none.
    site.primary.configure(synchronous_standby_names="*")
    first = site.revoke()
    await site.primary.until("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    # Its wait is given up, as a client does that has waited for long enough: now everybody can read here what no standby has.
    await site.primary.ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await first
    async with site.desk.store.reading() as c:
        assert (await rows.get(c, site.owner.workspace.id, site.key.key.id)).ended_by is not None
    second = site.revoke()
    await asyncio.wait({second}, timeout=PATIENCE_SECONDS)
    assert not second.done()
    site.primary.configure()
    await second
