"""The gate as an ASGI app: outermost, it decides before any router runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyrack.gate.pages import MemberPages, walk_page
from keyrack.gate.preflights import answer_preflight, is_preflight
from keyrack.gate.sockets import walk_socket
from keyrack.gate.walk import Walk, walk
from keyrack.model.calls import Call

log = structlog.get_logger("keyrack.gate")


class Gate:
    """Takes what is inside the guard through the walk, and leaves everything else to the host, untouched and unlogged.

    `pages` are Keyrack's own pages outside the guard, by path prefix. `start` makes the parts and is called once, at lifespan start-up
    or, where the server runs no lifespan, by the first call; `stop` ends what `start` began. `members` are the host's pages for members.
    """

    def __init__(
        self,
        host: ASGIApp,
        pages: Mapping[str, ASGIApp],
        start: Callable[[], Awaitable[Walk]],
        stop: Callable[[], Awaitable[None]],
        new_request_id: Callable[[int], str],
        members: MemberPages | None = None,
    ) -> None:
        self._host = host
        self._pages = dict(pages)
        self._start = start
        self._stop = stop
        self._new_request_id = new_request_id
        self._members = members
        self._parts: Walk | None = None
        self._starting: asyncio.Lock | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(scope, receive, send)
            return
        parts = self._parts or await self._started()
        path: str = scope["path"]
        if scope.get("root_path"):
            path = _path_inside(scope)
        method = scope["method"] if kind == "http" else "WEBSOCKET"
        match = parts.table.find(method, path, websocket=kind != "http")
        if match is None:
            page = self._members.match(method, path) if self._members is not None and kind == "http" else None
            if page is None or self._members is None:
                await self._outside(path)(scope, receive, send)
            else:
                call = self._members.call(page, method, path, self._new_request_id)
                await walk_page(parts, self._members, page, call, scope, receive, send)
            return
        now_ms = time.time_ns() // 1_000_000
        call = Call(method, path, self._new_request_id(now_ms), now_ms, time.monotonic_ns())
        if match.route is not None:
            call.operation = match.route.operation
            call.path_params = match.path_params
        if match.path is not None:
            scope = _respelled(scope, path, match.path)
        if kind != "http":
            await walk_socket(parts, call, match, scope, receive, send)
        elif match.route is None and is_preflight(scope):
            await answer_preflight(parts, call, scope, send)
        else:
            await walk(parts, call, match, scope, receive, send)

    def _outside(self, path: str) -> ASGIApp:
        head = "/" + path[1:].partition("/")[0]
        return self._pages.get(head, self._host)

    async def _started(self) -> Walk:
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if self._parts is None:
                self._parts = await self._start()
        return self._parts

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start before the host does and stop after it; a start that fails stops the server, and says why."""
        first = await receive()
        try:
            await self._started()
        except Exception as error:  # noqa: BLE001 - whatever it is, the server must not start
            log.error("start_failed", reason=f"{type(error).__name__}: {error}")
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        waiting = [first]

        async def receive_again() -> Message:
            return waiting.pop() if waiting else await receive()

        async def send_last(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed", "lifespan.startup.failed"):
                await self._stop()
                self._parts = None
            await send(message)

        await self._host(scope, receive_again, send_last)


def _respelled(scope: Scope, path: str, other: str) -> Scope:
    """The scope of a call under the path that its router knows; the call is logged under the one that was called."""
    at: str = scope["path"].removesuffix(path) + other
    return {**scope, "path": at, "raw_path": quote(at).encode()}


def _path_inside(scope: Scope) -> str:
    """The path below `root_path`, as the host's own router reads it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and (len(path) == len(root) or path[len(root)] == "/"):
        return path[len(root) :]
    return path
