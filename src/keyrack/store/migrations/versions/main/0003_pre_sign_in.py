"""What signing in, inviting, mailing and revealing keep. pre: no code of theirs runs without it; older code does not notice it."""

from typing import Any

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Column, ForeignKey, LargeBinary, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

revision = "main_0003"
down_revision = "main_0002"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Widen what is there, and make the new tables, empty."""
    json = JSON().with_variant(JSONB(), "postgresql")
    _add(op, "keys", Column("sealed", LargeBinary))
    _add(op, "people", Column("email_verified_at", BigInteger))
    _add(op, "invitations", Column("spaces", json, nullable=False, server_default=text("'{}'")))
    _add(op, "invitations", Column("revoked_at", BigInteger))
    _add(op, "sessions", Column("through_key_id", Text))
    _add(op, "sessions", Column("origin", Text))
    _add(op, "sign_in_links", Column("purpose", Text, nullable=False, server_default="sign_in"))
    _table(op, "set_up_links", _digest(), *_times("created_at", "expires_at"), Column("used_at", BigInteger))
    _portal_links(op)
    _identities(op)
    _outbox(op)
    _table(
        op,
        "key_notices",
        Column("key_id", Text, ForeignKey(f"{SCHEMA}.keyrack_keys.id"), nullable=False),
        *_times("expires_at", "days", "told_at"),
        PrimaryKeyConstraint("key_id", "expires_at", "days"),
    )
    op.create_index("ix_keyrack_keys_expires_at", "keyrack_keys", ["expires_at"], schema=SCHEMA)


def _portal_links(op: Operations) -> None:
    _table(
        op,
        "portal_links",
        _digest(),
        _of("workspaces", "workspace_id"),
        Column("member_id", Text, nullable=False),
        _of("keys", "key_id"),
        Column("auth_time", BigInteger),
        Column("origin", Text),
        *_times("created_at", "expires_at"),
        Column("used_at", BigInteger),
    )


def _identities(op: Operations) -> None:
    _table(
        op,
        "identities",
        Column("issuer", Text, nullable=False),
        Column("subject", Text, nullable=False),
        _of("people", "person_id"),
        *_times("created_at"),
        PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("ix_keyrack_identities_person_id", "keyrack_identities", ["person_id"], schema=SCHEMA)


def _outbox(op: Operations) -> None:
    _table(
        op,
        "outbox",
        Column("id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        *_times("created_at", "due_at", "attempts"),
        Column("failed_at", BigInteger),
    )
    op.create_index("ix_keyrack_outbox_due_at", "keyrack_outbox", ["due_at"], schema=SCHEMA)


def _add(op: Operations, noun: str, column: Column[Any]) -> None:
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    op.add_column(f"keyrack_{noun}", column, schema=None if op.get_bind().dialect.name == "sqlite" else SCHEMA)


def _table(op: Operations, noun: str, *items: SchemaItem) -> None:
    op.create_table(f"keyrack_{noun}", *items, schema=SCHEMA)


def _digest() -> Column[bytes]:
    return Column("digest", LargeBinary, primary_key=True)


def _times(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _of(noun: str, name: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=False)
