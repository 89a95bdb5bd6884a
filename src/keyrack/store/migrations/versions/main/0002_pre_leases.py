"""Who may believe its memory, for how long. pre: a process on PostgreSQL decides no call before it holds a lease."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Text

revision = "main_0002"
down_revision = "main_0001"
branch_labels = None


def upgrade(op: Operations) -> None:
    """Make the table of leases, empty."""
    counts = [Column(name, BigInteger, nullable=False) for name in ("renewal", "seen_revision", "length_ms")]
    op.create_table("keyrack_leases", Column("id", Text, primary_key=True), *counts, schema="keyrack")
