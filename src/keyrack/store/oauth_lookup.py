"""The closed list of finders of OAuth that take no workspace: what they look for is all that is known. Each names who may call it."""

from sqlalchemy import select, update

from keyrack.model.apps import App
from keyrack.model.grants import Code, FoundAccess, HeldGrant, RefreshToken
from keyrack.model.workspaces import Workspace
from keyrack.store import apps as app_rows
from keyrack.store import changes, oauth_tokens, rights
from keyrack.store import grants as grant_rows
from keyrack.store import workspaces as workspace_rows
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import access_tokens, apps, codes, grants, refresh_tokens
from keyrack.store.tables import members, workspaces


async def access_token(c: Connection, digest: bytes) -> FoundAccess | None:
    """Return the access token with this digest, also an ended one. For `keyrack.store.lookup` and `keyrack.manage.oauth_tokens`."""
    found = grant_rows.everywhere(access_tokens, rights.reached_by_all(members), changes.newest_column())
    row = await c.first(found.join(access_tokens, access_tokens.c.grant_id == grants.c.id).where(access_tokens.c.digest == digest))
    if row is None:
        return None
    one, token = grant_rows.read_held(row), oauth_tokens.read_access_token(row)
    reached, revision = rights.read_reached(row), row._mapping["newest_revision"]
    return FoundAccess(one.grant, one.app, one.name, one.email, one.member, token, workspace_rows.read(row), reached, revision)


async def app(c: Connection, client_id: str) -> App | None:
    """Return the app that calls itself so. For `keyrack.manage.consents` and `keyrack.manage.oauth_tokens`."""
    row = await c.first(select(apps).where(apps.c.client_id == client_id, apps.c.deleted_at.is_(None)))
    return app_rows.read(row) if row else None


async def use_code(c: Connection, digest: bytes, app_id: str, now: int) -> Code | None:
    """Use up a code of an app, or return None: unknown, used or expired. Of many at once, one gets it.

    For `keyrack.manage.oauth_tokens` alone.
    """
    waiting = (codes.c.digest == digest) & (codes.c.app_id == app_id) & codes.c.used_at.is_(None) & (codes.c.expires_at > now)
    row = await c.first(update(codes).where(waiting).values(used_at=now).returning(*codes.c))
    return oauth_tokens.read_code(row) if row else None


async def code(c: Connection, digest: bytes, app_id: str) -> Code | None:
    """Return a code of an app, whatever became of it. For `keyrack.manage.oauth_tokens` alone."""
    row = await c.first(select(codes).where(codes.c.digest == digest, codes.c.app_id == app_id))
    return oauth_tokens.read_code(row) if row else None


async def use_refresh_token(c: Connection, digest: bytes, app_id: str, now: int) -> RefreshToken | None:
    """Use up a refresh token of an app, or return None: unknown, used or expired. Of many at once, one gets it.

    For `keyrack.manage.oauth_tokens` alone.
    """
    own = (refresh_tokens.c.digest == digest) & (refresh_tokens.c.app_id == app_id)
    waiting = own & refresh_tokens.c.used_at.is_(None) & (refresh_tokens.c.expires_at > now)
    row = await c.first(update(refresh_tokens).where(waiting).values(used_at=now).returning(*refresh_tokens.c))
    return oauth_tokens.read_refresh_token(row) if row else None


async def refresh_token(c: Connection, digest: bytes) -> RefreshToken | None:
    """Return a refresh token, whatever became of it. For `keyrack.manage.oauth_tokens` alone."""
    row = await c.first(select(refresh_tokens).where(refresh_tokens.c.digest == digest))
    return oauth_tokens.read_refresh_token(row) if row else None


async def grant(c: Connection, grant_id: str) -> tuple[HeldGrant, Workspace]:
    """Return the grant behind a code or a token. For `keyrack.manage.oauth_tokens` alone."""
    row = await c.first(grant_rows.everywhere().where(grants.c.id == grant_id))
    assert row is not None
    return grant_rows.read_held(row), workspace_rows.read(row)


async def grants_of(c: Connection, person_id: str, limit: int) -> list[tuple[HeldGrant, Workspace]]:
    """Return what one person holds: their grants that nobody has ended, in every workspace. For `keyrack.manage.own_grants` alone."""
    going = grants.c.ended_at.is_(None) & apps.c.deleted_at.is_(None) & workspaces.c.deleted_at.is_(None)
    theirs = grant_rows.everywhere().where(grants.c.person_id == person_id, going)
    ordered = theirs.order_by(workspaces.c.name, workspaces.c.id, grants.c.created_at.desc(), grants.c.id)
    return [(grant_rows.read_held(row), workspace_rows.read(row)) for row in await c.all(ordered.limit(limit))]
