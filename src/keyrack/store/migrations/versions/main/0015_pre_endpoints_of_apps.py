"""Endpoints of apps: told when their app may act for somebody no more. pre: code that knows them reads the column."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "main_0015"
down_revision = "main_0014"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Add the column, empty."""
    # Alembic writes this by itself, past the translation that leaves the schema away on SQLite.
    schema = None if op.get_bind().dialect.name == "sqlite" else SCHEMA
    op.add_column("keyrack_endpoints", Column("app_id", Text), schema=schema)
