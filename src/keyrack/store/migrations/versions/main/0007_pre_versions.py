"""Keys are pinned to a version of the API. pre: the code writes it; for older code, and in what it makes, there is none."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "main_0007"
down_revision = "main_0006"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Widen keys. Those that are there were made before there were versions: they are served at the first."""
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    op.add_column("keyrack_keys", Column("api_version", Text), schema=schema)
