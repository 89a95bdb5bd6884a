"""Connectors of workspaces. pre: no code of theirs runs without it; older code does not notice it."""

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Column, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0011"
down_revision = "main_0010"
branch_labels = None

SCHEMA = "keyrack"
NAME = "keyrack_connectors"


def upgrade(op: Operations) -> None:
    """Make the table, empty."""
    op.create_table(
        NAME,
        Column("id", Text, primary_key=True),
        Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("vendor", "name")),
        *(Column(name, JSON().with_variant(JSONB(), "postgresql"), nullable=False) for name in ("events", "settings", "tails")),
        Column("sealed", LargeBinary),
        Column("problem", Text),
        *(Column(name, Text, nullable=False) for name in ("made_by", "made_by_name")),
        *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
        Column("disabled_at", BigInteger),
        Column("disable_reason", Text),
        Column("deleted_at", BigInteger),
        Column("deleted_by", Text),
        schema=SCHEMA,
    )
    for names in (["workspace_id", "created_at", "id"], ["workspace_id", "updated_at", "id"]):
        op.create_index(f"ix_{NAME}_{'_'.join(names)}", NAME, names, schema=SCHEMA)
