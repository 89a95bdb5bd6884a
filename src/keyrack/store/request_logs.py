"""The request log as rows: added in batches, searched newest first, kept for as long as a plan says.

A search reads at most ROWS_READ_MAX lines. Where it can, it reads only those ten seconds in which all its terms occur
(`request_log_terms`), and checks each line again. Where the budget ends first, it says down to what time it has looked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, tuple_

from keyrack.model.refusals import NOT_FOUND
from keyrack.model.request_logs import (
    DEFAULT_RANGE_MS,
    SLOT_MS,
    SLOTS_PER_DAY,
    SLOTS_PER_PERIOD,
    Filter,
    Found,
    RequestLog,
    decode,
    head_of,
    segments,
    terms_for,
    time_of,
)
from keyrack.store import postgresql
from keyrack.store.bulk import add_many
from keyrack.store.database import Connection, Duplicate, Store
from keyrack.store.distinct import distinct_after
from keyrack.store.paging import Place
from keyrack.store.spool import Spool
from keyrack.store.traffic_tables import request_log_terms, request_logs

ROWS_READ_MAX = 20_000
STEPS = (1_000, 5_000)
SLOTS_MAX = 5_000
DAYS_MAX = 400
DELETED_AT_ONCE_MAX = 2_000
WORKSPACES_AT_ONCE_MAX = 500
MISSING_AT_ONCE_MAX = 500
OPERATORS = ""
"""Stands in the rows for the workspace of calls that belong to none."""

Window = tuple[int, int]
"""A range of times, ms since the epoch: the first included, the last not."""

_BY_KEY = itemgetter(2, 1)
_logs = request_logs.c
_terms = request_log_terms.c


async def add(c: Connection, lines: Sequence[RequestLog], terms: Iterable[tuple[int, int]]) -> None:
    """Add lines and terms that they are found by. Raises Duplicate where one of the lines is there already: see `missing`."""
    rows = [msgspec.structs.astuple(line) if line.workspace_id is not None else _operators_row(line) for line in lines]
    rows.sort(key=_BY_KEY)
    if c.dialect == postgresql.DIALECT:
        await c.copy(request_logs, rows)
    elif await add_many(c, request_logs, rows) != len(rows):
        raise Duplicate
    await add_many(c, request_log_terms, sorted((slot // SLOTS_PER_PERIOD, term, slot) for term, slot in terms))


async def missing(c: Connection, lines: Sequence[RequestLog]) -> list[RequestLog]:
    """Return those of these lines that are not there, each once."""
    wanted = {(line.workspace_id or OPERATORS, line.created_at, line.request_id): line for line in lines}
    places = list(wanted)
    for start in range(0, len(places), MISSING_AT_ONCE_MAX):
        key = tuple_(_logs.workspace_id, _logs.created_at, _logs.request_id)
        for row in await c.all(select(*key.clauses).where(key.in_(places[start : start + MISSING_AT_ONCE_MAX]))):
            del wanted[tuple(row)]
    return list(wanted.values())


async def get(c: Connection, workspace_id: str, request_id: str) -> RequestLog:
    """Return one line. Raises Refused `not_found`."""
    line = await _line(c, workspace_id, request_id)
    if line is None:
        raise NOT_FOUND("There is no such line in the request log.")
    return line


async def find(store: Store, spool: Spool, workspace_id: str, request_id: str) -> RequestLog:
    """Return one line, also one that has not been moved yet and lies in the spool of this machine. Raises Refused `not_found`."""
    async with store.reading_traffic() as c:
        line = await _line(c, workspace_id, request_id)
    if line is None and time_of(request_id) is not None and (record := spool.find(head_of(request_id))) is not None:
        line = decode(record)
    if line is not None and line.workspace_id == workspace_id:
        return line
    # It may have been moved, and its segment removed, between the two looks: so a third one.
    async with store.reading_traffic() as c:
        return await get(c, workspace_id, request_id)


async def search(c: Connection, workspace_id: str, wanted: Filter, *, now: int, limit: int, after: Place | None = None) -> Found:
    """Return a page of a workspace's lines, newest first. Without `since` it looks at the 24 hours before `now`, or before `until`."""
    return await _search(c, workspace_id, wanted, now, limit, after)


