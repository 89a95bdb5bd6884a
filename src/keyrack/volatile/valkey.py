"""Counters on several machines: what is left of every limit, exact over all processes that use one Valkey, in one round trip per call.

**The script** beside this file decides and stores; it is the only place where a state changes, and Valkey runs one script at a time. The
time is the server's, so no process's clock matters. It returns the states as they were, and the model works out from them what came of it:
what callers are told is the same through the file and through Valkey.

**Valkey lost its data** (emptied, restarted without them): each call carries the states that its process saw last, and the script goes on
from the later of both. A day's or month's quota that Valkey does not know is recalled from the store before anything is taken from it.

**Valkey away** (no connection, no answer in time, any error): the call takes from this process's share instead (`keyrack.volatile.shares`).
One whose answer was lost may have been counted in both: stricter by one call, never more generous.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from hashlib import sha1
from pathlib import Path
from typing import Any

from libvalkey import ReplyError, pack_command

from keyrack.model.limits import DAY_SECONDS, Bucket, Budget, Limit, Taken, take
from keyrack.model.quotas import Quota, window_parts, window_state
from keyrack.model.refusals import Refused
from keyrack.volatile.shares import Shares
from keyrack.volatile.wire import Away, Wire

SCRIPT = Path(__file__).with_suffix(".lua").read_text()
SCRIPT_LOAD = ("SCRIPT", "LOAD", SCRIPT)
# Of how many buckets the last state is remembered, the oldest being forgotten; and how many quotas may wait to be kept.
KNOWN_MAX = 100_000

# Valkey names scripts so; it proves nothing.
_NAME = sha1(SCRIPT.encode()).hexdigest().encode()  # noqa: S324
_SECOND = 1_000_000_000

Recall = Callable[[str, Collection[bytes]], Awaitable[Mapping[bytes, int]]]
"""Returns from the store what is kept of these quotas of a workspace: their states by key, for those that have any."""


class _Known:
    """What this process knows of a bucket: what a command says of it, the state that was seen last, and whether the store was asked."""

    __slots__ = ("arguments", "limit", "name", "recalled", "seen")

    def __init__(self, workspace_id: str, bucket: Bucket) -> None:
        self.limit = bucket.limit
        # In braces, what says to which slot of a cluster a key belongs: all of a workspace's lie together.
        self.name = f"keyrack:{{{workspace_id}}}:{bucket.key.hex()}".encode()
        self.arguments = _arguments(bucket.limit)
        self.seen = 0
        self.recalled = False


class ValkeyCounters:
    """What is left of every limit, on the Valkey at the end of a wire. For one event loop.

    `recall` reads from the store what `unkept` has given it. Whoever makes this starts and stops the wire.
    """

    def __init__(self, wire: Wire, shares: Shares, recall: Recall) -> None:
        self._wire = wire
        self._shares = shares
        self._recall = recall
        self._known: dict[bytes, _Known] = {}
        self._unkept: dict[bytes, Quota] = {}

    async def take(self, workspace_id: str, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket of a workspace, or from none; a cost of 0 only looks. No two of the buckets have the same key.

        Raises ValueError for a negative cost, or one that a limit could never meet: neither consumes anything. Raises Refused
        `store_unavailable` where Valkey is away and the share cannot be counted either.
        """
        if cost < 0:
            raise ValueError(f"a call costs 0 or more, not {cost}")
        known = [self._known_of(workspace_id, bucket) for bucket in buckets]
        try:
            answer = await self._ask(known, cost, b"0")
            if not answer:
                await self._remember(workspace_id, buckets, known)
                answer = await self._ask(known, cost, b"1")
        except Away:
            return self._shares.take(buckets, [each.seen for each in known], cost)
        now_ns = answer[0] * _SECOND + answer[1] * 1000
        before = [_state(each.limit, answer[2 * number], answer[2 * number + 1]) for number, each in enumerate(known, 1)]
        taken, after = take(buckets, before, cost, now_ns, lambda: now_ns)
        is_taken = cost and not taken.retry_after_seconds
        for bucket, each, state in zip(buckets, known, after, strict=True):
            each.seen = state
            if is_taken and each.limit.is_calendar:
                self._keep(Quota(workspace_id, bucket.key, state))
        return taken

    async def look(self, workspace_id: str, buckets: tuple[Bucket, ...]) -> tuple[Budget, ...]:
        """Return what is left of each bucket of a workspace. Raises what `take` raises.

        Valkey may have lost what the store still knows: it is asked once about each quota of which this process has seen nothing.
        """
        known = [self._known_of(workspace_id, bucket) for bucket in buckets]
        if any(each.limit.is_calendar and not each.seen and not each.recalled for each in known):
            with suppress(Away):
                await self._remember(workspace_id, buckets, known)
        return (await self.take(workspace_id, buckets, 0)).budgets

    def unkept(self) -> list[Quota]:
        """Return the quotas that were used since this was last asked: they are to be written to the store."""
        unkept, self._unkept = self._unkept, {}
        return list(unkept.values())

    def put_back(self, quotas: Collection[Quota]) -> None:
        """Take back what could not be written."""
        for quota in quotas:
            self._keep(quota)

    def _keep(self, quota: Quota) -> None:
        older = self._unkept.get(quota.key)
        if older is None and len(self._unkept) >= KNOWN_MAX:
            return
        if older is None or older.state < quota.state:
            self._unkept[quota.key] = quota

    async def _ask(self, known: Sequence[_Known], cost: int, recalled: bytes) -> Any:
        """Run the script; return its answer. Raises Away."""
        parts = [b"%d" % len(known), *[each.name for each in known], b"%d" % cost, recalled]
        for each in known:
            parts += each.arguments
            parts += _parts(each.limit, each.seen)
        answer = await self._wire.ask(pack_command((b"EVALSHA", _NAME, *parts)))
        if isinstance(answer, ReplyError) and str(answer).startswith("NOSCRIPT"):
            answer = await self._wire.ask(pack_command((b"EVAL", SCRIPT, *parts)))
        if isinstance(answer, ReplyError):
            self._wire.give_up(str(answer))
            raise Away(str(answer))
        return answer

    async def _remember(self, workspace_id: str, buckets: Sequence[Bucket], known: Sequence[_Known]) -> None:
        """Ask the store for the quotas among these buckets. Raises Away where it does not answer: then they are not taken from Valkey."""
        keys = [bucket.key for bucket in buckets if bucket.limit.is_calendar]
        try:
            kept = await self._recall(workspace_id, keys)
        except Refused as refused:
            raise Away(refused.detail) from refused
        for bucket, each in zip(buckets, known, strict=True):
            each.seen = max(each.seen, kept.get(bucket.key, 0))
            each.recalled = True

    def _known_of(self, workspace_id: str, bucket: Bucket) -> _Known:
        known = self._known.get(bucket.key)
        if known is None or known.limit is not bucket.limit:
            seen = known.seen if known is not None and known.limit.is_calendar is bucket.limit.is_calendar else 0
            if known is None and len(self._known) >= KNOWN_MAX:
                del self._known[next(iter(self._known))]
            known = self._known[bucket.key] = _Known(workspace_id, bucket)
            known.seen = seen
        return known


def _arguments(limit: Limit) -> tuple[bytes, bytes, bytes, bytes]:
    if limit.is_calendar:
        kind = b"day" if limit.window_seconds == DAY_SECONDS else b"month"
        return kind, b"%d" % limit.at_once, b"0", b"%d" % (limit.full // 1000)
    return b"gcra", b"%d" % limit.at_once, b"%d" % limit.step, b"%d" % limit.full


def _parts(limit: Limit, state: int) -> tuple[bytes, bytes]:
    """Return a state as the script has it, in two integers."""
    if state <= 0:
        return b"0", b"0"
    if limit.is_calendar:
        end_day, used = window_parts(state)
        return b"%d" % end_day, b"%d" % used
    return b"%d" % (state // _SECOND), b"%d" % (state % _SECOND)


def _state(limit: Limit, a: int, b: int) -> int:
    """Return the state that the script has in two integers."""
    return window_state(a, b) if limit.is_calendar else a * _SECOND + b
