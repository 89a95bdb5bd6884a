"""What was used of limits per day and month. pre: no code runs without it."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "traffic_0002"
down_revision = "traffic_0001"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "keyrack_quotas",
        Column("workspace_id", Text, nullable=False),
        Column("bucket", Text, nullable=False),
        Column("state", BigInteger, nullable=False),
        PrimaryKeyConstraint("workspace_id", "bucket"),
        schema=SCHEMA,
    )
    op.create_index("ix_keyrack_quotas_state", "keyrack_quotas", ["state"], schema=SCHEMA)
