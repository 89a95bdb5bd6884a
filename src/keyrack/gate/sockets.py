"""One WebSocket, in the same order as a request: decided at its handshake, ended with its credential, recorded once."""

import asyncio

import structlog
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from keyrack.gate.authorize import authorize
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.problems import headers_of
from keyrack.gate.streams import StreamEnded, Watch
from keyrack.gate.table import Match
from keyrack.gate.walk import Walk
from keyrack.model.calls import CURRENT, Call
from keyrack.model.refusals import INTERNAL_ERROR, Refused

CLOSED_BY_POLICY, CLOSED_BY_FAULT = 1008, 1011
log = structlog.get_logger("keyrack.gate")
# After these nothing else may be sent.
_LAST = ("websocket.close", "websocket.disconnect", "websocket.http.response.start")


async def walk_socket(parts: Walk, call: Call, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
    """Take one WebSocket through the gate."""
    socket = _Socket(parts, call, receive, send)
    token = CURRENT.set(call)
    refusal: Refused | None = None
    reserved = False
    try:
        parts.recorder.reserve()
        reserved = True
        headers = parts.heads.read(call, scope)
        principal = parts.authenticator.cached(call, headers) or await parts.authenticator.look_up(call)
        route = parts.table.require(match, call.path)
        authorize(principal, route.operation, match.path_params)
        parts.limiter.take(principal, route.operation)
        scope["keyrack"] = caller = CurrentCaller(principal, call, parts.categories, parts.authenticator)
        socket.watch = caller.watch()
        await route.app(scope, socket.receive, socket.send)
    except Refused as refused:
        refusal = refused
        await socket.deny(scope, refused)
    except StreamEnded:
        await socket.end()
    except asyncio.CancelledError:
        if socket.watch is None or not socket.watch.ended:
            raise
        await socket.end()
    except WebSocketDisconnect:
        pass  # the client has gone, and the handler let that end it: a close like any other
    except Exception as error:
        # Told here, masked: a server would print its message as it is.
        parts.recorder.report("handler_failed", call, error)
        refusal = INTERNAL_ERROR("An error on our side stopped this call. Nothing of it was stored.")
        await socket.deny(scope, refusal)
    finally:
        if socket.watch is not None:
            socket.watch.close()
        if reserved:
            parts.recorder.record(call, socket.status, refusal)
        CURRENT.reset(token)


class _Socket:
    """A WebSocket's two directions. `status` is what the log says: 101 once accepted, else the refusal's, else 403."""

    def __init__(self, parts: Walk, call: Call, receive: Receive, send: Send) -> None:
        self._parts = parts
        self._call = call
        self._receive = receive
        self._send = send
        self._closed = False
        self.status = 403
        self.watch: Watch | None = None

    async def receive(self) -> Message:
        """Pass one message of the client on."""
        message = await self._receive()
        self._closed = self._closed or message["type"] in _LAST
        if message["type"] == "websocket.receive" and self.watch is not None:
            await self.watch.check()
        return message

    async def send(self, message: Message) -> None:
        """Pass one message of the host on."""
        if message["type"] == "websocket.accept":
            self.status = 101
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", self._call.request_id.encode())]}
        elif message["type"] == "websocket.send" and self.watch is not None:
            await self.watch.check()
        self._closed = self._closed or message["type"] in _LAST
        await self._send(message)

    async def deny(self, scope: Scope, refused: Refused) -> None:
        """Refuse the handshake, with a problem document where the server can send one; close a socket that is open."""
        if self.status == 101 or self._closed:
            await self.end(CLOSED_BY_FAULT if refused.refusal is INTERNAL_ERROR else CLOSED_BY_POLICY, refused.refusal.title)
            return
        self.status = refused.refusal.status
        if "websocket.http.response" not in scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": CLOSED_BY_POLICY})
            return
        body = self._parts.problems.document(self._call, scope, refused)
        headers = [*headers_of(refused, len(body)), (b"x-request-id", self._call.request_id.encode())]
        await self._send({"type": "websocket.http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def end(self, code: int = CLOSED_BY_POLICY, reason: str = "credential ended") -> None:
        """Close an open socket, because its credential has ended or for another reason; one that its handler has closed stays so."""
        if self._closed:
            return
        log.info("socket_ended", request_id=self._call.request_id, reason=reason)
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
