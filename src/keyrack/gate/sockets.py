"""One WebSocket, in the same order as a request: decided at its handshake, ended with its credential, recorded once."""

import asyncio
from contextlib import suppress

import structlog
from starlette.types import Message, Receive, Scope, Send

from keyrack.gate.authorize import authorize
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.problems import of_host
from keyrack.gate.streams import StreamEnded, Watch
from keyrack.gate.table import Match
from keyrack.gate.walk import Walk
from keyrack.model.calls import CURRENT, Call
from keyrack.model.limits import Header
from keyrack.model.refusals import CATALOG_MISMATCH, INTERNAL_ERROR, INVALID_CREDENTIAL, INVALID_REQUEST, Refused

CLOSED_BY_POLICY, CLOSED_BY_FAULT = 1008, 1011
OPEN = 101
log = structlog.get_logger("keyrack.gate")


async def walk_socket(parts: Walk, call: Call, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
    """Take one WebSocket through the gate."""
    socket = _Socket(parts, call, scope, receive, send)
    token = CURRENT.set(call)
    try:
        parts.recorder.reserve()
        socket.reserved = True
        headers = parts.heads.read(call, scope)
        if not match.public:
            principal = parts.authenticator.cached(call, headers) or await parts.authenticator.look_up(call)
            route = parts.table.require(match, call.path)
            authorize(principal, route.operation, match.path_params)
            socket.left = parts.limiter.take(principal, route.operation) or await parts.limiter.ask(principal, route.operation)
            scope["keyrack"] = caller = CurrentCaller(principal, call, parts.categories, parts.authenticator)
            socket.watch_over(caller)
        else:
            route = parts.table.require(match, call.path)
        await route.app(scope, socket.receive, socket.send)
    except Refused as refused:
        await socket.refuse(refused)
    except (StreamEnded, asyncio.CancelledError) as ended:
        await socket.end(ended)
    except Exception as error:  # noqa: BLE001 - a crash is answered, told and logged
        if not socket.gone:  # else it is how the handler noticed
            parts.recorder.report("handler_failed", call, error)
            await socket.refuse(INTERNAL_ERROR("An error on our side stopped this call. Nothing of it was stored."))
    finally:
        await socket.close()
        CURRENT.reset(token)


class _Socket:
    """A WebSocket's two directions. `gone`: the client has left. `left` are the headers that tell of its limits.

    It is recorded before the message that denies or closes it.
    """

    def __init__(self, parts: Walk, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        self._parts = parts
        self._call = call
        self._scope = scope
        self._receive = receive
        self._send = send
        self._caller: CurrentCaller | None = None
        self._watch: Watch | None = None
        self._status = 0
        self._recorded = False
        self.reserved = False
        self.gone = False
        self.left: list[Header] = []

    def watch_over(self, caller: CurrentCaller) -> None:
        """End the socket with this caller."""
        self._caller = caller
        self._watch = caller.watch()

    async def receive(self) -> Message:
        """Pass one message of the client on."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.gone = True
        elif message["type"] == "websocket.receive" and self._watch is not None:
            await self._watch.check()
        return message

    async def send(self, message: Message) -> None:
        """Pass one message of the host on; what the gate decided instead goes first, and what follows it is dropped."""
        if self._recorded:
            return
        kind = message["type"]
        if kind == "websocket.send":
            if self._watch is not None:
                await self._watch.check()
        elif kind == "websocket.accept":
            message = self._accepted(message)
        elif (refused := self._instead(message)) is not None:
            await self.refuse(refused)
            return
        elif kind == "websocket.http.response.start":
            self._status = message["status"]
            message = self._named(message)
        elif not message.get("more_body", False):
            self._record(None)
        try:
            await self._send(message)
        except OSError:
            self.gone = True
            raise

    async def refuse(self, refused: Refused) -> None:
        """Refuse the handshake, with a problem document where the server can send one; close a socket that is open."""
        if self._status:
            if self._status == OPEN:
                code = CLOSED_BY_FAULT if refused.refusal.status >= 500 else CLOSED_BY_POLICY
                await self._close(code, refused.refusal.title, refused)
            return
        self._status = refused.refusal.status
        self._record(refused)
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._pass({"type": "websocket.close", "code": CLOSED_BY_POLICY})
            return
        headers, body = self._parts.problems.answer(self._call, self._scope, refused)
        await self._pass(self._named({"type": "websocket.http.response.start", "status": self._status, "headers": headers}))
        await self._pass({"type": "websocket.http.response.body", "body": body})

    async def end(self, why: BaseException) -> None:
        """The handler was stopped: close the socket where its credential ended; any other reason goes on."""
        if self._watch is None or not self._watch.ended:
            raise why
        if self._status == OPEN:
            await self._close(CLOSED_BY_POLICY, "Credential has ended", None)
        else:
            await self.refuse(INVALID_CREDENTIAL("The credential ended before the handshake was answered."))

    async def close(self) -> None:
        """The socket is over: have it answered and recorded where it was not."""
        if self._watch is not None:
            self._watch.close()
        if not self._status:
            silent = INVALID_REQUEST if self.gone else INTERNAL_ERROR
            await self.refuse(self._call.refused or silent("The handshake ended without an answer."))
        self._record(None)

    async def _close(self, code: int, reason: str, refused: Refused | None) -> None:
        if not self._recorded:
            log.info("socket_ended", request_id=self._call.request_id, reason=reason)
            self._record(refused)
            await self._pass({"type": "websocket.close", "code": code, "reason": reason})

    async def _pass(self, message: Message) -> None:
        if not self.gone:
            with suppress(OSError):
                await self._send(message)

    def _accepted(self, message: Message) -> Message:
        if self._caller is not None and self._caller.left_unasked:
            raise CATALOG_MISMATCH("The operation declares space=object, and its handler accepted before it asked for the object's space.")
        self._status = OPEN
        return self._named(message)

    def _instead(self, message: Message) -> Refused | None:
        """The refusal that goes out instead of the host's own denial, if any: a close before the handshake is a 403 (ASGI)."""
        if message["type"] == "websocket.http.response.start" and self._call.refused is not None:
            return self._call.refused
        status: int = message.get("status", 403)
        return None if self._status or status < 400 else of_host(status, message.get("headers", ()))

    def _named(self, message: Message) -> Message:
        return {**message, "headers": [*message.get("headers", ()), (b"x-request-id", self._call.request_id.encode()), *self.left]}

    def _record(self, refused: Refused | None) -> None:
        if not self._recorded:
            self._recorded = True
            if self.reserved:
                self._parts.recorder.record(self._call, self._status, refused)
