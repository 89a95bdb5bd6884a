"""Events as rows: added in the transaction of the change, numbered once they are committed, paged by their number (CONSISTENCY §6)."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, Row, String, and_, cast, false, func, insert, literal, or_, select, update
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Mapper, Session, object_mapper, object_session, registry
from sqlalchemy.orm.attributes import set_committed_value

from keyrack.model.events import Actor, Event, Readable
from keyrack.model.principals import Kind, Mode
from keyrack.model.refusals import NOT_FOUND
from keyrack.store import bells, postgresql
from keyrack.store.database import Connection
from keyrack.store.tables import COUNTER_ID, event_positions, events, metadata, without_schema

NUMBERED_MAX = 1000
"""How many events one call of `number` gives a place."""

Payload = Callable[[], tuple[str, Mapping[str, Any]]]
"""Gives an event's object id and data, once the database has filled in what it generates."""

_UNREAD, _RECORDED = "keyrack_events_unread", "keyrack_events_recorded"


async def add(c: Connection, event: Event) -> None:
    """Add an event to the transaction of its change."""
    await c.execute(insert(events).values(**_columns(event)))


async def number(c: Connection) -> int:
    """Give committed events their place in the order, and return how many: NUMBERED_MAX means that more may wait.

    The transaction should do nothing else. It is the only writer of positions, one at a time, so they become visible in order: whoever
    has read up to a position never meets a lower one later, in whatever order the events' own transactions commit.
    """
    if c.dialect == postgresql.DIALECT:
        await c.all(postgresql.lock(postgresql.Lock.EVENTS))
    order = (events.c.created_at, events.c.id)
    unnumbered = (
        select(events.c.id, func.row_number().over(order_by=order).label("place"))
        .where(events.c.position.is_(None))
        .order_by(*order)
        .limit(NUMBERED_MAX)
        .subquery()
    )
    last = select(event_positions.c.position).where(event_positions.c.id == COUNTER_ID).scalar_subquery()
    numbered = await c.execute(update(events).where(events.c.id == unnumbered.c.id).values(position=last + unnumbered.c.place))
    if numbered:
        counter = update(event_positions).where(event_positions.c.id == COUNTER_ID)
        await c.execute(counter.values(position=event_positions.c.position + numbered))
    return numbered


async def get(c: Connection, workspace_id: str, event_id: str) -> Event:
    """Return an event that has its place in the order. Raises Refused `not_found`."""
    row = await c.first(
        select(events).where(events.c.workspace_id == workspace_id, events.c.id == event_id, events.c.position.is_not(None))
    )
    if row is None:
        raise NOT_FOUND("There is no such event.")
    return _read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    kind: str | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    actor_id: str | None = None,
    of: Readable | None = None,
) -> list[Event]:
    """Return numbered events: newest first below the position `before`, or oldest first above the position `after`.

    `kind` is an event type, or ends in `.*` for all that begin so; `actor_id` the id of the credential or person who acted; `of` leaves
    out what somebody may not read.
    """
    found = select(events).where(events.c.workspace_id == workspace_id, events.c.position.is_not(None))
    if of is not None and not of.all:
        found = found.where(_among(c.dialect, of))
    if before is not None:
        found = found.where(events.c.position < before)
    if after is not None:
        found = found.where(events.c.position > after)
    for column, wanted in ((events.c.object_type, object_type), (events.c.object_id, object_id), (events.c.actor_id, actor_id)):
        if wanted is not None:
            found = found.where(column == wanted)
    if kind is not None:
        # The first word of a type is the object's: the index goes by that.
        same = events.c.type.startswith(kind[:-1], autoescape=True) if kind.endswith(".*") else events.c.type == kind
        found = found.where(events.c.object_type == kind.partition(".")[0], same)
    order = events.c.position.asc() if after is not None else events.c.position.desc()
    return [_read(row) for row in await c.all(found.order_by(order).limit(limit))]


async def position(c: Connection, workspace_id: str, event_id: str) -> int:
    """Return the place of an event in the order. Raises Refused `not_found`."""
    row = await c.first(select(events.c.position).where(events.c.workspace_id == workspace_id, events.c.id == event_id))
    if row is None or row.position is None:
        raise NOT_FOUND("There is no such event.")
    return int(row.position)


async def arrived(c: Connection, after: int | None) -> tuple[int, frozenset[str]]:
    """Return the newest position of all, and the workspaces that have events above the position `after`; None asks for none of them."""
    newest = await c.first(select(event_positions.c.position).where(event_positions.c.id == COUNTER_ID))
    assert newest is not None
    if after is None or newest.position <= after:
        return newest.position, frozenset()
    found = await c.all(select(events.c.workspace_id).distinct().where(events.c.position > after))
    return newest.position, frozenset(row.workspace_id for row in found)


async def newest(c: Connection) -> int:
    """Return the last place in the order that was given; 0 where none was."""
    row = await c.first(select(event_positions.c.position).where(event_positions.c.id == COUNTER_ID))
    return int(row.position) if row else 0


async def newest_of_all(c: Connection) -> int | None:
    """Return the last place in the order where every event that is committed has one; None where some wait for theirs."""
    unnumbered = select(literal(1)).select_from(events).where(events.c.position.is_(None)).limit(1).scalar_subquery().label("waiting")
    row = await c.first(select(event_positions.c.position, unnumbered).where(event_positions.c.id == COUNTER_ID))
    if row is None:
        return 0
    return None if row.waiting is not None else int(row.position)


