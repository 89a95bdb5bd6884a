"""Embed keys. pre: code that knows them looks there for every credential that it does not find elsewhere."""

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0014"
down_revision = "main_0013"
branch_labels = None

SCHEMA = "keyrack"
Json = JSON().with_variant(JSONB(), "postgresql")


def upgrade(op: Operations) -> None:
    """Make the table, empty."""
    op.create_table(
        "keyrack_embed_keys",
        Column("id", Text, primary_key=True),
        Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=False),
        *(Column(name, Text, nullable=False) for name in ("name", "object_type", "object_id", "text")),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("origins", Json, nullable=False),
        Column("calls_per_minute", Integer, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in ("created_at", "updated_at")),
        *(Column(name, Text, nullable=False) for name in ("made_by", "made_by_name")),
        *(Column(name, BigInteger) for name in ("disabled_at", "ended_at")),
        *(Column(name, Text) for name in ("ended_by", "end_reason", "successor_id")),
        schema=SCHEMA,
    )
    for time in ("created_at", "updated_at"):
        columns = ["workspace_id", time, "id"]
        op.create_index(f"ix_keyrack_embed_keys_{'_'.join(columns)}", "keyrack_embed_keys", columns, schema=SCHEMA)
