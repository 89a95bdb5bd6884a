"""Deliveries as tables. They are derived from events by cursor and lie with the traffic: nothing here is joined with `tables`."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from keyrack.store.tables import Json
from keyrack.store.traffic_tables import metadata

# How far each reader of events has derived from them.
event_cursors = Table(
    "keyrack_event_cursors",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

# One per event and endpoint: deriving twice makes no second one. A process that sends one holds it until `claimed_until`; one that dies
# lets it go by that. `due_at` is null where no attempt comes, `failures` counts those of the schedule as it runs now. A lane table, as
# `claims` has it: its lanes are the endpoints.
deliveries = Table(
    "keyrack_deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=True),
    Column("trigger", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=True),
    Column("claimed_until", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("event_id", "endpoint_id"),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "endpoint_id", "created_at", "id"),
    Index(None, "endpoint_id", "state", "position"),
)


def _partial(name: str, where: ColumnElement[bool], *columns: Column[Any]) -> None:
    Index(f"ix_keyrack_deliveries_{name}", *columns, sqlite_where=where, postgresql_where=where)


_due, _held = deliveries.c.due_at.is_not(None), deliveries.c.state == literal_column("'held'")
_partial("next", _due, deliveries.c.due_at)
_partial("due", _due, deliveries.c.endpoint_id, deliveries.c.due_at, deliveries.c.position)
_partial("claimed", deliveries.c.claimed_until.is_not(None), deliveries.c.endpoint_id, deliveries.c.claimed_until)
_partial("held", _held, deliveries.c.endpoint_id, deliveries.c.position)

attempts = Table(
    "keyrack_attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("status", Integer, nullable=True),
    Column("error", Text, nullable=True),
    Column("detail", Text, nullable=True),
    Column("address", Text, nullable=True),
    Column("request_headers", Json, nullable=False),
    Column("request_body", LargeBinary, nullable=False),
    Column("response_headers", Json, nullable=False),
    Column("response_body", LargeBinary, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Index(None, "delivery_id", "number"),
    Index(None, "workspace_id", "started_at", "id"),
    Index(None, "endpoint_id", "started_at"),
)

# How an endpoint fares: since when it only fails.
endpoint_health = Table(
    "keyrack_endpoint_health",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("failing_since", BigInteger, nullable=True),
    Column("failures_in_row", Integer, nullable=False),
    Column("succeeded_at", BigInteger, nullable=True),
    Column("failed_at", BigInteger, nullable=True),
)
