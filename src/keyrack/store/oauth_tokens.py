"""Authorization codes, refresh tokens and access tokens as rows: bookkeeping of grants, which alone are what people own."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Row, delete, insert, update

from keyrack.model.grants import AccessToken, Code, RefreshToken
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import access_tokens, codes, refresh_tokens

KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a code that is over is remembered: coming again it ends its grant. Tokens are remembered as long."""


async def add_code(c: Connection, code: Code) -> None:
    """Add an authorization code."""
    await c.execute(insert(codes).values(**_values(code)))


async def add_refresh_token(c: Connection, token: RefreshToken) -> None:
    """Add a refresh token."""
    await c.execute(insert(refresh_tokens).values(**_values(token)))


async def add_access_token(c: Connection, token: AccessToken) -> None:
    """Add an access token."""
    await c.execute(insert(access_tokens).values(**_values(token)))


async def end_access_token(c: Connection, workspace_id: str, token_id: str, at: int) -> int:
    """End an access token that nobody has ended, and return how many that was. Touch it."""
    own = (access_tokens.c.workspace_id == workspace_id) & (access_tokens.c.id == token_id) & access_tokens.c.ended_at.is_(None)
    return await c.execute(update(access_tokens).where(own).values(ended_at=at))


async def prune(c: Connection, now: int) -> None:
    """Forget what was over for a week."""
    for table in (codes, refresh_tokens, access_tokens):
        await c.execute(delete(table).where(table.c.expires_at < now - KEPT_MS))


def read_code(row: Row[Any]) -> Code:
    """Return the code in a row that holds all columns of its table."""
    return Code(**_read(row, Code))


def read_refresh_token(row: Row[Any]) -> RefreshToken:
    """Return the refresh token in a row that holds all columns of its table."""
    return RefreshToken(**_read(row, RefreshToken))


def read_access_token(row: Row[Any]) -> AccessToken:
    """Return the access token in a row that holds all columns of its table, maybe beside others."""
    of = row._mapping
    columns = {one.name: of[access_tokens.c[one.name]] for one in fields(AccessToken)}
    return AccessToken(**{**columns, "scopes": tuple(columns["scopes"])})


def _read(row: Row[Any], kind: type[Code] | type[RefreshToken]) -> dict[str, Any]:
    columns = {one.name: getattr(row, one.name) for one in fields(kind)}
    return {**columns, "scopes": tuple(columns["scopes"])}


def _values(noun: Code | RefreshToken | AccessToken) -> dict[str, Any]:
    columns = {one.name: getattr(noun, one.name) for one in fields(noun)}
    return {**columns, "scopes": list(noun.scopes)}
