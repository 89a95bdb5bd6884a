"""A backup is put in the place of what came after it, beside servers that run: nobody believes what the restored database does not say."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import integrations, keys
from keyrack.model.permissions import Level
from keyrack.store import changes
from keyrack.store.backups import back_up
from keyrack.store.copying.lost import lost_events
from keyrack.store.copying.places import Place
from tests.backup.dumps import dump, restore
from tests.copy.grown import READ_ONLY
from tests.hosts import ADMIN_RIGHTS
from tests.serving.served import Installation, Served, installed, serving, until

CUSTOMERS = "/api/v1/customers"
pytestmark = pytest.mark.timeout(300)


class History:
    """What happens around a backup: one key is revoked after it, one made, one given more rights."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.made: Any = None

    async def begin(self) -> None:
        """Before the backup."""
        self.revoked = await self.installation.key(name="revoked")
        self.widened = await self.installation.key(READ_ONLY, name="widened")
        self.spare = await self.installation.key(name="spare")
        self.admin = await self.installation.key(ADMIN_RIGHTS, name="admin")

    async def go_on(self) -> None:
        """After the backup."""
        desk, owner = self.installation.rack.assembly.desk, self.installation.owner
        await self.installation.revoke(self.revoked)
        await integrations.edit(desk, owner, self.widened.key.integration_id, permissions={"customers": Level.WRITE})
        self.made = await self.installation.key(name="made")

    async def statuses(self, served: Served) -> list[int]:
        """How a server answers a read with the revoked key, one with the key made later, and a write with the widened one."""
        async with served.wire(self.widened) as wire:
            written = await wire.send("POST", CUSTOMERS, "Content-Type: application/json", body=b'{"name": "Acme"}')
        return [(await served.get(CUSTOMERS, self.revoked)).status, (await served.get(CUSTOMERS, self.made)).status, written.status]


NOW, RESTORED = [401, 200, 201], [200, 401, 403]


async def test_servers_on_postgresql_decide_on_the_restored_truth(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _on_postgresql(tmp_path, postgresql_url, monkeypatch) as (history, nodes):
        restore(postgresql_url, tmp_path / "dump")
        for node in nodes:
            await until(lambda node=node: _is_restored(history, node))  # type: ignore[misc]
        # Whatever returns from now on was waited for by nodes that know the restored truth.
        await _revoke(nodes[0], history.admin, history.spare)
        for node in nodes:
            assert 401 == (await node.get(CUSTOMERS, history.spare)).status
            assert RESTORED == await history.statuses(node)


async def test_changes_that_count_up_to_the_old_number_again_do_not_hide_the_restore(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _on_postgresql(tmp_path, postgresql_url, monkeypatch) as (history, nodes):
        before = await _revision(history.installation)
        restore(postgresql_url, tmp_path / "dump")
        # Each returns when no node can believe what held before it: so none believes what held before the restore.
        desk, owner = history.installation.rack.assembly.desk, history.installation.owner
        while await _revision(history.installation) < before:
            spare = await history.installation.key(name="another")
            await keys.revoke(desk, owner, spare.key.id)
        assert before == await _revision(history.installation)
        for node in nodes:
            assert RESTORED == await history.statuses(node)


async def test_a_server_on_files_stops_when_a_backup_takes_their_place_and_starts_on_the_restored_truth(tmp_path: Path) -> None:
    async with installed(tmp_path / "data") as installation:
        history = History(installation)
        await history.begin()
        async with serving(installation) as served:
            data, old = installation.data, tmp_path / "old"
            await asyncio.to_thread(back_up, [data / "keyrack.db", data / "traffic.db"], tmp_path / "backup")
            await history.go_on()
            assert NOW == await history.statuses(served)
            await _closed(installation)
            old.mkdir()
            for name in ("keyrack.db", "keyrack.db-wal", "keyrack.db-shm"):
                (data / name).rename(old / name)
            (tmp_path / "backup" / "keyrack.db").rename(data / "keyrack.db")
            await until(lambda: served.program.process.poll() is not None)
            assert "store_replaced" in {json.loads(line)["event"] for line in served.program.err.splitlines()}
        async with serving(installation, name="restored") as served:
            assert RESTORED == await history.statuses(served)
            lost = await lost_events(Place.named(str(old)), Place.named(str(data)))
        types = [row.type for row in lost]
        assert ["key.revoked", "integration.updated"] == types[:2]
        # A key that is made alone makes its integration.
        assert {"key.created", "integration.created"} == set(types[2:])
        assert history.revoked.key.id == lost[0].object_id


@asynccontextmanager
async def _on_postgresql(folder: Path, url: str, patch: pytest.MonkeyPatch) -> AsyncIterator[tuple[History, list[Served]]]:
    """Two servers that have met all keys since the dump was made."""
    patch.setenv("KEYRACK_DATABASE_URL", url)
    async with installed(folder / "data") as installation:
        history = History(installation)
        await history.begin()
        async with serving(installation, name="a", **_database()) as a, serving(installation, name="b", **_database()) as b:
            dump(url, folder / "dump")
            await history.go_on()
            for node in (a, b):
                assert NOW == await history.statuses(node)
            yield history, [a, b]


async def _is_restored(history: History, node: Served) -> bool:
    return RESTORED == await history.statuses(node)


async def _revoke(served: Served, admin: Any, key: Any) -> None:
    async with served.wire(admin) as wire:
        assert 200 == (await wire.send("DELETE", f"/api/v1/keys/{key.key.id}")).status


async def _revision(installation: Installation) -> int:
    async with installation.rack.assembly.store.reading() as c:
        return await changes.newest(c)


async def _closed(installation: Installation) -> None:
    await installation.rack.assembly.feed.stop()
    await installation.rack.assembly.store.close()


def _database() -> dict[str, str]:
    return {"KEYRACK_DATABASE_URL": os.environ["KEYRACK_DATABASE_URL"]}
