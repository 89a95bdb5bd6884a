"""The first schema of what must not be lost. pre: no code runs without it."""

from typing import Any

from alembic.operations import Operations
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

revision = "main_0001"
down_revision = None
branch_labels = ("main",)

SCHEMA = "keyrack"
NEWEST_FIRST = ("workspace_id", "created_at", "id")


def upgrade(op: Operations) -> None:
    """Make the tables, and the two counters at zero."""
    _tenants(op)
    _spaces(op)
    _credentials(op)
    _sign_in(op)
    _events(op)
    _revisions(op)


def _tenants(op: Operations) -> None:
    _table(
        op,
        "workspaces",
        _id(),
        _text("name"),
        _text("slug", unique=True),
        _text("plan"),
        Column("api_enabled", Boolean, nullable=False),
        Column("revealing", Boolean, nullable=False, server_default=false()),
        *_times("created_at", "updated_at"),
        _maybe_time("deleted_at"),
    )
    _index(op, "workspaces", "created_at", "id")
    _table(
        op,
        "people",
        _id(),
        _text("email", unique=True),
        _text("name"),
        _maybe_text("password_hash"),
        *_times("created_at", "updated_at"),
    )
    _table(
        op,
        "members",
        _id(),
        _of("workspaces", "workspace_id"),
        _of("people", "person_id"),
        _text("role"),
        _text("org_access"),
        _json("permissions"),
        Column("may_use_api", Boolean, nullable=False),
        _text("status"),
        _maybe_time("access_until"),
        _maybe_text("partner"),
        *_times("created_at", "updated_at"),
        UniqueConstraint("workspace_id", "person_id"),
    )
    _index(op, "members", *NEWEST_FIRST)
    _index(op, "members", "person_id")


def _spaces(op: Operations) -> None:
    _table(
        op,
        "spaces",
        _id(),
        _of("workspaces", "workspace_id"),
        _text("name"),
        _text("made_by"),
        *_times("created_at", "updated_at"),
        _maybe_time("deleted_at"),
    )
    _index(op, "spaces", *NEWEST_FIRST)
    _table(
        op,
        "space_roles",
        _of("workspaces", "workspace_id"),
        _of("spaces", "space_id"),
        _text("holder_kind"),
        _text("holder_id"),
        _text("role"),
        PrimaryKeyConstraint("space_id", "holder_id"),
    )
    _index(op, "space_roles", "holder_id")


def _credentials(op: Operations) -> None:
    _table(
        op,
        "integrations",
        _id(),
        _of("workspaces", "workspace_id"),
        _text("name"),
        _text("org_access"),
        _json("permissions"),
        _text("made_by"),
        _text("made_by_name"),
        *_times("created_at", "updated_at"),
        _maybe_time("deleted_at"),
        _maybe_text("deleted_by"),
    )
    _index(op, "integrations", *NEWEST_FIRST)
    _table(
        op,
        "keys",
        _id(),
        _of("workspaces", "workspace_id"),
        _of("integrations", "integration_id"),
        _text("name"),
        _text("mode"),
        _text("prefix"),
        _digest(),
        *_times("created_at", "updated_at"),
        _text("made_by"),
        _text("made_by_name"),
        _maybe_time("expires_at"),
        _json("ip_ranges"),
        _maybe_time("disabled_at"),
        _maybe_time("ends_at"),
        _maybe_text("ended_by"),
        _maybe_text("end_reason"),
        _maybe_text("successor_id"),
    )
    _index(op, "keys", *NEWEST_FIRST)
    _index(op, "keys", "integration_id", "created_at", "id")
    _table(
        op,
        "apps",
        _id(),
        _of("workspaces", "workspace_id"),
        _text("client_id", unique=True),
        _text("name"),
        *_times("created_at", "updated_at"),
        _maybe_time("deleted_at"),
    )
    _index(op, "apps", *NEWEST_FIRST)


def _sign_in(op: Operations) -> None:
    _table(
        op,
        "invitations",
        _id(),
        _of("workspaces", "workspace_id"),
        _text("email"),
        _text("role"),
        _digest(),
        _text("made_by"),
        _text("made_by_name"),
        *_times("created_at", "expires_at"),
        _maybe_time("accepted_at"),
    )
    _index(op, "invitations", *NEWEST_FIRST)
    _table(
        op,
        "sessions",
        _id(),
        _digest(),
        _of("people", "person_id"),
        _of("workspaces", "workspace_id"),
        *_times("proved_at", "created_at", "expires_at"),
        _maybe_time("ended_at"),
    )
    _index(op, "sessions", "person_id")
    _index(op, "sessions", "workspace_id")
    _table(
        op,
        "sign_in_links",
        Column("digest", LargeBinary, primary_key=True),
        _of("people", "person_id"),
        _of("workspaces", "workspace_id"),
        *_times("created_at"),
        _maybe_time("expires_at"),
        _maybe_time("used_at"),
    )
    _index(op, "sign_in_links", "person_id")


def _events(op: Operations) -> None:
    _table(
        op,
        "events",
        _id(),
        _of("workspaces", "workspace_id"),
        Column("position", BigInteger, unique=True),
        _text("type"),
        _text("object_type"),
        _text("object_id"),
        _text("actor_kind"),
        _text("actor_id"),
        _text("actor_name"),
        _maybe_text("actor_integration_id"),
        _maybe_text("actor_member_id"),
        _text("mode"),
        _maybe_text("request_id"),
        _json("data"),
        *_times("created_at"),
    )
    _index(op, "events", "workspace_id", "position")
    unnumbered = text("position IS NULL")
    op.create_index(
        "ix_keyrack_events_unnumbered",
        "keyrack_events",
        ["created_at", "id"],
        schema=SCHEMA,
        sqlite_where=unnumbered,
        postgresql_where=unnumbered,
    )
    _counter(op, "event_positions", "position")


def _revisions(op: Operations) -> None:
    _counter(op, "revisions", "revision")
    _table(
        op,
        "changes",
        *_times("revision"),
        _text("touched_id"),
        _text("change_id"),
        PrimaryKeyConstraint("revision", "touched_id"),
    )
    _index(op, "changes", "change_id")


def _table(op: Operations, noun: str, *items: SchemaItem) -> Table:
    return op.create_table(f"keyrack_{noun}", *items, schema=SCHEMA)


def _index(op: Operations, noun: str, *columns: str) -> None:
    op.create_index(f"ix_keyrack_{noun}_{'_'.join(columns)}", f"keyrack_{noun}", columns, schema=SCHEMA)


def _counter(op: Operations, noun: str, column: str) -> None:
    table = _table(op, noun, Column("id", BigInteger, primary_key=True, autoincrement=False), *_times(column))
    op.bulk_insert(table, [{"id": 1, column: 0}])


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _text(name: str, *, unique: bool = False) -> Column[str]:
    return Column(name, Text, nullable=False, unique=unique)


def _maybe_text(name: str) -> Column[str]:
    return Column(name, Text)


def _times(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _maybe_time(name: str) -> Column[int]:
    return Column(name, BigInteger)


def _digest() -> Column[bytes]:
    return Column("digest", LargeBinary, nullable=False, unique=True)


def _json(name: str) -> Column[Any]:
    return Column(name, JSON().with_variant(JSONB(), "postgresql"), nullable=False)


def _of(noun: str, name: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=False)
