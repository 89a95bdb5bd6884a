"""Connectors as tables: the accounts beside what people own, their calls with the traffic. Nothing here joins the two."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from keyrack.store import traffic_tables
from keyrack.store.tables import SCHEMA, Json, metadata

# Rows of deleted connectors stay, without their secrets, so that their calls are listed under their name.
connectors = Table(
    "keyrack_connectors",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=False),
    Column("vendor", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("events", Json, nullable=False),
    Column("settings", Json, nullable=False),
    Column("tails", Json, nullable=False),
    Column("sealed", LargeBinary, nullable=True),
    Column("problem", Text, nullable=True),
    Column("made_by", Text, nullable=False),
    Column("made_by_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, nullable=True),
    Column("disable_reason", Text, nullable=True),
    Column("deleted_at", BigInteger, nullable=True),
    Column("deleted_by", Text, nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
)

# One per event and connector: deriving twice makes no second one. `lane` is what goes one after another. `due_at` is null where no
# attempt comes any more; a process that makes one holds it until `claimed_until`. `request` is JSON as text: PostgreSQL's own kind would
# put its members into another order, and every attempt sends the very same bytes.
connector_calls = Table(
    "keyrack_connector_calls",
    traffic_tables.metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("connector_id", Text, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=True),
    Column("trigger", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=True),
    Column("claimed_until", BigInteger, nullable=True),
    Column("request", Text, nullable=True),
    Column("status", Integer, nullable=True),
    Column("code", Text, nullable=True),
    Column("detail", Text, nullable=True),
    Column("vendor_object_id", Text, nullable=True),
    Column("duration_ms", Integer, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("event_id", "connector_id"),
    Index(None, "connector_id", "created_at", "id"),
    Index(None, "lane", "state", "position"),
    Index(None, "updated_at"),
)
Index(
    "ix_keyrack_connector_calls_due",
    connector_calls.c.lane,
    connector_calls.c.due_at,
    sqlite_where=connector_calls.c.due_at.is_not(None),
    postgresql_where=connector_calls.c.due_at.is_not(None),
)
Index(
    "ix_keyrack_connector_calls_held",
    connector_calls.c.connector_id,
    sqlite_where=connector_calls.c.state == "held",
    postgresql_where=connector_calls.c.state == "held",
)

# What a vendor calls its copy of an object of the host's. Written with the call that made it: lost with it, too, and then made again
# under the same idempotency key.
connector_links = Table(
    "keyrack_connector_links",
    traffic_tables.metadata,
    Column("workspace_id", Text, nullable=False),
    Column("connector_id", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("vendor_object_id", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("connector_id", "object_id"),
)
