"""The request log as rows: added in batches, searched by time either way, kept for as long as a plan says.

A search reads at most ROWS_READ_MAX lines. Where it can, it reads only those ten seconds in which all its terms occur
(`request_log_terms`), and checks each line again. Where the budget ends first, it says up to what time it has looked.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Table,
    and_,
    cast,
    column,
    delete,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
)

from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.model.request_logs import (
    DAY_MS,
    DEFAULT_RANGE_MS,
    SLOT_MS,
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
from keyrack.store import postgresql, sqlite
from keyrack.store.bulk import add_many
from keyrack.store.database import Connection, Duplicate, Store
from keyrack.store.distinct import distinct_after
from keyrack.store.spool import Spool
from keyrack.store.traffic_tables import request_log_terms, request_logs

ROWS_READ_MAX = 10_000
SLOTS = (8, 64, 512)
"""A search looks for so many slots at once: few where nearly every one has what is looked for, many where those were not enough."""

DAYS_MAX = 400
DELETED_AT_ONCE_MAX = 2_000
WORKSPACES_AT_ONCE_MAX = 500
MISSING_AT_ONCE_MAX = 500
OPERATORS = ""
"""Stands in the rows for the workspace of calls that belong to none."""

Window = tuple[int, int]
"""A range of times, ms since the epoch: the first included, the last not."""

_Columns = Mapping[str, ColumnElement[Any]]
_Conditions = Callable[[_Columns], list[ColumnElement[bool]]]

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


async def search(
    c: Connection, workspace_id: str, wanted: Filter, *, now: int, limit: int, after: Place | None = None, order: Order = NEWEST
) -> Found:
    """Return a page of a workspace's lines, by `created_at` in one `order` or the other.

    Without `since` it looks at the 24 hours before `now`, or before `until`.
    """
    return await _search(c, workspace_id, wanted, now, limit, after, order)


async def search_operators_log(c: Connection, wanted: Filter, *, now: int, limit: int, after: Place | None = None) -> Found:
    """Return a page of the calls of no workspace, newest first: their credential was missing or unknown. For the operator alone."""
    return await _search(c, None, wanted, now, limit, after, NEWEST)


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
    return _line_of(row) if row else None


async def _search(
    c: Connection, workspace_id: str | None, wanted: Filter, now: int, limit: int, after: Place | None, order: Order
) -> Found:
    until = now + 1 if wanted.until is None else wanted.until
    since = until - DEFAULT_RANGE_MS if wanted.since is None else wanted.since
    if until - since > DEFAULT_RANGE_MS:
        oldest = await c.first(select(_logs.created_at).where(_of(workspace_id)).order_by(_logs.created_at).limit(1))
        if oldest is None:
            return Found(())
        # No clock is a day ahead: beyond that there is nothing to look for, however far ahead `until` is.
        since, until = max(since, oldest.created_at), min(until, now + DAY_MS)
    looking = _Search(c, workspace_id, wanted, (since, until), order.descending)
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
    descending: bool

    async def page(self, limit: int, after: Place | None, *, whole: bool) -> Found:
        """Read until the page is full, nothing is left, or the budget is used up."""
        place = self._begin(after)
        page = _Page(self.c, self.workspace_id, partial(_conditions, self.wanted, whole), limit, self.descending)
        terms = terms_for(self.workspace_id, self.wanted, whole)
        if not terms:
            await page.read([self.window], place)
            return page.found(None)
        first, last = self._reach(place)
        rest = self._rest(first, last)
        sizes = iter(SLOTS)
        size = next(sizes)
        while not page.is_over and first <= last:
            slots = await self._slots(terms, first, last, size)
            await page.read(_windows(slots, self.window), place)
            if len(slots) < size:
                break
            first, last = (first, slots[-1] - 1) if self.descending else (slots[-1] + 1, last)
            size = next(sizes, size)
        return page.found(rest)

    def _begin(self, after: Place | None) -> Place:
        """Return the place behind which to read: the one that was given, or the edge of the window."""
        edge = (self.window[1 if self.descending else 0], "")
        if after is None:
            return edge
        return min(after, edge) if self.descending else max(after, edge)

    def _reach(self, place: Place) -> tuple[int, int]:
        """Return the slots, first and last in time, in which to look at once: at most DAYS_MAX days behind a place."""
        since, until = self.window
        if self.descending:
            return max(since, place[0] - DAYS_MAX * DAY_MS) // SLOT_MS, place[0] // SLOT_MS
        return place[0] // SLOT_MS, min(until, place[0] + DAYS_MAX * DAY_MS) // SLOT_MS

    def _rest(self, first: int, last: int) -> Place | None:
        """Return where the search goes on behind these slots, if the window does."""
        since, until = self.window
        edge = first * SLOT_MS if self.descending else (last + 1) * SLOT_MS
        return (edge, "") if since < edge < until else None

    async def _slots(self, terms: list[int], first: int, last: int, limit: int) -> list[int]:
        """Return slots in which all terms occur, in the order of the search."""
        periods = range(first // SLOTS_PER_PERIOD, last // SLOTS_PER_PERIOD + 1)
        found = select(_terms.slot).where(_terms.period.in_(periods), _terms.slot.between(first, last), _terms.term == terms[0])
        for number, term in enumerate(terms[1:]):
            other = request_log_terms.alias(f"other_{number}")
            same = and_(other.c.period == _terms.period, other.c.slot == _terms.slot, other.c.term == term)
            found = found.where(select(other.c.slot).where(same).exists())
        # The order of the key, or its reverse: both databases stop at the limit.
        key = (_terms.period, _terms.slot)
        order = [one.desc() if self.descending else one.asc() for one in key]
        rows = await self.c.all(found.order_by(*order).limit(limit))
        return [row.slot for row in rows]


class _Page:
    """A page that fills up, and what is left of its budget."""

    def __init__(self, c: Connection, workspace_id: str | None, conditions: _Conditions, limit: int, descending: bool) -> None:
        self._c = c
        self._workspace_id = OPERATORS if workspace_id is None else workspace_id
        self._conditions = conditions
        self._limit = limit
        self._descending = descending
        self._lines: list[RequestLog] = []
        self._left = ROWS_READ_MAX
        self._end: Place | None = None

    @property
    def is_over(self) -> bool:
        """Whether the page is full or the budget used up."""
        return len(self._lines) > self._limit or self._end is not None

    def found(self, rest: Place | None) -> Found:
        """Return the page. `rest` is where the next one goes on if all that was to be read has been."""
        if len(self._lines) > self._limit:
            last = self._lines[self._limit - 1]
            return Found(tuple(self._lines[: self._limit]), (last.created_at, last.request_id))
        end = self._end or rest
        return Found(tuple(self._lines), end, end[0] if end else None)

    async def read(self, windows: list[Window], place: Place) -> None:
        """Read the lines behind a place in windows, which are given in the page's order: no more of them than page and budget take."""
        if len(windows) > 1 and self._c.dialect == sqlite.DIALECT:
            counts = await self._counts(windows, place)
            fitting = [window for window, lines in zip(windows, accumulate(counts), strict=True) if lines <= self._left]
            await self._read_all(fitting, place)
            self._left -= sum(counts[: len(fitting)])
            if self._left <= 0:
                self._end = (self._far(fitting[-1]), "")
            windows = windows[len(fitting) : len(fitting) + 1]
        if windows and not self.is_over:
            await self._read(windows, place)

    async def _read(self, windows: list[Window], place: Place) -> None:
        """Read windows line by line."""
        those, wanted = self._in_order(windows, place).limit(self._left).subquery(), self._limit + 1 - len(self._lines)
        conditions = self._conditions(dict(those.c.items()))
        rows = await self._c.all(select(those).where(*conditions).limit(wanted))
        self._lines += [_line_of(row) for row in rows]
        if not conditions or len(rows) == wanted:
            return
        # An id begins with the time, so the least of both are of one line, and so are the greatest.
        furthest = func.min if self._descending else func.max
        ends = (furthest(those.c.created_at).label("created_at"), furthest(those.c.request_id).label("request_id"))
        row = await self._c.first(select(func.count().label("lines"), *ends))
        if row is not None:
            # A window that retention has emptied costs something too.
            self._left -= row.lines or 1
            if self._left <= 0:
                self._end = (row.created_at, row.request_id) if row.lines else (self._far(windows[-1]), "")

    async def _counts(self, windows: list[Window], place: Place) -> list[int]:
        """On SQLite, return how many lines the windows have; of each no more than are left."""
        each = func.json_each(json.dumps(windows)).table_valued(column("value"))
        since, until = (func.json_extract(each.c.value, f"$[{side}]") for side in (0, 1))
        lines = self._ordered(since, until, place).correlate(each).limit(self._left + 1).subquery()
        rows = await self._c.all(select(since.label("since"), select(func.count()).select_from(lines).scalar_subquery().label("lines")))
        counts = {row.since: int(row.lines) for row in rows}
        return [counts[since] or 1 for since, _ in windows]

    async def _read_all(self, windows: list[Window], place: Place) -> None:
        """On SQLite, read windows whole: it cannot read them one after another in one statement."""
        of = {one.name: column(one.name, one.type) for one in request_logs.columns}
        since, until = (func.json_extract(column("value"), f"$[{side}]") for side in (0, 1))
        # A cross join, and ordered by no key: or it would read all lines of the workspace, and look for their windows then.
        joined = text(f"(SELECT value FROM json_each(:windows)) CROSS JOIN {request_logs.name}")  # noqa: S608 - our own name
        within = (of["workspace_id"] == self._workspace_id, of["created_at"] >= since, of["created_at"] < until, *self._behind(of, place))
        found = select(*of.values()).select_from(joined.bindparams(windows=json.dumps(windows))).where(*within, *self._conditions(of))
        ordered = found.order_by(*self._order(of["created_at"] + 0, of["request_id"]))
        self._lines += [_line_of(row) for row in await self._c.all(ordered.limit(self._limit + 1 - len(self._lines)))]

    def _in_order(self, windows: list[Window], place: Place) -> Select[Any]:
        """Return the statement that gives all lines behind a place in windows, in the page's order."""
        if len(windows) == 1:
            return self._ordered(*windows[0], place)
        sides = [cast(list(side), ARRAY(BigInteger)) for side in zip(*windows, strict=True)]
        columns = column("since", BigInteger), column("until", BigInteger)
        asked = func.unnest(*sides).table_valued(*columns).render_derived("asked")
        # Window by window, in their order. A plain join would read all lines of the day that fit, and look for their windows then.
        lines = self._ordered(asked.c.since, asked.c.until, place).correlate(asked).lateral()
        return select(lines).select_from(asked.join(lines, true()))

    def _ordered(self, since: Any, until: Any, place: Place) -> Select[Any]:
        of = dict(_logs.items())
        within = (_logs.workspace_id == self._workspace_id, _logs.created_at >= since, _logs.created_at < until, *self._behind(of, place))
        return select(request_logs).where(*within).order_by(*self._order(_logs.created_at, _logs.request_id))

    def _order(self, *columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        return [one.desc() if self._descending else one.asc() for one in columns]

    def _behind(self, of: _Columns, place: Place) -> list[ColumnElement[bool]]:
        # The comparison of times alone is for the planner.
        at, here = of["created_at"], tuple_(of["created_at"], of["request_id"])
        return [at <= place[0], here < place] if self._descending else [at >= place[0], here > place]

    def _far(self, window: Window) -> int:
        """Return the end of a window at which the page's order leaves it."""
        return window[0] if self._descending else window[1]


def _windows(slots: Iterable[int], within: Window) -> list[Window]:
    """Return the times of slots, as far as they lie within a window, in the order of the slots; neighbours are one."""
    windows: list[Window] = []
    for slot in slots:
        start, end = max(slot * SLOT_MS, within[0]), min((slot + 1) * SLOT_MS, within[1])
        if windows and windows[-1][0] == end:
            windows[-1] = (start, windows[-1][1])
        elif windows and windows[-1][1] == start:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((start, end))
    return windows


def _conditions(wanted: Filter, whole: bool, of: _Columns) -> list[ColumnElement[bool]]:
    names = ("route", "method", "credential_id", "integration_id", "member_id", "app_id", "mode")
    found = [of[name] == value for name in names if (value := getattr(wanted, name)) is not None]
    if wanted.status is not None:
        found.append(of["status"].between(*wanted.status))
    if wanted.path is not None and whole:
        parts = f"/{'/'.join(segments(wanted.path))}/"
        found.append(or_(*((func.lower(text) + "/").contains(parts, autoescape=True) for text in (of["path"], of["route"]))))
    elif wanted.path is not None:
        found.append(or_(*(text.icontains(wanted.path, autoescape=True) for text in (of["path"], of["route"]))))
    return found


def _of(workspace_id: str | None) -> ColumnElement[bool]:
    return _logs.workspace_id == (OPERATORS if workspace_id is None else workspace_id)


def _operators_row(line: RequestLog) -> tuple[Any, ...]:
    return msgspec.structs.astuple(msgspec.structs.replace(line, workspace_id=OPERATORS))


def _line_of(row: Sequence[Any]) -> RequestLog:
    line = msgspec.convert(tuple(row), RequestLog)
    return line if line.workspace_id else msgspec.structs.replace(line, workspace_id=None)
