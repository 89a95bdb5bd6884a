"""Has this call happened? One claim per idempotency key, and the stored answer for whoever comes again (CONSISTENCY §5)."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from starlette.types import Receive

from keyrack.crypto.seal import Sealer
from keyrack.gate import transactions
from keyrack.gate.bodies import again, whole
from keyrack.model.calls import Call
from keyrack.model.refusals import (
    ANSWER_LOST,
    IDEMPOTENCY_KEY_IN_USE,
    IDEMPOTENCY_KEY_INVALID,
    IDEMPOTENCY_KEY_REUSED,
    SHOWN_ONCE,
    Refusal,
    Refused,
)
from keyrack.model.replays import (
    KEY_LENGTH_MAX,
    LEASE_SECONDS,
    METHODS,
    Claim,
    Headers,
    Lost,
    Replay,
    fingerprint_of,
    holds_secret,
    kept_headers,
    key_in,
    made_in,
    packed,
    read_json,
    scope_of,
    unpacked,
)
from keyrack.store import replays
from keyrack.store.database import Store
from keyrack.store.ids import new_id

log = structlog.get_logger("keyrack.gate")
RENEW_SECONDS = LEASE_SECONDS / 3
AGAIN_SECONDS = 2
"""When at the latest somebody is asked to come again whose first call still runs."""
REPLAYED = (b"idempotent-replayed", b"true")


class Superseded(Exception):
    """Somebody took over the claim of this call, and carried it out: what this one did must not commit."""


class Stored(NamedTuple):
    """The answer of a call that was carried out before. `refused`: the refusal that it tells of, where it tells of one, for the log."""

    request_id: str
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    refused: Refused | None


class Replays:
    """Lets each call that has an idempotency key happen once. `sealer` seals what is kept; `refusals` are all that the host knows."""

    def __init__(self, store: Store, sealer: Sealer, now: Callable[[], int], refusals: Mapping[str, Refusal]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now
        self._refusals = refusals

    async def begin(
        self, call: Call, query: bytes, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple["Once | Stored | None", Receive]:
        """Claim a call, or return its stored answer; None for a call that no key makes one. Its body is read, and can be read again.

        Raises Refused: 400 for a key that is none, 409 while the call runs elsewhere or where its answer was not kept, 422 for a key that
        stands for another call.
        """
        if call.method not in METHODS or call.principal is None:
            return None, receive
        key = key_in(headers[b"idempotency-key"])
        if key is None:
            told = f"An idempotency key has 1 to {KEY_LENGTH_MAX} visible ASCII characters, bare or in double quotes."
            raise IDEMPOTENCY_KEY_INVALID(told, param="Idempotency-Key")
        body = await whole(receive)
        principal = call.principal
        claim = Claim(
            scope=scope_of(principal, call.method, _place(call), key),
            workspace_id=principal.workspace.id,
            token=new_id(),
            fingerprint=fingerprint_of(query, headers.get(b"api-version", b""), body),
            request_id=call.request_id,
        )
        stored = await self._claim(claim)
        if stored is not None:
            return stored, receive
        call.claim = claim
        return Once(self, claim), again(body, receive)

    async def find(self, claim: Claim) -> Stored | None:
        """Return the stored answer of a call. Raises Refused where it has another body, or was not kept."""
        async with self._store.reading() as c:
            return self._read(claim, await replays.find(c, claim.workspace_id, claim.scope))

    async def renew(self, claim: Claim) -> None:
        """Hold a claim for longer."""
        async with self._store.changing() as c:
            await replays.renew(c, claim.workspace_id, claim.scope, claim.token, self._now() + LEASE_SECONDS * 1000)

    async def release(self, claim: Claim) -> None:
        """Give a claim back."""
        async with self._store.changing() as c:
            await replays.release(c, claim.workspace_id, claim.scope, claim.token)

    async def complete(self, claim: Claim, replay: Replay) -> None:
        """Keep what came of a call, in a transaction of its own. Raises Superseded."""
        async with self._store.changing() as c:
            if not await replays.save(c, claim, replay, self._now()):
                raise Superseded

    async def commit(self, call: Call, claim: Claim, replay: Replay) -> None:
        """Keep what came of a call in the host's transaction, and commit that. Raises Superseded, or what a commit raises."""
        shared = [held for held in call.sessions or () if held.lies_in(self._store.url)]
        if not shared:
            await transactions.commit(call)
            await self.complete(claim, replay)
            return

        async def write() -> None:
            if not await replays.save_in(shared[0].session, claim, replay, self._now()):
                raise Superseded

        await transactions.commit(call, write)

    def replay(self, claim: Claim, status: int, headers: Headers, body: bytes | Lost) -> Replay:
        """Return what is kept of an answer; in place of its body stands why that cannot be kept."""
        if isinstance(body, Lost):
            return Replay(claim.fingerprint, claim.request_id, status, None, body)
        if status < 400 and holds_secret(headers):
            return Replay(claim.fingerprint, claim.request_id, status, None, Lost.SECRET, made_in(body))
        sealed = self._sealer.seal(packed(kept_headers(headers), body), claim.scope)
        return Replay(claim.fingerprint, claim.request_id, status, sealed, None, made_in(body))

    async def _claim(self, claim: Claim) -> Stored | None:
        now = self._now()
        async with self._store.changing() as c:
            if stored := self._read(claim, await replays.find(c, claim.workspace_id, claim.scope)):
                return stored
            running = await replays.add_claim(c, claim, now, now + LEASE_SECONDS * 1000)
            # Asked again: the one who held it may have committed between the two statements.
            if stored := self._read(claim, await replays.find(c, claim.workspace_id, claim.scope)):
                return stored
        if running is None:
            return None
        fingerprint, until = running
        if fingerprint != claim.fingerprint:
            raise _reused()
        # Most first calls are answered within milliseconds; the whole lease is waited for only where a process died.
        seconds = min(AGAIN_SECONDS, max(1, -(-(until - now) // 1000)))
        raise IDEMPOTENCY_KEY_IN_USE("The first call with this idempotency key has no answer yet.", headers={"Retry-After": str(seconds)})

    def _read(self, claim: Claim, replay: Replay | None) -> Stored | None:
        if replay is None:
            return None
        if replay.fingerprint != claim.fingerprint:
            raise _reused()
        if replay.lost is None and replay.sealed is not None and replay.status is not None:
            try:
                headers, body = unpacked(self._sealer.open(replay.sealed, claim.scope))
            except ValueError:
                # Sealed under a key that these settings have no more.
                log.warning("replay_unreadable", request_id=replay.request_id)
            else:
                return Stored(replay.request_id, replay.status, headers, body, self._refused(replay.status, body))
        raise _lost(replay)

    def _refused(self, status: int, body: bytes) -> Refused | None:
        told = read_json(body) if status >= 400 else None
        if not isinstance(told, dict) or (refusal := self._refusals.get(str(told.get("code")))) is None:
            return None
        return refusal(str(told.get("detail")))


class Once:
    """A call that this process has claimed, until it is answered. The claim is renewed for as long as the handler runs."""

    def __init__(self, replays: Replays, claim: Claim) -> None:
        self._replays = replays
        self._claim = claim
        self._renewing: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(RENEW_SECONDS, self._renew_soon)

    async def complete(self, call: Call, status: int, headers: Headers, body: bytes | Lost) -> Stored | None:
        """Keep the answer and commit what the host's transaction holds, both or neither; return the answer of whoever was first instead.

        Raises Refused where that fails: then nothing was committed. Where the host holds no transaction its change has happened already,
        so that the answer goes out though it cannot be kept.
        """
        await self._end()
        replay = self._replays.replay(self._claim, status, headers, body)
        try:
            if call.sessions is not None:
                await self._replays.commit(call, self._claim, replay)
            else:
                await self._keep(replay)
        except Superseded:
            first = await self._replays.find(self._claim)
            if first is None:
                raise IDEMPOTENCY_KEY_IN_USE("Another call with this idempotency key runs now.", headers={"Retry-After": "1"}) from None
            return first
        return None

    async def refuse(self, status: int, headers: Headers, document: bytes, *, kept: bool) -> None:
        """Keep a refusal as the answer of its call, or give the claim back, so that a retry runs at once."""
        await self._end()
        try:
            if kept:
                await self._keep(self._replays.replay(self._claim, status, headers, document))
            else:
                await self._replays.release(self._claim)
        except (Refused, Superseded):
            # The refusal goes out all the same; the claim's lease ends by itself.
            log.warning("claim_kept", request_id=self._claim.request_id)

    async def _keep(self, replay: Replay) -> None:
        try:
            await self._replays.complete(self._claim, replay)
        except Refused as refused:
            log.warning("answer_not_kept", request_id=self._claim.request_id, reason=refused.refusal.code)

    def _renew_soon(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            await self._replays.renew(self._claim)
        except Refused as refused:
            log.warning("claim_not_renewed", request_id=self._claim.request_id, reason=refused.refusal.code)
        self._timer = asyncio.get_running_loop().call_later(RENEW_SECONDS, self._renew_soon)

    async def _end(self) -> None:
        if self._renewing is not None and not self._renewing.done():
            # It may hold the store's one writer, for which the completion waits.
            await asyncio.wait([self._renewing])
        self._timer.cancel()


def _place(call: Call) -> str:
    """Return what a call is about, under whichever of its spellings it came (`/api/…` is another one of `/api/v1/…`)."""
    template = call.operation.template if call.operation is not None else call.path
    return template + json.dumps(call.path_params, sort_keys=True, default=str)


def _reused() -> Refused:
    told = "This idempotency key was sent with another call before: its query, version or body was different."
    return IDEMPOTENCY_KEY_REUSED(told, param="Idempotency-Key")


def _lost(replay: Replay) -> Refused:
    made = [dict(one) for one in replay.made]
    names = ", ".join(f"{one['object']} {one['id']}" for one in made)
    happened = f"The call {replay.request_id} was carried out" + (f" ({names})" if names else "")
    headers = {"Idempotent-Replayed": "true", "Idempotency-Original-Request": replay.request_id}
    extra = {"made": made, "original_request_id": replay.request_id}
    if replay.lost is Lost.SECRET:
        return SHOWN_ONCE(f"{happened}; its secret was shown in that answer alone.", headers=headers, extra=extra)
    why = {Lost.SIZE: "was too large to keep", Lost.STREAM: "was a stream"}.get(replay.lost or Lost.ANSWER, "was lost on its way")
    return ANSWER_LOST(f"{happened}; its answer {why}.", headers=headers, extra=extra)
