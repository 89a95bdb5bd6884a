"""Deliveries of events to endpoints, and their attempts. pre: no code of theirs runs without it; older code does not notice it."""

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "traffic_0004"
down_revision = "traffic_0003"
branch_labels = None

SCHEMA = "keyrack"
DELIVERIES, ATTEMPTS = "keyrack_deliveries", "keyrack_attempts"


def upgrade(op: Operations) -> None:
    """Make the tables, empty: events from before are delivered to nobody."""
    op.create_table("keyrack_event_cursors", Column("reader", Text, primary_key=True), _number("position"), schema=SCHEMA)
    _make_deliveries(op)
    _make_attempts(op)
    op.create_table(
        "keyrack_endpoint_health",
        Column("endpoint_id", Text, primary_key=True),
        _text("workspace_id"),
        Column("failing_since", BigInteger),
        Column("failures_in_row", Integer, nullable=False),
        Column("succeeded_at", BigInteger),
        Column("failed_at", BigInteger),
        schema=SCHEMA,
    )


def _make_deliveries(op: Operations) -> None:
    op.create_table(
        DELIVERIES,
        Column("id", Text, primary_key=True),
        *(_text(name) for name in ("workspace_id", "endpoint_id", "event_id", "event_type")),
        _number("position"),
        *(_text(name) for name in ("mode", "state")),
        Column("why", Text),
        _text("trigger"),
        *(Column(name, Integer, nullable=False) for name in ("attempts", "failures")),
        Column("due_at", BigInteger),
        Column("claimed_until", BigInteger),
        *(_number(name) for name in ("created_at", "updated_at")),
        UniqueConstraint("event_id", "endpoint_id", name="uq_keyrack_deliveries_event_id_endpoint_id"),
        schema=SCHEMA,
    )
    for names in (["workspace_id", "created_at", "id"], ["endpoint_id", "created_at", "id"], ["endpoint_id", "state", "position"]):
        op.create_index(f"ix_{DELIVERIES}_{'_'.join(names)}", DELIVERIES, names, schema=SCHEMA)
    _make_partial(op, "next", "due_at IS NOT NULL", "due_at")
    _make_partial(op, "due", "due_at IS NOT NULL", "endpoint_id", "due_at", "position")
    _make_partial(op, "claimed", "claimed_until IS NOT NULL", "endpoint_id", "claimed_until")
    _make_partial(op, "held", "state = 'held'", "endpoint_id", "position")


def _make_partial(op: Operations, name: str, where: str, *columns: str) -> None:
    of = text(where)
    op.create_index(f"ix_{DELIVERIES}_{name}", DELIVERIES, list(columns), schema=SCHEMA, sqlite_where=of, postgresql_where=of)


def _make_attempts(op: Operations) -> None:
    op.create_table(
        ATTEMPTS,
        Column("id", Text, primary_key=True),
        *(_text(name) for name in ("workspace_id", "delivery_id", "endpoint_id")),
        Column("number", Integer, nullable=False),
        _text("trigger"),
        _number("started_at"),
        Column("duration_ms", Integer, nullable=False),
        Column("status", Integer),
        *(Column(name, Text) for name in ("error", "detail", "address")),
        _json("request_headers"),
        Column("request_body", LargeBinary, nullable=False),
        _json("response_headers"),
        Column("response_body", LargeBinary, nullable=False),
        Column("truncated", Boolean, nullable=False),
        schema=SCHEMA,
    )
    for names in (["delivery_id", "number"], ["workspace_id", "started_at", "id"], ["endpoint_id", "started_at"]):
        op.create_index(f"ix_{ATTEMPTS}_{'_'.join(names)}", ATTEMPTS, names, schema=SCHEMA)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _json(name: str) -> Column[object]:
    return Column(name, JSON().with_variant(JSONB(), "postgresql"), nullable=False)
