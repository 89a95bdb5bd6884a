"""Calls that happen once, as tables: who runs one, and what came of it (CONSISTENCY §5)."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from keyrack.store.tables import Json, metadata

replay_claims = Table(
    "keyrack_replay_claims",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Index(None, "leased_until"),
)

# One row per call that was carried out: the transaction that carries it out writes it, so a second one cannot commit.
replays = Table(
    "keyrack_replays",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("status", Integer, nullable=True),
    Column("sealed", LargeBinary, nullable=True),
    Column("lost", Text, nullable=True),
    Column("made", Json, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "created_at"),
)
