"""Personal tokens as a table."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, and_

from keyrack.store.tables import SCHEMA, Json, metadata

# Rows of ended tokens stay, also when their member is gone, so that calls with them are logged under their name. `rights` is null for a
# default token: it reaches what its member may do.
tokens = Table(
    "keyrack_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=False),
    Column("member_id", Text, nullable=False),
    Column("person_id", Text, ForeignKey(f"{SCHEMA}.keyrack_people.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("rights", Json, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=True),
    Column("made_with", Text, nullable=True),
    Column("ended_at", BigInteger, nullable=True),
    Column("ended_by", Text, nullable=True),
    Column("end_reason", Text, nullable=True),
    Column("api_version", Text, nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "workspace_id", "updated_at", "id"),
    Index(None, "member_id"),
    Index(None, "person_id"),
    Index(None, "made_with"),
)
_LIVE_DEFAULT = and_(tokens.c.is_default, tokens.c.ended_at.is_(None))
# Whatever happens at once: a member has one default token.
Index(
    "ix_keyrack_tokens_default",
    tokens.c.member_id,
    unique=True,
    sqlite_where=_LIVE_DEFAULT,
    postgresql_where=_LIVE_DEFAULT,
)
