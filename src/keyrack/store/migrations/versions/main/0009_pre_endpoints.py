"""Endpoints of customers. pre: no code of theirs runs without it; older code does not notice it."""

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0009"
down_revision = "main_0008"
branch_labels = None

SCHEMA = "keyrack"
NAME = "keyrack_endpoints"


def upgrade(op: Operations) -> None:
    """Make the table, empty."""
    op.create_table(
        NAME,
        Column("id", Text, primary_key=True),
        _of("workspaces", "workspace_id", nullable=False),
        _of("integrations", "integration_id", nullable=True),
        *(_text(name) for name in ("url", "description")),
        _json("events"),
        _text("mode"),
        Column("api_version", Text),
        _text("signature"),
        _json("keys"),
        _json("header_names"),
        Column("sealed_headers", LargeBinary),
        Column("parallel", Integer, nullable=False),
        Column("in_order", Boolean, nullable=False),
        *(_text(name) for name in ("made_by", "made_by_name")),
        *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
        Column("disabled_at", BigInteger),
        Column("disable_reason", Text),
        Column("deleted_at", BigInteger),
        Column("deleted_by", Text),
        schema=SCHEMA,
    )
    for names in (["workspace_id", "created_at", "id"], ["workspace_id", "updated_at", "id"], ["integration_id"]):
        op.create_index(f"ix_{NAME}_{'_'.join(names)}", NAME, names, schema=SCHEMA)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _json(name: str) -> Column[object]:
    return Column(name, JSON().with_variant(JSONB(), "postgresql"), nullable=False)


def _of(noun: str, name: str, *, nullable: bool) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=nullable)
