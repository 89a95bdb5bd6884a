"""Moving the request log from the spools into the store, and keeping it no longer than a plan says."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from operator import attrgetter

import structlog
from sqlalchemy.exc import DBAPIError

from keyrack.model.request_logs import DAY_MS, CredentialUse, RequestLog, decode
from keyrack.store import credential_uses, request_log_days, request_logs, spool_positions
from keyrack.store.database import Connection, Store
from keyrack.store.spool import START, Segment, Spool, SpoolFull

log = structlog.get_logger("keyrack.request_logs")

LINES_AT_ONCE_MAX = 1024
DAYS_KEPT = 30
IDLE_SEGMENT_DAYS = 90
UNAUTHORIZED = 401

Moved = Callable[[Sequence[RequestLog]], object]
"""Told of lines that have just been moved."""

KeepDays = Callable[[Collection[str]], Awaitable[Mapping[str, int]]]
"""Says for these workspaces how many days their log is kept; one that it leaves out keeps it for DAYS_KEPT."""


async def move(store: Store, spool: Spool, tell: Moved = len) -> int:
    """Move what this process has logged so far, and what dead ones left, into the store; return how many lines.

    Run it each second: it also makes the spool's next segment. Lines, last uses and position change in one transaction, so a line is
    moved once, whoever is killed in between and however many move at once. Raises Refused `store_unavailable`; nothing is lost then.
    """
    if spool.wants_segment:
        try:
            await asyncio.to_thread(spool.prepare)
        except SpoolFull:
            log.debug("spool_still_full")
    moved = 0
    for segment in spool.own():
        moved += await _move_segment(store, spool, segment, tell)
    try:
        for segment in spool.orphans():
            moved += await _move_segment(store, spool, segment, tell)
    finally:
        spool.give_back()
    return moved


async def prune(store: Store, keep_days: KeepDays, now: int) -> int:
    """Delete lines older than each workspace keeps them, in small transactions; return how many. On PostgreSQL days are dropped whole."""
    days: dict[str, int] = {}
    after = ""
    while True:
        async with store.reading_traffic() as c:
            found = await request_logs.workspace_ids(c, after)
        if not found:
            break
        kept = await keep_days(found)
        days |= {workspace_id: kept.get(workspace_id, DAYS_KEPT) for workspace_id in found}
        after = found[-1]
    oldest = now - max([DAYS_KEPT, *days.values()]) * DAY_MS
    await request_log_days.drop_before(store, oldest // DAY_MS)
    deleted = await _repeat(store, lambda c: request_logs.delete_before(c, None, now - DAYS_KEPT * DAY_MS))
    for workspace_id, count in days.items():
        deleted += await _prune_workspace(store, workspace_id, now - count * DAY_MS)
    await _repeat(store, lambda c: request_logs.delete_terms_before(c, oldest))
    async with store.writing_traffic() as c:
        await spool_positions.forget_before(c, now - IDLE_SEGMENT_DAYS * DAY_MS)
    return deleted


async def _prune_workspace(store: Store, workspace_id: str, at: int) -> int:
    return await _repeat(store, lambda c: request_logs.delete_before(c, workspace_id, at))


async def _repeat(store: Store, delete: Callable[[Connection], Awaitable[int]]) -> int:
    """Delete in transactions of their own until nothing is left, so that calls and the mover get in between."""
    deleted = 0
    while True:
        async with store.writing_traffic() as c:
            count = await delete(c)
        if not count:
            return deleted
        deleted += count


async def _move_segment(store: Store, spool: Spool, segment: Segment, tell: Moved) -> int:
    """Move a segment's lines, and remove it once no more can come."""
    moved, at_once = 0, LINES_AT_ONCE_MAX
    # Asked together: a segment that turns final while we wait for the database has lines behind this end, and waits for the next turn.
    is_final, end = segment.is_final, segment.end
    while (at := await _position(store, segment)) < end:
        records, after = segment.read(at, at_once)
        if not records:
            break
        try:
            moved += await _move_records(store, segment, records, after, tell)
        except DBAPIError as error:
            if not _blames_a_value(error):
                raise
            if at_once == 1:
                await _leave_out(store, segment, records[0], after, error)
            at_once = at_once // 10 if at_once > 1 else LINES_AT_ONCE_MAX
    if is_final:
        if damaged := segment.damaged_bytes(at):
            log.warning("spool_segment_damaged", segment=segment.name, offset=at, bytes_lost=damaged)
        spool.finish(segment)
        async with store.writing_traffic() as c:
            await spool_positions.forget(c, segment.name)
    return moved


async def _position(store: Store, segment: Segment) -> int:
    if segment.moved is None:
        async with store.reading_traffic() as c:
            segment.moved = await spool_positions.get(c, segment.name) or START
    return segment.moved


async def _move_records(store: Store, segment: Segment, records: Sequence[bytes], after: int, tell: Moved = len) -> int:
    lines = sorted(_decoded(segment, records), key=attrgetter("created_at"))
    today = max((line.created_at for line in lines), default=segment.made_at) // DAY_MS
    await request_log_days.make(store, {line.created_at // DAY_MS for line in lines} | {today + 1})
    start = await _position(store, segment)
    # Where the commit gets no answer, the position is asked anew.
    segment.moved = None
    async with store.writing_traffic() as c:
        at = lines[-1].created_at if lines else segment.made_at
        if not await spool_positions.advance(c, segment.name, None if start == START else start, after, at):
            log.info("spool_segment_moved_elsewhere", segment=segment.name)
            return 0
        added = await request_logs.add(c, lines)
        await credential_uses.save(c, _uses_of(lines))
    segment.moved = after
    tell(lines)
    return added


async def _leave_out(store: Store, segment: Segment, record: bytes, after: int, error: DBAPIError) -> None:
    """Go on behind a line that the database will never take, so that it does not hold up all that follow."""
    log.warning("request_log_line_left_out", request_id=decode(record).request_id, error=type(error.orig).__name__)
    await _move_records(store, segment, [], after)


def _decoded(segment: Segment, records: Sequence[bytes]) -> Iterator[RequestLog]:
    for record in records:
        try:
            yield decode(record)
        except ValueError:
            log.warning("request_log_line_unreadable", segment=segment.name, bytes_lost=len(record))


def _uses_of(lines: Sequence[RequestLog]) -> list[CredentialUse]:
    """The last use of each credential in lines that are in order. A call whose credential was not accepted is no use of it."""
    latest = {line.credential_id: line for line in lines if line.status != UNAUTHORIZED}
    return [
        CredentialUse(credential_id, line.workspace_id, line.created_at, line.ip_address)
        for credential_id, line in latest.items()
        if credential_id is not None and line.workspace_id is not None
    ]


def _blames_a_value(error: DBAPIError) -> bool:
    """Whether the database says that a value cannot be stored (SQLSTATE class 22), rather than that it cannot work."""
    return str(getattr(error.orig, "sqlstate", None) or "").startswith("22")
