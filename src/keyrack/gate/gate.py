"""The gate as an ASGI app: outermost, it decides before any router runs."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from keyrack.gate.respond import Answer
from keyrack.gate.sockets import walk_socket
from keyrack.gate.table import Match
from keyrack.gate.walk import Walk, walk
from keyrack.model.calls import Call


class Gate:
    """Takes what is inside the guard through the walk, and leaves everything else to the host, untouched and unlogged."""

    def __init__(self, host: ASGIApp, parts: Callable[[], Walk], new_request_id: Callable[[int], str]) -> None:
        self._host = host
        self._parts = parts
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._host(scope, receive, send)
            return
        parts = self._parts()
        path = _path_inside(scope)
        if not parts.table.guards(path):
            await self._host(scope, receive, send)
            return
        started_ns = time.monotonic_ns()
        now_ms = time.time_ns() // 1_000_000
        if kind == "websocket":
            call = Call("WEBSOCKET", path, self._new_request_id(now_ms), now_ms, started_ns)
            match = parts.table.find("WEBSOCKET", path, websocket=True)
            await walk_socket(parts, call, match, scope, receive, send)
            return
        call = Call(scope["method"], path, self._new_request_id(now_ms), now_ms, started_ns)
        match = parts.table.find(call.method, path)
        if match.route is not None:
            call.operation = match.route.operation
            call.path_params = match.path_params
        elif call.method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in scope["headers"]):
            await _answer_preflight(parts, call, scope, send)
            return
        await walk(parts, call, match, scope, receive, send)


async def _answer_preflight(parts: Walk, call: Call, scope: Scope, send: Send) -> None:
    # No CORS header ever: a browser page must not be able to send a secret credential from another origin.
    answer = Answer(call, scope, send, parts.recorder, parts.problems)
    await answer.send({"type": "http.response.start", "status": 204, "headers": []})
    await answer.close()


def _path_inside(scope: Scope) -> str:
    """The path below `root_path`, as the host's own router reads it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and (len(path) == len(root) or path[len(root)] == "/"):
        return path[len(root) :]
    return path
