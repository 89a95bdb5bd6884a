"""What calls that happen once keep. pre: no code of theirs runs without it; older code does not notice it."""

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0004"
down_revision = "main_0003"
branch_labels = None

SCHEMA = "keyrack"


def upgrade(op: Operations) -> None:
    """Make both tables, empty."""
    texts = ("workspace_id", "token", "fingerprint")
    op.create_table(
        "keyrack_replay_claims",
        Column("scope", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in texts),
        Column("leased_until", BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("ix_keyrack_replay_claims_leased_until", "keyrack_replay_claims", ["leased_until"], schema=SCHEMA)
    op.create_table(
        "keyrack_replays",
        Column("scope", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in (*texts, "request_id")),
        Column("status", Integer),
        Column("sealed", LargeBinary),
        Column("lost", Text),
        Column("made", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        Column("created_at", BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("ix_keyrack_replays_created_at", "keyrack_replays", ["created_at"], schema=SCHEMA)