async def search_operators_log(c: Connection, wanted: Filter, *, now: int, limit: int, after: Place | None = None) -> Found:
    """Return a page of the calls that belong to no workspace: their credential was missing or unknown. For the operator alone."""
    return await _search(c, None, wanted, now, limit, after)


async def workspace_ids(c: Connection, after: str) -> list[str]:
    """Return ids of workspaces that have lines, in order, at most WORKSPACES_AT_ONCE_MAX: those that follow `after`."""
    return [row.id for row in await c.all(distinct_after(_logs.workspace_id, after, WORKSPACES_AT_ONCE_MAX))]


async def delete_before(c: Connection, workspace_id: str | None, at: int) -> int:
    """Delete lines of a workspace (None: of the operator's log) older than a time (ms), at most DELETED_AT_ONCE_MAX; return how many."""
    return await _delete_some(c, request_logs, and_(_of(workspace_id), _logs.created_at < at))


async def delete_terms_before(c: Connection, at: int) -> int:
    """Delete what lines of the hours before a time (ms) were found by, at most DELETED_AT_ONCE_MAX; return how many."""
    return await _delete_some(c, request_log_terms, _terms.period < at // SLOT_MS // SLOTS_PER_PERIOD)


async def _delete_some(c: Connection, table: Table, old: ColumnElement[bool]) -> int:
    key = list(table.primary_key)
    chosen = select(*key).where(old).order_by(*key).limit(DELETED_AT_ONCE_MAX)
    return await c.execute(delete(table).where(tuple_(*key).in_(chosen)))


async def _line(c: Connection, workspace_id: str | None, request_id: str) -> RequestLog | None:
    found = select(request_logs).where(_logs.created_at == time_of(request_id), _logs.request_id == request_id, _of(workspace_id))
    row = await c.first(found)
    return _read(row) if row else None


async def _search(c: Connection, workspace_id: str | None, wanted: Filter, now: int, limit: int, after: Place | None) -> Found:
    until = now + 1 if wanted.until is None else wanted.until
    since = until - DEFAULT_RANGE_MS if wanted.since is None else wanted.since
    oldest = await c.first(select(_logs.created_at).where(_of(workspace_id)).order_by(_logs.created_at).limit(1))
    if oldest is None:
        return Found(())
    looking = _Search(c, workspace_id, wanted, (max(since, oldest.created_at), until))
    if wanted.path is not None and wanted.path.startswith("/") and segments(wanted.path):
        found = await looking.page(limit, after, whole=True)
        if found.lines or found.after is not None or (after is not None and (await looking.page(1, None, whole=True)).lines):
            return found
    return await looking.page(limit, after, whole=False)


@dataclass(frozen=True, slots=True)
class _Search:
    c: Connection
    workspace_id: str | None
    wanted: Filter
    window: Window

    async def page(self, limit: int, after: Place | None, *, whole: bool) -> Found:
        """Read window by window, in steps that grow, until the page is full, nothing is left, or the budget is used up."""
        conditions = self._conditions(whole)
        lines: list[RequestLog] = []
        windows, rest = await self._windows(after, whole)
        left = ROWS_READ_MAX
        for window in windows:
            place, steps = after, iter(STEPS)
            end: Place | None = (window[1], "")
            while end is not None:
                if left <= 0:
                    return Found(tuple(lines), end, end[0])
                place = min(place or end, end)
                step = next(steps, STEPS[-1])
                left -= step
                end = await self._end_of_step(window, place, step) if conditions else None
                lines += await self._lines(conditions, window, place, end, limit + 1 - len(lines))
                if len(lines) > limit:
                    return Found(tuple(lines[:limit]), (lines[limit - 1].created_at, lines[limit - 1].request_id))
        return Found(tuple(lines), rest, rest[0] if rest else None)

    async def _windows(self, after: Place | None, whole: bool) -> tuple[list[Window], Place | None]:
        """Return where lines can be, newest first, and the place from which a next page goes on if these are not all."""
        since, until = self.window
        if after is not None:
            until = min(until, after[0] + 1)
        terms = terms_for(self.workspace_id, self.wanted, whole)
        if not terms or since >= until:
            return ([(since, until)] if since < until else []), None
        first, last = since // SLOT_MS, (until - 1) // SLOT_MS
        if last // SLOTS_PER_DAY - first // SLOTS_PER_DAY >= DAYS_MAX:
            first = (last // SLOTS_PER_DAY - DAYS_MAX + 1) * SLOTS_PER_DAY
        slots = await self._slots(terms, first, last)
        windows: list[Window] = []
        for slot in slots:
            start, end = max(slot * SLOT_MS, since), min((slot + 1) * SLOT_MS, until)
            if windows and windows[-1][0] == end:
                windows[-1] = (start, windows[-1][1])
            else:
                windows.append((start, end))
        if len(slots) == SLOTS_MAX:
            first = slots[-1]
        return windows, (first * SLOT_MS, "") if first * SLOT_MS > since else None

    async def _slots(self, terms: list[int], first: int, last: int) -> list[int]:
        """Return the slots in which all terms occur, newest first, at most SLOTS_MAX."""
        periods = range(first // SLOTS_PER_PERIOD, last // SLOTS_PER_PERIOD + 1)
        found = select(_terms.slot).where(_terms.period.in_(periods), _terms.slot.between(first, last), _terms.term == terms[0])
        for number, term in enumerate(terms[1:]):
            other = request_log_terms.alias(f"other_{number}")
            same = and_(other.c.period == _terms.period, other.c.slot == _terms.slot, other.c.term == term)
            found = found.where(select(other.c.slot).where(same).exists())
        rows = await self.c.all(found.order_by(_terms.slot.desc()).limit(SLOTS_MAX))
        return [row.slot for row in rows]

    async def _end_of_step(self, window: Window, place: Place, step: int) -> Place | None:
        """Return the place of the last of the next `step` lines, whatever they are, or None where there are fewer."""
        found = select(_logs.created_at, _logs.request_id).where(self._in(window, place, None))
        row = await self.c.first(found.order_by(_logs.created_at.desc(), _logs.request_id.desc()).offset(step - 1).limit(1))
        return (row.created_at, row.request_id) if row else None

    async def _lines(
        self, conditions: list[ColumnElement[bool]], window: Window, place: Place, end: Place | None, limit: int
    ) -> list[RequestLog]:
        found = select(request_logs).where(self._in(window, place, end), *conditions)
        rows = await self.c.all(found.order_by(_logs.created_at.desc(), _logs.request_id.desc()).limit(limit))
        return [_read(row) for row in rows]

    def _in(self, window: Window, place: Place, end: Place | None) -> ColumnElement[bool]:
        # The comparisons of times alone are for the planner.
        within = [_of(self.workspace_id), _logs.created_at >= window[0], _logs.created_at <= place[0]]
        within.append(tuple_(_logs.created_at, _logs.request_id) < place)
        if end is not None:
            within.append(tuple_(_logs.created_at, _logs.request_id) >= end)
        return and_(*within)

    def _conditions(self, whole: bool) -> list[ColumnElement[bool]]:
        wanted = self.wanted
        exact: dict[ColumnElement[Any], object | None] = {
            _logs.route: wanted.route,
            _logs.method: wanted.method,
            _logs.credential_id: wanted.credential_id,
            _logs.integration_id: wanted.integration_id,
            _logs.member_id: wanted.member_id,
            _logs.mode: wanted.mode,
        }
        found = [column == value for column, value in exact.items() if value is not None]
        if wanted.status is not None:
            found.append(_logs.status.between(*wanted.status))
        if wanted.path is not None and whole:
            parts = f"/{'/'.join(segments(wanted.path))}/"
            found.append(or_(*((func.lower(column) + "/").contains(parts, autoescape=True) for column in (_logs.path, _logs.route))))
        elif wanted.path is not None:
            found.append(or_(*(column.icontains(wanted.path, autoescape=True) for column in (_logs.path, _logs.route))))
        return found


def _of(workspace_id: str | None) -> ColumnElement[bool]:
    return _logs.workspace_id == (OPERATORS if workspace_id is None else workspace_id)


def _operators_row(line: RequestLog) -> tuple[Any, ...]:
    return msgspec.structs.astuple(msgspec.structs.replace(line, workspace_id=OPERATORS))


def _read(row: Sequence[Any]) -> RequestLog:
    line = msgspec.convert(tuple(row), RequestLog)
    return line if line.workspace_id else msgspec.structs.replace(line, workspace_id=None)