async def above(c: Connection, position: int, limit: int) -> list[Event]:
    """Return events of all workspaces above a position, in order."""
    found = select(events).where(events.c.position > position).order_by(events.c.position).limit(limit)
    return [_read(row) for row in await c.all(found)]


async def by_ids(c: Connection, event_ids: Collection[str]) -> dict[str, Event]:
    """Return these events, of whatever workspaces, by their ids."""
    return {row.id: _read(row) for row in await c.all(select(events).where(events.c.id.in_(event_ids)))}


async def of_objects(c: Connection, workspace_id: str, kind: str, object_ids: Collection[str]) -> list[Event]:
    """Return the events of one type that happened to these objects, also those without a place in the order."""
    found = select(events).where(events.c.workspace_id == workspace_id, events.c.object_type == kind.partition(".")[0])
    return [_read(row) for row in await c.all(found.where(events.c.type == kind, events.c.object_id.in_(object_ids)))]


def event_row(dialect_name: str, event: Event, payload: Payload | None = None) -> object:
    """Return an event as an object for a host's own session, sync or async: `session.add` joins it to the host's transaction.

    `dialect_name` is that of the session's database. With a `payload`, the event's object id and data are what it gives after the
    flush, when the host's own objects have the keys and defaults that their database made.
    """
    kind = _RecordedOnPostgresql if dialect_name == postgresql.DIALECT else _RecordedOnSqlite
    return kind(event, payload)


class _Recorded:
    """An event in a host's session."""

    def __init__(self, event: Event, payload: Payload | None) -> None:
        self.payload = payload
        for name, value in _columns(event).items():
            setattr(self, name, value)


class _RecordedOnSqlite(_Recorded):
    """Mapped to the table without a schema."""


class _RecordedOnPostgresql(_Recorded):
    """Mapped to the table in its schema."""


_registry = registry()
_registry.map_imperatively(_RecordedOnSqlite, without_schema(metadata).tables[events.name])
_registry.map_imperatively(_RecordedOnPostgresql, events)


# A flush writes unrelated tables in an order of its own, so an event may be inserted before the object it speaks of. Its payload is
# therefore read when the flush has written everything.
@listens_for(_Recorded, "before_insert", propagate=True)
def _note_unread(_mapper: Mapper[Any], _connection: object, row: _Recorded) -> None:
    session = object_session(row)
    if session is not None:
        session.info[_RECORDED] = True
        if row.payload is not None:
            session.info.setdefault(_UNREAD, []).append(row)


@listens_for(Session, "after_commit")
def _tell_of_recorded(session: Session) -> None:
    if session.info.pop(_RECORDED, False):
        bells.ring()


@listens_for(Session, "after_flush")
def _read_payloads(session: Session, _context: object) -> None:
    for row in session.info.pop(_UNREAD, ()):
        # One whose flush failed and was rolled back has left the session.
        if row in session and row.payload is not None:
            _write_payload(session, row, row.payload)


def _write_payload(session: Session, row: Any, payload: Payload) -> None:
    object_id, data = payload()
    mapper = object_mapper(row)
    table: Any = mapper.local_table
    connection = session.connection(bind_arguments={"mapper": mapper})
    connection.execute(update(table).where(table.c.id == row.id).values(object_id=object_id, data=dict(data)))
    set_committed_value(row, "object_id", object_id)
    set_committed_value(row, "data", dict(data))


def _among(dialect: str, of: Readable) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [events.c.type.in_(of.types) if of.types else false()]
    if of.in_spaces and of.spaces:
        # As one parameter: a workspace may have more spaces than a statement may have parameters.
        spaces = literal(json.dumps(sorted(of.spaces)), String)
        listed = func.json_array_elements_text(cast(spaces, JSON)) if dialect == postgresql.DIALECT else func.json_each(spaces)
        ids = select(listed.table_valued("value").c.value)
        parts.append(and_(events.c.type.in_(of.in_spaces), events.c.data["space_id"].as_string().in_(ids)))
    if of.others:
        parts.append(events.c.type.not_in(of.types | of.in_spaces | of.closed))
    return or_(*parts)


def _read(row: Row[Any]) -> Event:
    actor = Actor(Kind(row.actor_kind), row.actor_id, row.actor_name, row.actor_integration_id, row.actor_member_id)
    return Event(
        id=row.id,
        workspace_id=row.workspace_id,
        type=row.type,
        object_type=row.object_type,
        object_id=row.object_id,
        actor=actor,
        mode=Mode(row.mode),
        created_at=row.created_at,
        data=row.data,
        request_id=row.request_id,
        position=row.position,
    )


def _columns(event: Event) -> dict[str, Any]:
    actor = event.actor
    return {
        "id": event.id,
        "workspace_id": event.workspace_id,
        "type": event.type,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "actor_kind": actor.kind.value,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "actor_integration_id": actor.integration_id,
        "actor_member_id": actor.member_id,
        "mode": event.mode.value,
        "request_id": event.request_id,
        "data": dict(event.data),
        "created_at": event.created_at,
    }
