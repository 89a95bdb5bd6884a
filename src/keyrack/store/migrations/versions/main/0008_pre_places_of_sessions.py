"""Sessions tell where they began. pre: older code leaves both empty."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "main_0008"
down_revision = "main_0007"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Widen sessions. Of those that are there nobody knows it."""
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    for name in ("address", "device"):
        op.add_column("keyrack_sessions", Column(name, Text), schema=schema)
