"""Activity: what was changed and what was read, in one list, for a host's own feed."""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from keyrack.manage import events, request_logs
from keyrack.manage.desk import Desk
from keyrack.model.events import Event
from keyrack.model.orders import NEWEST, OLDEST, Place
from keyrack.model.permissions import FULL_WRITE
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION
from keyrack.model.request_logs import Filter, Found, RequestLog

_START: Place = (0, "")


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry: a change (`event`), or a read with the API (`call`). `at` is ms since the epoch, `place` where to go on after it."""

    at: int
    by: str
    place: Place
    event: Event | None = None
    call: RequestLog | None = None


@dataclass(frozen=True, slots=True)
class Deeds:
    """A page of entries. `after` is where the next one begins, or None at the end.

    `searched_to` is set where the search for reads stopped at its budget: the time (ms) as far as which all that was done is known. Such a
    page may hold less than was asked for, or nothing, and still be followed by others.
    """

    deeds: tuple[Deed, ...]
    after: Place | None = None
    searched_to: int | None = None


class Activity:
    """The activity of workspaces, for the host's own code."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(
        self, actor: Principal, *, limit: int, after: Place | None = None, changes_only: bool = False, oldest_first: bool = False
    ) -> Deeds:
        """Return what was done, newest first unless told otherwise: changes, and what was read with the API in the last 24 hours.

        It looks at no more calls than a search of the log does, and says how far it has come. A place holds for its order, and for
        `changes_only` as it was. What lies in spaces is shown to those who have a role there. Whoever is no org-level Admin sees of the
        reads its own. Raises Refused 403 without write in every category.
        """
        if not actor.masks.allow(FULL_WRITE):
            raise INSUFFICIENT_PERMISSION(f"To see what was done, you need {FULL_WRITE.text}; {actor.describe()}.")
        position, line = _read(after)
        side = {"after": position or 0} if oldest_first else {"before": position}
        changes = await events.page(self._desk, actor, limit=limit + 1, **side)
        reads = Found(())
        if not changes_only:
            order = OLDEST if oldest_first else NEWEST
            reads = await request_logs.page(self._desk, actor, Filter(method="GET"), limit=limit + 1, after=line, order=order)
        # As far as here all reads are known; a change beyond it would stand before reads that come ahead of it.
        edge = reads.after if reads.searched_to is not None else None
        found = list(islice(_merged(changes, reads.lines, after or _START, edge, oldest_first), limit + 1))
        shown = tuple(found[:limit])
        if len(found) > limit:
            return Deeds(shown, shown[-1].place)
        if edge is None:
            return Deeds(shown)
        last = shown[-1].place if shown else after or _START
        return Deeds(shown, (last[0], _text(edge)), reads.searched_to)


def _merged(changes: Sequence[Event], reads: Sequence[RequestLog], place: Place, edge: Place | None, oldest_first: bool) -> Iterator[Deed]:
    """Yield both by their times, each kind in the order in which it is stored, so that a feed neither repeats nor skips any.

    Of the changes none is told from beyond the `edge`.
    """
    events_left, lines_left = list(reversed(changes)), list(reversed(reads))
    comes_first = operator.le if oldest_first else operator.ge
    while events_left or lines_left:
        if events_left and (not lines_left or comes_first(events_left[-1].created_at, lines_left[-1].created_at)):
            event = events_left.pop()
            if edge is not None and not comes_first(event.created_at, edge[0]):
                return
            place = event.position or 0, place[1]
            yield Deed(event.created_at, event.actor.name, place, event=event)
        else:
            line = lines_left.pop()
            place = place[0], _text((line.created_at, line.request_id))
            yield Deed(line.created_at, line.credential_name or "", place, call=line)


def _text(line: Place) -> str:
    return f"{line[0]} {line[1]}"


def _read(place: Place | None) -> tuple[int | None, Place | None]:
    """Return below which event (its position) and below which line of the request log a place is."""
    position, text = place or _START
    created_at, _, request_id = text.partition(" ")
    return position or None, (int(created_at), request_id) if created_at else None
