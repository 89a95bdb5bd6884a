"""Moving the request log from the spools into the store, counting its calls, and keeping it no longer than a plan says."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence

import structlog
from sqlalchemy.exc import DBAPIError

from keyrack.model.call_counts import MINUTE_MS, grouped, latest_uses
from keyrack.model.request_logs import DAY_MS, RequestLog, decode, terms_of
from keyrack.store import call_counts, credential_uses, request_log_days, request_logs, spool_positions
from keyrack.store.database import Connection, Duplicate, Store
from keyrack.store.spool import START, Segment, Spool, SpoolFull

log = structlog.get_logger("keyrack.request_logs")

LINES_AT_ONCE_MAX = 1024
KNOWN_MAX = 100_000
TRIES_MAX = 3
UNSETTLED_MAX = 200_000
SETTLED_AFTER_MS = 3_000
DAYS_KEPT = 30
USES_KEPT_DAYS = 400
IDLE_SEGMENT_DAYS = 90
HOUR_MS = 60 * MINUTE_MS
RETENTION = "retention"
"""Stands beside the names of segments, which end in .spool: the hour in which retention was begun last."""

Moved = Callable[[Sequence[RequestLog]], object]
"""Told of lines that have just been moved."""

KeepDays = Callable[[Collection[str]], Awaitable[Mapping[str, int]]]
"""Says for these workspaces how many days their log is kept; one that it leaves out keeps it for DAYS_KEPT."""


class Mover:
    """Moves lines from spools into the store, `lines_at_once` in a transaction: in a process that answers calls, each batch delays some."""

    def __init__(self, store: Store, spool: Spool, lines_at_once: int = LINES_AT_ONCE_MAX, tell: Moved = len) -> None:
        self._store = store
        self._spool = spool
        self._lines_at_once = lines_at_once
        self._tell = tell
        # What the newest lines are found by, so that it is not written again with each batch of the same ten seconds.
        self._known: set[tuple[object, ...]] = set()

    async def move(self) -> int:
        """Move what this process has logged so far, and what dead ones left, into the store; return how many lines.

        Lines, their groups and the position change in one transaction, so a line is moved once, whoever is killed in between and however
        many move at once. Raises Refused `store_unavailable`; nothing is lost then.
        """
        moved = 0
        for segment in self._spool.own():
            moved += await self._move_segment(segment)
        return moved + await self.move_orphans()

    async def move_others(self) -> int:
        """Move what all processes on this machine have logged so far, and what dead ones left; return how many lines."""
        moved = 0
        for segment in self._spool.others():
            moved += await self._move_segment(segment)
        while found := await self.move_orphans():
            moved += found
        return moved

    async def move_orphans(self) -> int:
        """Move what dead processes left, and what living ones have let go of; return how many lines."""
        moved = 0
        try:
            for segment in self._spool.orphans():
                moved += await self._move_segment(segment)
        finally:
            self._spool.give_back()
        return moved

    async def _move_segment(self, segment: Segment) -> int:
        """Move a segment's lines, and remove it once no more can come."""
        moved, at_once = 0, self._lines_at_once
        # Asked together: a segment that turns final while we wait for the database has lines behind this end, and waits for the next turn.
        is_final, end = segment.is_final, segment.end
        while (at := await self._position(segment)) < end:
            records, after = segment.read(at, at_once)
            if not records:
                break
            try:
                moved += await self._move_records(segment, records, after)
            except DBAPIError as error:
                if not _blames_a_value(error):
                    raise
                if at_once == 1:
                    await self._leave_out(segment, records[0], after, error)
                at_once = at_once // 10 or 1 if at_once > 1 else self._lines_at_once
        if is_final:
            if damaged := segment.damaged_bytes(at):
                log.warning("spool_segment_damaged", segment=segment.name, offset=at, bytes_lost=damaged)
            self._spool.finish(segment)
            async with self._store.writing_traffic() as c:
                await spool_positions.forget(c, segment.name)
        return moved

    async def _position(self, segment: Segment) -> int:
        if segment.moved is None:
            async with self._store.reading_traffic() as c:
                segment.moved = await spool_positions.get(c, segment.name) or START
        return segment.moved

    async def _move_records(self, segment: Segment, records: Sequence[bytes], after: int) -> int:
        lines = list(_decoded(segment, records))
        today = max((line.created_at for line in lines), default=segment.made_at) // DAY_MS
        await request_log_days.make(self._store, {line.created_at // DAY_MS for line in lines} | {today + 1})
        for _ in range(TRIES_MAX):
            try:
                return await self._write(segment, lines, after)
            except Duplicate:
                # Somebody moved them whose position was forgotten with his segment: what is there has been counted, too.
                async with self._store.reading_traffic() as c:
                    lines = await request_logs.missing(c, lines)
        log.info("spool_segment_moved_elsewhere", segment=segment.name)
        return 0

    async def _write(self, segment: Segment, lines: Sequence[RequestLog], after: int) -> int:
        start = await self._position(segment)
        # Where the commit gets no answer, the position is asked anew.
        segment.moved = None
        known, self._known = self._known if len(self._known) < KNOWN_MAX else set(), set()
        async with self._store.writing_traffic() as c:
            at = max((line.created_at for line in lines), default=segment.made_at)
            if not await spool_positions.advance(c, segment.name, None if start == START else start, after, at):
                log.info("spool_segment_moved_elsewhere", segment=segment.name)
                return 0
            await request_logs.add(c, lines, terms_of(lines, known))
            await call_counts.add(c, grouped(lines))
        segment.moved, self._known = after, known
        self._tell(lines)
        return len(lines)

    async def _leave_out(self, segment: Segment, record: bytes, after: int, error: DBAPIError) -> None:
        """Go on behind a line that the database will never take, so that it does not hold up all that follow."""
        log.warning("request_log_line_left_out", request_id=decode(record).request_id, error=type(error.orig).__name__)
        await self._move_records(segment, [], after)


def prepare(spool: Spool) -> None:
    """Make the spool's next segment ahead of time, if there is room."""
    if spool.wants_segment:
        try:
            spool.prepare()
        except SpoolFull:
            log.debug("spool_still_full")


async def settle(store: Store, now: int) -> int:
    """Sort the calls of past minutes into counts and last uses, or of all minutes where many wait; return how many groups."""
    async with store.reading_traffic() as c:
        many = await call_counts.waiting(c) > UNSETTLED_MAX
    before = (now - SETTLED_AFTER_MS) // MINUTE_MS + (DAY_MS // MINUTE_MS if many else 0)
    settled = 0
    while True:
        async with store.writing_traffic() as c:
            groups = await call_counts.take(c, before)
            await call_counts.settle(c, groups)
            await credential_uses.save(c, latest_uses(groups))
        if not groups:
            return settled
        settled += len(groups)


async def prune_in_turn(store: Store, keep_days: KeepDays, now: int) -> int:
    """Prune, unless another process on this store, on whichever machine, has begun to in this hour; return how many lines."""
    hour = now // HOUR_MS
    async with store.writing_traffic() as c:
        last = await spool_positions.get(c, RETENTION)
        if (last is not None and last >= hour) or not await spool_positions.advance(c, RETENTION, last, hour, now):
            return 0
    return await prune(store, keep_days, now)


async def prune(store: Store, keep_days: KeepDays, now: int) -> int:
    """Delete lines older than each workspace keeps them, in small transactions; return how many. On PostgreSQL days are dropped whole."""
    days = await _days_kept(store, request_logs.workspace_ids, keep_days) | await _days_kept(store, call_counts.workspace_ids, keep_days)
    oldest = now - max([DAYS_KEPT, *days.values()]) * DAY_MS
    await request_log_days.drop_before(store, oldest // DAY_MS)
    deleted = await delete_all(store, lambda c: request_logs.delete_before(c, None, now - DAYS_KEPT * DAY_MS))
    for workspace_id, count in days.items():
        deleted += await _prune_workspace(store, workspace_id, now - count * DAY_MS)
    await delete_all(store, lambda c: request_logs.delete_terms_before(c, oldest))
    async with store.writing_traffic() as c:
        await spool_positions.forget_before(c, now - IDLE_SEGMENT_DAYS * DAY_MS)
        await call_counts.forget_uses_before(c, now - USES_KEPT_DAYS * DAY_MS)
    return deleted


async def _days_kept(store: Store, workspace_ids: Callable[[Connection, str], Awaitable[list[str]]], keep_days: KeepDays) -> dict[str, int]:
    days: dict[str, int] = {}
    after = ""
    while True:
        async with store.reading_traffic() as c:
            found = await workspace_ids(c, after)
        if not found:
            return days
        kept = await keep_days(found)
        days |= {workspace_id: kept.get(workspace_id, DAYS_KEPT) for workspace_id in found}
        after = found[-1]


async def _prune_workspace(store: Store, workspace_id: str, at: int) -> int:
    await delete_all(store, lambda c: call_counts.delete_before(c, workspace_id, at // MINUTE_MS))
    return await delete_all(store, lambda c: request_logs.delete_before(c, workspace_id, at))


async def delete_all(store: Store, delete: Callable[[Connection], Awaitable[int]]) -> int:
    """Delete in transactions of their own until nothing is left, so that calls and the mover get in between; return how many rows."""
    deleted = 0
    while True:
        async with store.writing_traffic() as c:
            count = await delete(c)
        if not count:
            return deleted
        deleted += count


def _decoded(segment: Segment, records: Sequence[bytes]) -> Iterator[RequestLog]:
    for record in records:
        try:
            yield decode(record)
        except ValueError:
            log.warning("request_log_line_unreadable", segment=segment.name, bytes_lost=len(record))


def _blames_a_value(error: DBAPIError) -> bool:
    """Whether the database says that a value cannot be stored (SQLSTATE class 22), rather than that it cannot work."""
    return str(getattr(error.orig, "sqlstate", None) or "").startswith("22")
