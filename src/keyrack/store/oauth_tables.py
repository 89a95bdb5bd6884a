"""Apps, grants, and the codes and tokens that come of them, as tables."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, text

from keyrack.store.tables import SCHEMA, Json, metadata


def _of(noun: str, name: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=False)


def _times(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


apps = Table(
    "keyrack_apps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey(f"{SCHEMA}.keyrack_workspaces.id"), nullable=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    *_times("created_at", "updated_at"),
    Column("deleted_at", BigInteger, nullable=True),
    Column("redirect_uris", Json, nullable=False, server_default=text("'[]'")),
    Column("scopes", Json, nullable=False, server_default=text("'[]'")),
    Column("made_by", Text, nullable=False, server_default=text("''")),
    Column("made_by_name", Text, nullable=False, server_default=text("''")),
    Column("secret_digest", LargeBinary, nullable=True),
    Column("secret_prefix", Text, nullable=True),
    Column("secret_made_at", BigInteger, nullable=True),
    Column("secret_ended_at", BigInteger, nullable=True),
    Column("own_scopes", Json, nullable=False, server_default=text("'[]'")),
    Column("partner", Text, nullable=True),
    Column("homepage_url", Text, nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
)

# Rows of ended grants stay, also when their member is gone, so that calls by them are logged under their name.
grants = Table(
    "keyrack_grants",
    metadata,
    Column("id", Text, primary_key=True),
    _of("workspaces", "workspace_id"),
    _of("apps", "app_id"),
    Column("member_id", Text, nullable=False),
    _of("people", "person_id"),
    Column("scopes", Json, nullable=False),
    *_times("created_at", "updated_at"),
    Column("ended_at", BigInteger, nullable=True),
    Column("ended_by", Text, nullable=True),
    Column("end_reason", Text, nullable=True),
    Index(None, "workspace_id", "created_at", "id"),
    Index(None, "person_id"),
    Index(None, "app_id"),
)
# Whatever happens at once: a member has one grant for an app that goes on.
Index(
    "ix_keyrack_grants_live",
    grants.c.member_id,
    grants.c.app_id,
    unique=True,
    sqlite_where=grants.c.ended_at.is_(None),
    postgresql_where=grants.c.ended_at.is_(None),
)

codes = Table(
    "keyrack_authorization_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _of("workspaces", "workspace_id"),
    _of("grants", "grant_id"),
    Column("app_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    *_times("created_at", "expires_at"),
    Column("used_at", BigInteger, nullable=True),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "keyrack_refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _of("workspaces", "workspace_id"),
    _of("grants", "grant_id"),
    Column("app_id", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    *_times("created_at", "expires_at", "ends_at"),
    Column("used_at", BigInteger, nullable=True),
    Index(None, "expires_at"),
)

access_tokens = Table(
    "keyrack_access_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    _of("workspaces", "workspace_id"),
    _of("grants", "grant_id"),
    Column("app_id", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    *_times("created_at", "expires_at"),
    Column("ended_at", BigInteger, nullable=True),
    Index(None, "expires_at"),
)

app_tokens = Table(
    "keyrack_app_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    _of("workspaces", "workspace_id"),
    _of("apps", "app_id"),
    Column("proved_by", LargeBinary, nullable=False),
    Column("scopes", Json, nullable=False),
    *_times("created_at", "expires_at"),
    Column("ended_at", BigInteger, nullable=True),
    Index(None, "expires_at"),
)
