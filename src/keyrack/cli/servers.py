"""uvicorn, as Keyrack runs it: uvloop and httptools, no rewriting of addresses, no access log, and a stop that fails no running call."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing import parent_process
from threading import Thread

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from keyrack.cli import hosts, server_log
from keyrack.cli.protocol import BoundedProtocol

log = structlog.get_logger("keyrack")

START_SECONDS_MAX = 60.0
# A worker that does not answer its parent for so long is replaced. One that starts must have imported the app by then.
ANSWER_SECONDS_MAX = 30
KEEP_ALIVE_SECONDS = 75
APP_VARIABLE = "KEYRACK_APP"

Announce = Callable[[], None]


def serve_here(app: ASGIApp, listener: socket.socket, drain_seconds: int, prepare: Callable[[], Awaitable[Announce]]) -> None:
    """Serve in this process until SIGINT or SIGTERM ends it.

    `prepare` runs first, on the same event loop; what it returns is called as soon as calls are answered.
    """
    config = _config(settling(app), 1, drain_seconds)

    async def run() -> None:
        server = _AnnouncingServer(config, await prepare())
        # When everything is done, uvicorn raises the signal that stopped it again. Both were wishes and were granted: the end is a success.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        await server.serve([listener])

    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())


def serve_in_workers(name: str, workers: int, listener: socket.socket, drain_seconds: int, announce: Announce) -> None:
    """Serve in several processes, each of which loads the app by its name; one that dies is replaced.

    `announce` is called when all of them answer calls. Ends the program with 3 where a worker cannot start.
    """
    # A spawned process gets nothing from this one but the environment and the socket.
    os.environ[APP_VARIABLE] = name
    workplace = _Workers(_config("keyrack.cli.servers:worker_app", workers, drain_seconds), listener, announce)
    workplace.run()
    if any(process.exitcode == STARTUP_FAILURE for process in workplace.processes):
        sys.exit(STARTUP_FAILURE)


def worker_app() -> ASGIApp:
    """Return the app of a worker process, which logs like its parent, and ends when that is gone."""
    name = os.environ[APP_VARIABLE]
    app = hosts.load(name)
    rack = hosts.rack_in(app, name)
    server_log.configure(rack.assembly.prefixes, form=rack.settings.log_format)
    Thread(target=_end_with_parent, name="keyrack:parent", daemon=True).start()
    return settling(app)


def settling(app: ASGIApp) -> ASGIApp:
    """Return an app that looks no more for cycles among what it has loaded when it has started.

    That are some hundred thousand objects, and each look at all of them holds up every call for a tenth of a second.
    """

    def settled(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        async def started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                gc.collect()
                gc.freeze()
            await send(message)

        return app(scope, receive, started if scope["type"] == "lifespan" else send)

    return settled


def _end_with_parent() -> None:
    """Stop this process as its parent would, when that is gone: a pipe between them closes. Nobody else could stop or replace it then."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        log.warning("parent_gone", advice="the process that started the workers was killed: start the server again")
        os.kill(os.getpid(), signal.SIGTERM)


class _AnnouncingServer(Server):
    def __init__(self, config: Config, announce: Announce) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


class _Workers(Multiprocess):
    def __init__(self, config: Config, listener: socket.socket, announce: Announce) -> None:
        super().__init__(config, [listener])
        self._announce = announce

    def init_processes(self) -> None:
        super().init_processes()
        if all(process.wait_until_ready(START_SECONDS_MAX, self.should_exit) for process in self.processes):
            self._announce()

    def terminate_all(self) -> None:
        # While this process holds the socket, new connections would wait for workers that take none any more.
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def _config(app: ASGIApp | str, workers: int, drain_seconds: int) -> Config:
    return Config(
        app,
        factory=isinstance(app, str),
        interface="asgi3",
        loop="uvloop",
        http=BoundedProtocol,
        lifespan="on",
        workers=workers,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=drain_seconds,
        timeout_worker_healthcheck=ANSWER_SECONDS_MAX,
    )
