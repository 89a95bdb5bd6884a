"""What whoever accepts an invitation may do, beside the role. pre: no code of theirs runs without it."""

from typing import Any

from alembic.operations import Operations
from sqlalchemy import JSON, Column, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0016"
down_revision = "main_0015"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Widen the table. Older code makes invitations without rights of their own: the role's count."""
    _widen(op, Column("org_access", Text))
    _widen(op, Column("permissions", JSON().with_variant(JSONB(), "postgresql")))


def _widen(op: Operations, column: Column[Any]) -> None:
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    op.add_column("keyrack_invitations", column, schema=None if op.get_bind().dialect.name == "sqlite" else SCHEMA)
