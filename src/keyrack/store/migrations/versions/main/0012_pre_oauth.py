"""Apps that act for members: what they may be told and ask for, their grants, codes and tokens. pre: no code of theirs runs without it."""

from typing import Any

from alembic.operations import Operations
from sqlalchemy import JSON, BigInteger, Column, ForeignKey, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "main_0012"
down_revision = "main_0011"
branch_labels = None

SCHEMA = "keyrack"
Json = JSON().with_variant(JSONB(), "postgresql")


def upgrade(op: Operations) -> None:
    """Widen the table of apps, in which nothing was, and make the others, empty."""
    for name in ("redirect_uris", "scopes"):
        _widen(op, Column(name, Json, nullable=False, server_default=text("'[]'")))
    for name in ("made_by", "made_by_name"):
        _widen(op, Column(name, Text, nullable=False, server_default=text("''")))
    _widen(op, Column("secret_digest", LargeBinary))
    _widen(op, Column("secret_made_at", BigInteger))
    for name in ("secret_prefix", "partner", "homepage_url"):
        _widen(op, Column(name, Text))
    _grants(op)
    _tokens(op)


def _grants(op: Operations) -> None:
    op.create_table(
        "keyrack_grants",
        Column("id", Text, primary_key=True),
        _of("workspaces", "workspace_id"),
        _of("apps", "app_id"),
        Column("member_id", Text, nullable=False),
        _of("people", "person_id"),
        Column("scopes", Json, nullable=False),
        *_times("created_at", "updated_at"),
        Column("ended_at", BigInteger),
        Column("ended_by", Text),
        Column("end_reason", Text),
        schema=SCHEMA,
    )
    for names in (["workspace_id", "created_at", "id"], ["person_id"], ["app_id"]):
        _index(op, "keyrack_grants", *names)
    live = text("ended_at IS NULL")
    columns = ["member_id", "app_id"]
    unique: dict[str, Any] = {"unique": True, "schema": SCHEMA, "sqlite_where": live, "postgresql_where": live}
    op.create_index("ix_keyrack_grants_live", "keyrack_grants", columns, **unique)


def _tokens(op: Operations) -> None:
    _secrets(op, "authorization_codes", *_texts("redirect_uri", "challenge"), Column("used_at", BigInteger))
    _secrets(op, "refresh_tokens", *_times("ends_at"), Column("used_at", BigInteger))
    op.create_table(
        "keyrack_access_tokens",
        Column("id", Text, primary_key=True),
        Column("digest", LargeBinary, nullable=False, unique=True),
        *_texts("prefix"),
        *_shared(),
        Column("ended_at", BigInteger),
        schema=SCHEMA,
    )
    _index(op, "keyrack_access_tokens", "expires_at")


def _secrets(op: Operations, noun: str, *columns: Column[Any]) -> None:
    op.create_table(f"keyrack_{noun}", Column("digest", LargeBinary, primary_key=True), *_shared(), *columns, schema=SCHEMA)
    _index(op, f"keyrack_{noun}", "expires_at")


def _shared() -> list[Column[Any]]:
    scopes: Column[Any] = Column("scopes", Json, nullable=False)
    return [_of("workspaces", "workspace_id"), _of("grants", "grant_id"), *_texts("app_id"), scopes, *_times("created_at", "expires_at")]


def _index(op: Operations, table: str, *names: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(names)}", table, list(names), schema=SCHEMA)


def _widen(op: Operations, column: Column[Any]) -> None:
    # Alembic writes these by itself, past the translation that leaves the schema away on SQLite.
    op.add_column("keyrack_apps", column, schema=None if op.get_bind().dialect.name == "sqlite" else SCHEMA)


def _texts(*names: str) -> list[Column[Any]]:
    return [Column(name, Text, nullable=False) for name in names]


def _times(*names: str) -> list[Column[Any]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _of(noun: str, name: str) -> Column[Any]:
    return Column(name, Text, ForeignKey(f"{SCHEMA}.keyrack_{noun}.id"), nullable=False)
