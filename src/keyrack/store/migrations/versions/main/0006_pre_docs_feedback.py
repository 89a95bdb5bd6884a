"""What readers say of the docs. pre: no code of theirs runs without it; older code does not notice it."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, Text

revision = "main_0006"
down_revision = "main_0005"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Make the table, empty."""
    op.create_table(
        "keyrack_docs_feedback",
        Column("id", Text, primary_key=True),
        Column("page", Text, nullable=False),
        Column("helpful", Boolean, nullable=False),
        Column("comment", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        schema=SCHEMA,
    )
    for columns in (("created_at", "id"), ("page", "created_at")):
        op.create_index(f"ix_keyrack_docs_feedback_{'_'.join(columns)}", "keyrack_docs_feedback", list(columns), schema=SCHEMA)
