"""What outlives its call's decision, a streamed answer or a WebSocket, ends with what its caller may, and with nothing less."""

from collections.abc import Awaitable, Callable

import pytest
from websockets.exceptions import ConnectionClosed

from keyrack.manage import keys
from keyrack.model.permissions import Rights, SpaceRole
from tests.hosts import ADMIN_RIGHTS
from tests.serving.served import Served
from tests.serving.sockets import ENDED_BY_POLICY, drained, request_id, socket
from tests.serving.wire import Cut

JSON = "Content-Type: application/json"
STREAMS = ["/api/v1/silent?parts=0", "/api/v1/silent?parts=1", "/api/v1/ticks"]
SOCKETS = ["/api/v1/socket", "/api/v1/ticks"]
Revoke = Callable[[Served, keys.Issued], Awaitable[None]]


async def revoke_here(served: Served, key: keys.Issued) -> None:
    """End a key in the process that serves it."""
    async with served.wire(await served.key(ADMIN_RIGHTS)) as wire:
        assert 200 == (await wire.send("DELETE", f"/api/v1/keys/{key.key.id}")).status


async def revoke_elsewhere(served: Served, key: keys.Issued) -> None:
    """End a key in another process: this one."""
    await served.revoke(key)


@pytest.mark.parametrize("revoke", [revoke_here, revoke_elsewhere])
@pytest.mark.parametrize("target", STREAMS)
async def test_stream_ends_with_its_key(served: Served, target: str, revoke: Revoke) -> None:
    key = await served.key()
    async with served.wire(key) as wire:
        wire.ask("GET", target)
        status, headers, _ = await wire.head()
        assert 200 == status
        await revoke(served, key)
        with pytest.raises(Cut):
            await wire.last_part()
    line = await served.line(headers["x-request-id"])
    assert (200, key.key.id) == (line.status, line.credential_id)


@pytest.mark.parametrize("revoke", [revoke_here, revoke_elsewhere])
@pytest.mark.parametrize("target", SOCKETS)
async def test_socket_ends_with_its_key(served: Served, target: str, revoke: Revoke) -> None:
    key = await served.key()
    async with socket(served, target, key) as connection:
        await revoke(served, key)
        with pytest.raises(ConnectionClosed) as closed:
            await drained(connection)
    assert closed.value.rcvd is not None
    assert (ENDED_BY_POLICY, "Credential has ended") == (closed.value.rcvd.code, closed.value.rcvd.reason)
    assert 101 == (await served.line(request_id(connection))).status


async def test_nothing_passes_after_revoke_has_returned(served: Served) -> None:
    key = await served.key()
    async with served.wire(key) as streamed, socket(served, "/api/v1/ticks", key) as connection, served.wire(await served.key()) as other:
        streamed.ask("GET", "/api/v1/ticks")
        await streamed.head()
        for _ in range(3):
            await streamed.part()
            await connection.recv()
        at_return = (await other.send("DELETE", f"/api/v1/callers/{key.key.id}")).json
        with pytest.raises(Cut):
            await streamed.last_part()
        with pytest.raises(ConnectionClosed):
            await drained(connection)
        assert {"stream", "socket"} == set(at_return)
        assert at_return == (await other.get("/api/v1/passed")).json


async def test_new_name_of_a_key_ends_nothing(served: Served) -> None:
    key = await served.key()
    async with served.wire(key) as silent, served.wire(key) as ticking, socket(served, "/api/v1/socket", key) as connection:
        silent.ask("GET", "/api/v1/silent?parts=1")
        ticking.ask("GET", "/api/v1/ticks")
        await silent.head()
        await ticking.head()
        assert b"part 0" == await silent.part()
        async with served.wire(await served.key(ADMIN_RIGHTS)) as admin, served.wire(await served.key()) as other:
            edited = await admin.send("PATCH", f"/api/v1/keys/{key.key.id}", JSON, body=b'{"name": "a new name"}')
            assert (200, "a new name") == (edited.status, edited.json["name"])
            await connection.send("still here?")
            assert "still here?" == await connection.recv()
            assert 200 == (await other.send("POST", "/api/v1/nudge")).status
            assert b"nudged" == await silent.part()
            # More than lay on the way when the name was changed.
            passed = (await other.get("/api/v1/passed")).json["stream"]
            while (await other.get("/api/v1/passed")).json["stream"] < passed + 1000:
                assert b"tick" == await ticking.part()


async def test_stream_and_socket_in_a_space_end_with_the_role_there(served: Served) -> None:
    space = await served.rack.spaces.create(served.workspace.id, "Support")
    key = await served.key(Rights(spaces={space.id: SpaceRole.VIEWER}))
    async with served.wire(key) as wire, socket(served, f"/api/v1/objects/{space.id}", key) as connection:
        wire.ask("GET", f"/api/v1/spaces/{space.id}/silent")
        await wire.head()
        assert b"part 0" == await wire.part()
        await served.rack.spaces.remove_role(served.workspace.id, space.id, key.key.integration_id)
        with pytest.raises(Cut):
            await wire.part()
        with pytest.raises(ConnectionClosed):
            await connection.recv()
