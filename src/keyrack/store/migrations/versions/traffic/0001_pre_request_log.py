"""The request log, where its spools have got to, and last uses. pre: no code runs without it."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "traffic_0001"
down_revision = None
branch_labels = ("traffic",)

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Make the tables. On PostgreSQL the log is partitioned by day; the partitions are made as the days come."""
    op.create_table(
        "keyrack_request_logs",
        _text("request_id"),
        _number("created_at"),
        _maybe_text("workspace_id"),
        _text("path"),
        _maybe_text("route"),
        _text("method"),
        Column("status", Integer, nullable=False),
        _maybe_text("code"),
        _maybe_text("credential_kind"),
        _maybe_text("credential_id"),
        _maybe_text("credential_name"),
        _maybe_text("integration_id"),
        _maybe_text("member_id"),
        _maybe_text("app_id"),
        _maybe_text("grant_id"),
        _maybe_text("mode"),
        _maybe_text("ip_address"),
        _maybe_text("user_agent"),
        _number("duration_us"),
        _maybe_text("reason"),
        PrimaryKeyConstraint("created_at", "request_id"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (created_at)",
    )
    _index(op, "request_logs", "workspace_id", "created_at", "request_id")
    op.create_table(
        "keyrack_request_log_terms",
        Column("day", Integer, nullable=False),
        _number("term"),
        _number("slot"),
        PrimaryKeyConstraint("day", "term", "slot"),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "keyrack_spool_positions",
        Column("segment", Text, primary_key=True),
        _number("position"),
        _number("updated_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "keyrack_credential_uses",
        Column("credential_id", Text, primary_key=True),
        _text("workspace_id"),
        _number("used_at"),
        _maybe_text("ip_address"),
        schema=SCHEMA,
    )
    _index(op, "credential_uses", "workspace_id")


def _index(op: Operations, noun: str, *columns: str) -> None:
    op.create_index(f"ix_keyrack_{noun}_{'_'.join(columns)}", f"keyrack_{noun}", columns, schema=SCHEMA)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _maybe_text(name: str) -> Column[str]:
    return Column(name, Text)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)
