"""Personal tokens, partners of integrations, invitations that let somebody use the API. pre: no code of theirs runs without it."""

from typing import Any

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, LargeBinary, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0010"
down_revision = "main_0009"
branch_labels = None

SCHEMA = "keyrack"
NAME = "keyrack_tokens"


def upgrade(op: Operations) -> None:
    """Make the table, empty, and widen two others. Older code makes integrations without a partner, and invitations to no API."""
    op.create_table(
        NAME,
        Column("id", Text, primary_key=True),
        _of("workspaces", "workspace_id"),
        Column("member_id", Text, nullable=False),
        _of("people", "person_id"),
        Column("name", Text, nullable=False),
        Column("is_default", Boolean, nullable=False),
        Column("prefix", Text, nullable=False),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("rights", JSON().with_variant(JSONB(), "postgresql")),
        *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
        Column("expires_at", BigInteger),
        Column("made_with", Text),
        Column("ended_at", BigInteger),
        *(Column(name, Text) for name in ("ended_by", "end_reason", "api_version")),
        schema=SCHEMA,
    )
    indexed = (["workspace_id", "created_at", "id"], ["workspace_id", "updated_at", "id"], ["member_id"], ["person_id"], ["made_with"])
    for names in indexed:
        op.create_index(f"ix_{NAME}_{'_'.join(names)}", NAME, names, schema=SCHEMA)
    live = text("is_default AND ended_at IS NULL")
    op.create_index(f"ix_{NAME}_default", NAME, ["member_id"], unique=True, schema=SCHEMA, sqlite_where=live, postgresql_where=live)
    _widen(op, "integrations", Column("partner", Text))
    _widen(op, "invitations", Column("may_use_api", Boolean, nullable=False, server_default=false()))


def _widen(op: Operations, noun: str, column: Column[Any]) -> None:
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    op.add_column(f"keyrack_{noun}", column, schema=None if op.get_bind().dialect.name == "sqlite" else SCHEMA)


def _of(noun: str, name: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=False)
