"""The way out of one call: our headers, the log line before the answer is complete, and the host's commit before that."""

import asyncio
from typing import Any

import structlog
from starlette.types import Message, Receive, Send

from keyrack.gate import transactions
from keyrack.gate.callers import CurrentCaller
from keyrack.gate.problems import Problems, of_host
from keyrack.gate.record import Recorder
from keyrack.gate.replay import REPLAYED, Once, Replays, Stored
from keyrack.gate.streams import Watch
from keyrack.model.calls import Call
from keyrack.model.refusals import CATALOG_MISMATCH, INTERNAL_ERROR, Refused
from keyrack.model.replays import Lost, is_kept, is_stream

log = structlog.get_logger("keyrack.gate")
HELD_BYTES_MAX = 256 * 1024
_BODILESS = (204, 304)


class Answer:
    """One answer on its way out. `headers` are the gate's own, filled in before the handler runs."""

    __slots__ = (
        "_call",
        "_held",
        "_held_bytes",
        "_joined",
        "_left",
        "_once",
        "_problems",
        "_recorder",
        "_scope",
        "_send",
        "_task",
        "_watch",
        "caller",
        "complete",
        "headers",
        "reserved",
        "status",
        "waits",
    )

    def __init__(self, call: Call, scope: Any, send: Send, recorder: Recorder, problems: Problems) -> None:
        self._call = call
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._problems = problems
        self._held: list[Message] | None = None
        self._held_bytes = 0
        self._left = -1
        self._once: Once | None = None
        self._joined = False
        self._watch: Watch | None = None
        # The one that serves the call: a framework may stream from another, which it would not miss.
        self._task = asyncio.current_task()
        self.headers = call.headers
        self.headers.append((b"x-request-id", call.request_id.encode()))
        self.caller: CurrentCaller | None = None
        self.status = 0
        self.complete = False
        self.reserved = False
        # A whole answer is held back until the handler's own exits, which may commit, have run.
        self.waits = False

    async def begin(self, replays: Replays, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        """Have the call happen once, by its idempotency key: claim it, or answer as before. Raises Refused as `Replays.begin` does."""
        begun, receive = await replays.begin(self._call, self._scope["query_string"], headers, receive)
        if begun is not None:
            self.headers.append((b"idempotency-key", headers[b"idempotency-key"]))
        if isinstance(begun, Stored):
            await self._repeat(begun)
        else:
            self._once = begun
        return receive

    async def send(self, message: Message) -> None:
        """Pass one message of the app on; what the gate decided instead goes first, and what follows it is dropped."""
        if self.complete:
            return
        kind = message["type"]
        if kind == "http.response.start":
            refused = self._instead(message)
            if refused is not None:
                await self.refuse(refused)
                return
            self.status = message["status"]
            if self._call.sessions is None and self._once is None:
                await self._open(message)
            else:
                await self._hold(message)
        elif kind == "http.response.body":
            # Nearly every answer is one whole body, and every await between app and server is paid by every call.
            if self._held is None and not message.get("more_body"):
                self._record(None)
                await self._send(message)
            else:
                await self._body(message)
        else:
            await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answer with a problem document, unless an answer has begun. What the host changed is rolled back."""
        if self.status and self._held is None:
            return
        self._held = None
        await self._roll_back()
        once, self._once = self._once, None
        self.status = refused.refusal.status
        kept = once is not None and is_kept(self.status, retryable=refused.refusal.retryable, may_have_written=not self._joined)
        if kept and self.status >= 500:
            refused.extra["retryable"] = False
        headers, body = self._problems.answer(self._call, self._scope, refused)
        if once is not None:
            await once.refuse(self.status, headers, body, kept=kept)
        start = {"type": "http.response.start", "status": self.status, "headers": [*headers, *self.headers]}
        self._record(refused)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": b"" if self._call.method == "HEAD" else body})

    def end_stream(self, why: BaseException) -> None:
        """The handler was stopped. Where its credential ended, the cut answer is all that follows; any other reason goes on."""
        if self._watch is None or not self._watch.ended:
            raise why
        log.info("stream_ended", request_id=self._call.request_id)

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do for this answer."""
        return self.complete and self._watch is None

    async def close(self) -> None:
        """The call is over: have it recorded where no complete answer was, and let nothing of the host's transaction stay open."""
        if self._watch is not None:
            self._watch.close()
        if not self.complete:
            await self.refuse(INTERNAL_ERROR("This call was stopped before it was answered. Nothing of it was stored."))
        if not self.complete:
            await self._roll_back()
            self._record(None)

    async def release(self, lost: Lost | None = None) -> None:
        """Commit the host's transaction with the call's replay, then let out what was held. A failed commit answers instead.

        `lost` says why the answer cannot be kept: it is not whole yet.
        """
        held, self._held = self._held or [], None
        self.waits = False
        try:
            first = await self._commit(held, lost)
        except Refused as refused:
            self.status = 0
            await self.refuse(refused)
            return
        if first is not None:
            await self._repeat(first)
            return
        await self._open(held[0])
        for message in held[1:]:
            if not self.complete:
                await self._body(message)

    async def _commit(self, held: list[Message], lost: Lost | None) -> Stored | None:
        """Commit, and return the answer of whoever carried the call out before this one, if anybody did."""
        self._joined = self._joined or self._call.sessions is not None
        once = self._once
        if once is None:
            await transactions.commit(self._call)
            return None
        headers = held[0].get("headers") or ()
        body = lost or b"".join([message.get("body", b"") for message in held[1:]])
        first = None
        if is_kept(self.status, retryable=False, may_have_written=not self._joined):
            first = await once.complete(self._call, self.status, headers, body)
        else:
            await once.refuse(self.status, headers, b"", kept=False)
        self._once = None
        return first

    async def _repeat(self, stored: Stored) -> None:
        """Give the stored answer of a call that was carried out before."""
        self.headers += [REPLAYED, (b"idempotency-original-request", stored.request_id.encode())]
        self.status = stored.status
        self._record(stored.refused)
        await self._send({"type": "http.response.start", "status": stored.status, "headers": [*stored.headers, *self.headers]})
        await self._send({"type": "http.response.body", "body": stored.body})

    async def _roll_back(self) -> None:
        if self._call.sessions is not None:
            self._joined = True
            await transactions.rollback(self._call)

    async def _hold(self, message: Message) -> None:
        """Hold an answer back until what it tells of is committed; where the host itself refuses, roll back at once."""
        if self.status >= 400:
            await self._roll_back()
            if self._once is None:
                await self._open(message)
                return
        self._held = [message]
        if self._bodiless(self.status):
            await self._release_when_over()
        elif self._once is not None and is_stream(message.get("headers") or ()):
            await self.release(Lost.STREAM)

    def _instead(self, message: Message) -> Refused | None:
        """The refusal that goes out instead of the app's own answer, if any."""
        if self._call.refused is not None:
            return self._call.refused
        status: int = message["status"]
        if status >= 400:
            return of_host(status, message.get("headers", ()))
        if self.caller is not None and self.caller.left_unasked:
            return CATALOG_MISMATCH("The operation declares space=object, and its handler never asked for the object's space.")
        return None

    async def _open(self, message: Message) -> None:
        headers = message.get("headers") or ()
        for name, value in headers:
            if name == b"content-length":
                self._left = int(value)
        if self._left == 0 or self._bodiless(self.status):
            self._record(None)
            await self._send({**message, "headers": [*headers, *self.headers]})
            # The empty body that closes the message for the server; `complete` drops the app's own.
            await self._send({"type": "http.response.body", "body": b""})
            return
        await self._send({**message, "headers": [*headers, *self.headers]})
        if self._left < 0 and self.caller is not None:
            # An answer of unknown length may be silent for long, from its beginning on.
            self._watch = self.caller.watch(self._task)

    async def _body(self, message: Message) -> None:
        more = message.get("more_body", False)
        if self._held is not None:
            self._held.append(message)
            self._held_bytes += len(message.get("body", b""))
            if self._held_bytes > HELD_BYTES_MAX:
                await self.release(Lost.SIZE)
            elif not more:
                await self._release_when_over()
            return
        if more:
            if self._left > 0:
                self._left -= len(message.get("body", b""))
            if self._left != 0:
                await self._stream(message)
                return
        # Length 0 left completes the answer though the app would say more: the server must not wait for it.
        self._record(None)
        await self._send({**message, "more_body": False} if more else message)

    async def _stream(self, message: Message) -> None:
        """Pass one part of a longer answer, unless its credential has ended meanwhile."""
        if self._watch is None and self.caller is not None:
            self._watch = self.caller.watch(self._task)
        if self._watch is not None:
            await self._watch.check()
        await self._send(message)

    async def _release_when_over(self) -> None:
        """Let a whole answer out: at once where the gate commits, else when the handler's own exits have run."""
        if self._call.sessions is not None:
            await self.release()
        else:
            self.waits = True

    def _bodiless(self, status: int) -> bool:
        return status in _BODILESS or self._call.method == "HEAD"

    def _record(self, refused: Refused | None) -> None:
        if not self.complete:
            self.complete = True
            if self.reserved:
                self._recorder.record(self._call, self.status, refused)
