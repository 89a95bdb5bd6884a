"""A change whose commit gets no answer is told as what it is: done, not done, or unknown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from keyrack import Keyrack, Settings
from keyrack.manage import keys
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.manage.workspaces import Workspaces
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, NOT_FOUND, OUTCOME_UNKNOWN, STORE_UNAVAILABLE, Refusal, Refused
from keyrack.store import keys as rows
from keyrack.store.migrations import migrate
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, PLANS

SOCKET = ".s.PGSQL.5432"
BYTES_MAX = 65536


class Wire:
    """What lies between a host and its database. Once told to, it breaks at the next commit, before or behind it."""

    def __init__(self, server: str, folder: Path) -> None:
        self.breaks: str | None = None
        self.is_cut = False
        self._server = server
        self.folder = folder
        self._relaying: set[asyncio.Task[object]] = set()

    async def open(self) -> asyncio.Server:
        """Listen."""
        self.folder.mkdir()

        def connected(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
            task: asyncio.Task[object] = asyncio.create_task(self._relay(client, to_client))
            self._relaying.add(task)
            task.add_done_callback(self._relaying.discard)

        return await asyncio.start_unix_server(connected, self.folder / SOCKET)

    async def close(self) -> None:
        """End what is still connected."""
        for task in self._relaying:
            task.cancel()
        await asyncio.gather(*self._relaying, return_exceptions=True)

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(f"{self._server}/{SOCKET}")
        answers = asyncio.create_task(self._pump(server, to_client))
        try:
            while not self.is_cut and (sent := await client.read(BYTES_MAX)):
                if self.breaks and b"COMMIT;" in sent:
                    answers.cancel()
                    await asyncio.wait({answers})
                    if self.breaks == "behind":
                        to_server.write(sent)
                        await server.read(BYTES_MAX)
                    self.is_cut, self.breaks = self.breaks == "for good", None
                    return
                to_server.write(sent)
        except OSError:
            return
        finally:
            answers.cancel()
            for writer in (to_server, to_client):
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _pump(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while answer := await server.read(BYTES_MAX):
                to_client.write(answer)
        to_client.close()


@pytest.fixture
async def wire(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    """The wire to a database."""
    wire = Wire(postgresql_url.partition("?host=")[2], tmp_path_factory.mktemp("w") / "s")
    server = await wire.open()
    yield wire
    await wire.close()
    server.close()


@pytest.fixture
async def desk(wire: Wire, postgresql_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A process that only changes things, and reaches its database by the wire."""
    url = postgresql_url.partition("?host=")[0] + f"?host={wire.folder}"
    await migrate(postgresql_url)
    settings = Settings(data=tmp_path / "data", database_url=url, direct_url=postgresql_url)
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS)
    yield rack.assembly.desk
    await rack.assembly.store.close()


@pytest.fixture
async def owner(desk: Desk) -> Principal:
    """Who runs the only workspace."""
    all_of_them = Workspaces(desk)
    return await all_of_them.operator((await all_of_them.create("VML", slug="vml")).id)


async def _is_revoked(desk: Desk, key: keys.Issued) -> bool:
    async with desk.store.reading() as c:
        return (await rows.get(c, key.key.workspace_id, key.key.id)).ended_by is not None


async def _key(desk: Desk, owner: Principal) -> keys.Issued:
    return await keys.create(desk, owner, name="a key", rights=ALL_RIGHTS)


async def test_a_change_that_was_committed_without_an_answer_is_done(desk: Desk, owner: Principal, wire: Wire) -> None:
    key = await _key(desk, owner)
    wire.breaks = "behind"
    await keys.revoke(desk, owner, key.key.id)
    assert await _is_revoked(desk, key)


async def test_a_change_whose_commit_never_arrived_has_changed_nothing(desk: Desk, owner: Principal, wire: Wire) -> None:
    key = await _key(desk, owner)
    wire.breaks = "before"
    with pytest.raises(Refused) as refused:
        await keys.revoke(desk, owner, key.key.id)
    assert refused.value.refusal is STORE_UNAVAILABLE
    assert not await _is_revoked(desk, key)


async def test_a_creation_without_an_answer_is_told_as_unknown(desk: Desk, owner: Principal, wire: Wire) -> None:
    wire.breaks = "behind"
    with pytest.raises(Refused) as refused:
        await _key(desk, owner)
    assert refused.value.refusal is OUTCOME_UNKNOWN


async def test_a_change_that_nobody_can_look_for_is_told_as_unknown(desk: Desk, owner: Principal, wire: Wire) -> None:
    key = await _key(desk, owner)
    wire.breaks = "for good"
    with pytest.raises(Refused) as refused:
        await keys.revoke(desk, owner, key.key.id)
    assert refused.value.refusal is OUTCOME_UNKNOWN


async def _missing(desk: Desk, owner: Principal, refusal: Refusal, *, is_replaced: bool) -> None:
    async with change(desk, owner):
        if is_replaced:
            # A fail-over, as the session of leases notes it.
            desk.store.distrust()
        raise refusal("There is no such key.")


@pytest.mark.parametrize("refusal", [NOT_FOUND, CONFLICT])
async def test_what_is_missing_on_a_server_that_was_replaced_is_not_told_as_missing(desk: Desk, owner: Principal, refusal: Refusal) -> None:
    with pytest.raises(Refused) as missing:
        await _missing(desk, owner, refusal, is_replaced=False)
    assert missing.value.refusal is refusal
    with pytest.raises(Refused) as gone:
        await _missing(desk, owner, refusal, is_replaced=True)
    assert gone.value.refusal is STORE_UNAVAILABLE
