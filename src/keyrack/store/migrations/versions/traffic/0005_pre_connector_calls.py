"""What events become at connectors, and vendors' ids. pre: no code of theirs runs without it; older code does not notice it."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text, UniqueConstraint, text

revision = "traffic_0005"
down_revision = "traffic_0004"
branch_labels = None

SCHEMA = "keyrack"
CALLS, LINKS = "keyrack_connector_calls", "keyrack_connector_links"


def upgrade(op: Operations) -> None:
    """Make the tables, empty: events from before become nothing."""
    ids = ("workspace_id", "connector_id", "vendor", "event_id", "event_type", "object_id", "lane")
    op.create_table(
        CALLS,
        Column("id", Text, primary_key=True),
        *(_text(name) for name in ids),
        _number("position"),
        *(_text(name) for name in ("mode", "state")),
        Column("why", Text),
        _text("trigger"),
        *(Column(name, Integer, nullable=False) for name in ("round", "attempts", "failures")),
        *(Column(name, BigInteger) for name in ("due_at", "claimed_until")),
        Column("status", Integer),
        *(Column(name, Text) for name in ("request", "code", "detail", "vendor_object_id")),
        Column("duration_ms", Integer),
        *(_number(name) for name in ("created_at", "updated_at")),
        UniqueConstraint("event_id", "connector_id", name=f"uq_{CALLS}_event_id_connector_id"),
        schema=SCHEMA,
    )
    for names in (["connector_id", "created_at", "id"], ["lane", "state", "position"], ["updated_at"]):
        op.create_index(f"ix_{CALLS}_{'_'.join(names)}", CALLS, names, schema=SCHEMA)
    _index_some(op, "due", ["lane", "due_at"], "due_at IS NOT NULL")
    _index_some(op, "held", ["connector_id"], "state = 'held'")
    op.create_table(
        LINKS,
        *(_text(name) for name in ("workspace_id", "connector_id", "object_id", "vendor_object_id")),
        _number("updated_at"),
        PrimaryKeyConstraint("connector_id", "object_id", name=f"pk_{LINKS}"),
        schema=SCHEMA,
    )


def _index_some(op: Operations, name: str, columns: list[str], where: str) -> None:
    op.create_index(f"ix_{CALLS}_{name}", CALLS, columns, schema=SCHEMA, sqlite_where=text(where), postgresql_where=text(where))


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)
