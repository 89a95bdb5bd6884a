"""Indexes for lists by their last change, and for events of one kind. pre: the lists come without them too, but slowly."""

from alembic.operations import Operations

revision = "main_0005"
down_revision = "main_0004"
branch_labels = None


def upgrade(op: Operations) -> None:
    """Make the indexes. On PostgreSQL nobody writes into a table meanwhile: of events that takes about a second for a million."""
    for noun in ("members", "spaces", "integrations", "keys"):
        _index(op, noun, "workspace_id", "updated_at", "id")
    _index(op, "events", "workspace_id", "object_type", "position")


def _index(op: Operations, noun: str, *columns: str) -> None:
    op.create_index(f"ix_keyrack_{noun}_{'_'.join(columns)}", f"keyrack_{noun}", list(columns), schema="keyrack")
