"""Authorization codes, refresh tokens and access tokens as rows: bookkeeping of grants, which alone are what people own."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Table, delete, insert, select, update

from keyrack.model.app_tokens import AppToken
from keyrack.model.grants import AccessToken, Code, RefreshToken
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import access_tokens, app_tokens, apps, codes, grants, refresh_tokens

KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a code that is over is remembered: coming again it ends its grant. Tokens are remembered as long."""

UNUSED_MS = 30 * 24 * 3600 * 1000
"""How long an app that registered itself may wait for the first member who lets it in."""


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


async def add_app_token(c: Connection, token: AppToken) -> None:
    """Add a token that an app has for itself."""
    await c.execute(insert(app_tokens).values(**_values(token)))


async def app_token(c: Connection, workspace_id: str, token_id: str) -> AppToken:
    """Return an app token, whatever became of it. Raises Refused `not_found`."""
    row = await c.first(select(app_tokens).where(app_tokens.c.workspace_id == workspace_id, app_tokens.c.id == token_id))
    if row is None:
        raise NOT_FOUND("There is no such token.")
    return read_app_token(row)


async def end_app_token(c: Connection, workspace_id: str, token_id: str, at: int) -> int:
    """End an app token that nobody has ended, and return how many that was. Touch it."""
    own = (app_tokens.c.workspace_id == workspace_id) & (app_tokens.c.id == token_id) & app_tokens.c.ended_at.is_(None)
    return await c.execute(update(app_tokens).where(own).values(ended_at=at))


async def prune(c: Connection, now: int) -> None:
    """Forget what was over for a week, and apps that registered themselves and that nobody has ever let in."""
    for table in (codes, refresh_tokens, access_tokens, app_tokens):
        await c.execute(delete(table).where(table.c.expires_at < now - KEPT_MS))
    let_in = select(grants.c.id).where(grants.c.app_id == apps.c.id).exists()
    await c.execute(delete(apps).where(apps.c.workspace_id.is_(None), apps.c.created_at < now - UNUSED_MS, ~let_in))


def read_code(row: Row[Any]) -> Code:
    """Return the code in a row that holds all columns of its table."""
    return Code(**_read(row, Code))


def read_refresh_token(row: Row[Any]) -> RefreshToken:
    """Return the refresh token in a row that holds all columns of its table."""
    return RefreshToken(**_read(row, RefreshToken))


def read_access_token(row: Row[Any]) -> AccessToken:
    """Return the access token in a row that holds all columns of its table, maybe beside others."""
    return AccessToken(**_columns(row, access_tokens, AccessToken))


def read_app_token(row: Row[Any]) -> AppToken:
    """Return the app token in a row that holds all columns of its table, maybe beside others."""
    return AppToken(**_columns(row, app_tokens, AppToken))


def _columns(row: Row[Any], table: Table, kind: type[AccessToken] | type[AppToken]) -> dict[str, Any]:
    columns = {one.name: row._mapping[table.c[one.name]] for one in fields(kind)}
    return {**columns, "scopes": tuple(columns["scopes"])}


def _read(row: Row[Any], kind: type[Code] | type[RefreshToken]) -> dict[str, Any]:
    columns = {one.name: getattr(row, one.name) for one in fields(kind)}
    return {**columns, "scopes": tuple(columns["scopes"])}


def _values(noun: Code | RefreshToken | AccessToken | AppToken) -> dict[str, Any]:
    columns = {one.name: getattr(noun, one.name) for one in fields(noun)}
    return {**columns, "scopes": list(noun.scopes)}
