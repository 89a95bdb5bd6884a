"""Apps that act for themselves, whose secrets can have leaked, or that no workspace registered. pre: older code meets none of them.

Until it is replaced, older code believes a client secret that newer code has ended.
"""

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Column, ForeignKey, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0013"
down_revision = "main_0012"
branch_labels = None

SCHEMA = "keyrack"
Json = JSON().with_variant(JSONB(), "postgresql")


def upgrade(op: Operations) -> None:
    """Widen the table of apps, and make that of their tokens, empty."""
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    op.add_column("keyrack_apps", Column("secret_ended_at", BigInteger), schema=schema)
    op.add_column("keyrack_apps", Column("own_scopes", Json, nullable=False, server_default=text("'[]'")), schema=schema)
    _let_apps_belong_to_nobody(op)
    op.create_table(
        "keyrack_app_tokens",
        Column("id", Text, primary_key=True),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("prefix", Text, nullable=False),
        Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=False),
        Column("app_id", Text, ForeignKey(f"{SCHEMA}.keyrack_apps.id"), nullable=False),
        Column("proved_by", LargeBinary, nullable=False),
        Column("scopes", Json, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("ended_at", BigInteger),
        schema=SCHEMA,
    )
    op.create_index("ix_keyrack_app_tokens_expires_at", "keyrack_app_tokens", ["expires_at"], schema=SCHEMA)


def _let_apps_belong_to_nobody(op: Operations) -> None:
    """Take NOT NULL from `workspace_id`."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("keyrack_apps", "workspace_id", nullable=True, schema=SCHEMA)
        return
    # What SQLite's documentation of ALTER TABLE says for taking a constraint away, which changes nothing of the rows. The other way,
    # copying the table, would end whatever refers to it.
    run = op.get_bind().exec_driver_sql
    version = run("PRAGMA schema_version").scalar_one()
    run("PRAGMA writable_schema=ON")
    run(
        "UPDATE sqlite_schema SET sql = replace(sql, 'workspace_id TEXT NOT NULL', 'workspace_id TEXT') "
        "WHERE type = 'table' AND name = 'keyrack_apps'"
    )
    run(f"PRAGMA schema_version={version + 1}")
    run("PRAGMA writable_schema=OFF")
