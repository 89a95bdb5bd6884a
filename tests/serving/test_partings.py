"""Clients that go away in the middle of a call, and servers that stop."""

import asyncio
import os
import signal

import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed

from tests.serving.served import Installation, Served, serving, until
from tests.serving.sockets import drained, request_id, socket
from tests.serving.wire import Cut, connected

DRAIN_SECONDS = 2
RESTARTING = 1012


async def notes(served: Served) -> list[str]:
    """What the host has stored."""
    async with served.rack.assembly.store.reading() as c:
        return [str(row[0]) for row in await c.all(text("SELECT note FROM notes ORDER BY note"))]


async def let_go_on(served: Served) -> None:
    """Have the slow handler answer."""
    await asyncio.to_thread((served.data / "pipe").write_text, "go on")


async def test_client_that_goes_away_in_its_body_leaves_one_line_and_nothing_else(served: Served) -> None:
    key = await served.key()
    async with served.wire(key) as wire:
        wire.ask("POST", "/api/v1/notes/lost", "Content-Length: 100", body=b"no hundred bytes")
        await until((served.data / "lost").exists)
    async with served.wire(key) as wire:
        assert 200 == (await wire.send("POST", "/api/v1/notes/kept", body=b"all of it")).status
    first, second = await served.lines_of(key, 2)
    assert [(400, "invalid_request"), (200, None)] == [(line.status, line.code) for line in (first, second)]
    assert ["kept"] == await notes(served)


async def test_call_whose_client_has_gone_is_finished_and_logged(served: Served) -> None:
    key = await served.key()
    os.mkfifo(served.data / "pipe")
    async with served.wire(key) as wire:
        wire.ask("GET", "/api/v1/slow")
        await until((served.data / "begun").exists)
    await let_go_on(served)
    (line,) = await served.lines_of(key, 1)
    assert (200, "/api/v1/slow") == (line.status, line.path)


async def test_server_that_stops_finishes_what_it_can_in_time_and_logs_all(installation: Installation) -> None:
    key = await installation.key()
    os.mkfifo(installation.data / "pipe")
    async with (
        serving(installation, "--drain-seconds", str(DRAIN_SECONDS)) as served,
        served.wire(key) as idle,
        served.wire(key) as slow,
        served.wire(key) as stuck,
        served.wire(key) as stream,
        socket(served, "/api/v1/socket", key) as connection,
    ):
        assert 200 == (await idle.get("/api/v1/me")).status
        slow.ask("GET", "/api/v1/slow")
        stuck.ask("GET", "/api/v1/stuck")
        stream.ask("GET", "/api/v1/ticks")
        streamed = (await stream.head())[1]["x-request-id"]
        await until((served.data / "begun").exists)
        served.program.process.send_signal(signal.SIGTERM)
        await until(lambda: is_refused(served.url))
        await let_go_on(served)
        answer = await slow.answer()
        assert (200, {"said": "go on"}, "close") == (answer.status, answer.json, answer.headers["connection"])
        assert b"" == await idle.ended()
        late = await stuck.answer()
        assert (500, "internal_error") == (late.status, late.json["code"])
        with pytest.raises(Cut):
            await stream.last_part()
        with pytest.raises(ConnectionClosed) as closed:
            await drained(connection)
        assert closed.value.rcvd is not None
        assert RESTARTING == closed.value.rcvd.code
        assert 0 == await asyncio.to_thread(served.program.process.wait)
    lines = {line.request_id: line.status for line in await installation.lines()}
    assert (200, 500, 200, 101) == tuple(lines[name] for name in (answer.request_id, late.request_id, streamed, request_id(connection)))


async def is_refused(url: str) -> bool:
    """Whether nobody takes new connections there."""
    try:
        async with connected(url):
            return False
    except OSError:
        return True
