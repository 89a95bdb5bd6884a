"""The closed list of finders of OAuth that take no workspace: what they look for is all that is known. Each names who may call it."""

from collections.abc import Collection

from sqlalchemy import LargeBinary, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from keyrack.model.app_tokens import FoundAppToken
from keyrack.model.apps import App
from keyrack.model.grants import Code, FoundAccess, HeldGrant, RefreshToken
from keyrack.model.leaks import Hit
from keyrack.model.workspaces import Workspace
from keyrack.store import apps as app_rows
from keyrack.store import changes, oauth_tokens, rights
from keyrack.store import grants as grant_rows
from keyrack.store import workspaces as workspace_rows
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import access_tokens, app_tokens, apps, codes, grants, refresh_tokens
from keyrack.store.tables import members, workspaces

# Written once, as in `lookup`.
_DIGEST = bindparam("digest", type_=LargeBinary)
_ACCESS_TOKEN = (
    grant_rows.everywhere(access_tokens, rights.reached_by_all(members), changes.newest_column())
    .join(access_tokens, access_tokens.c.grant_id == grants.c.id)
    .where(access_tokens.c.digest == _DIGEST)
)
_APP_TOKEN = (
    select(app_tokens, apps, workspaces, changes.newest_column())
    .select_from(app_tokens.join(apps, apps.c.id == app_tokens.c.app_id).join(workspaces, workspaces.c.id == app_tokens.c.workspace_id))
    .where(app_tokens.c.digest == _DIGEST)
)


async def access_token(c: Connection, digest: bytes) -> FoundAccess | None:
    """Return the access token with this digest, also an ended one. For `keyrack.store.lookup` and `keyrack.manage.oauth_tokens`."""
    row = await c.first(_ACCESS_TOKEN, {"digest": digest})
    if row is None:
        return None
    one, token = grant_rows.read_held(row), oauth_tokens.read_access_token(row)
    reached, revision = rights.read_reached(row), row._mapping["newest_revision"]
    return FoundAccess(one.grant, one.app, one.name, one.email, one.member, token, workspace_rows.read(row), reached, revision)


async def app_token(c: Connection, digest: bytes) -> FoundAppToken | None:
    """Return the app token with this digest, also an ended one. For `keyrack.store.lookup` and `keyrack.manage.app_tokens`."""
    row = await c.first(_APP_TOKEN, {"digest": digest})
    if row is None:
        return None
    token, revision = oauth_tokens.read_app_token(row), row._mapping["newest_revision"]
    return FoundAppToken(token, app_rows.read(row), workspace_rows.read(row), revision)


async def app(c: Connection, client_id: str) -> App | None:
    """Return the app that calls itself so. For `keyrack.manage.described_apps` and `keyrack.manage.oauth_tokens`."""
    row = await c.first(select(apps).where(apps.c.client_id == client_id, apps.c.deleted_at.is_(None)))
    return app_rows.read(row) if row else None


async def keep_app(c: Connection, app: App) -> App:
    """Add an app that no workspace registered, or save what it says of itself now, and return it as it is kept. Touch it then.

    For `keyrack.manage.consents` and `keyrack.manage.described_apps`.
    """
    values = app_rows.values_of(app)
    insert = postgresql.insert if c.dialect == "postgresql" else sqlite.insert
    said = {name: values[name] for name in ("name", "redirect_uris", "scopes", "homepage_url", "updated_at")}
    given = insert(apps).values(id=app.id, workspace_id=None, **values)
    kept = given.on_conflict_do_update(index_elements=["client_id"], set_=said, where=apps.c.workspace_id.is_(None))
    row = await c.first(kept.returning(*apps.c))
    assert row is not None
    return app_rows.read(row)


async def apps_by_ids(c: Connection, app_ids: Collection[str]) -> dict[str, App]:
    """Return the apps with these ids that were not deleted, wherever they were registered. For `keyrack.manage.grants` alone."""
    found = select(apps).where(apps.c.id.in_(app_ids), apps.c.deleted_at.is_(None))
    return {one.id: one for one in map(app_rows.read, await c.all(found))}


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


async def leaked_grants(c: Connection, digests: Collection[bytes]) -> list[Hit]:
    """Return the grants of the access tokens and refresh tokens with these digests, whatever became of them.

    For `keyrack.manage.leaks` alone.
    """
    hits: list[Hit] = []
    for table, over in ((access_tokens, access_tokens.c.ended_at), (refresh_tokens, refresh_tokens.c.used_at)):
        until = func.coalesce(over, table.c.expires_at).label("until")
        found = select(table.c.digest, table.c.grant_id, until, workspaces).join(workspaces, workspaces.c.id == table.c.workspace_id)
        rows = await c.all(found.where(table.c.digest.in_(digests)))
        hits += [Hit(row.digest, row.grant_id, workspace_rows.read(row), row.until) for row in rows]
    return hits


async def leaked_app_tokens(c: Connection, digests: Collection[bytes]) -> list[Hit]:
    """Return the app tokens with these digests, whatever became of them. For `keyrack.manage.leaks` alone."""
    own = app_tokens.c
    found = select(own.digest, own.id.label("hit_id"), func.coalesce(own.ended_at, own.expires_at).label("until"), workspaces)
    rows = await c.all(found.join(workspaces, workspaces.c.id == own.workspace_id).where(own.digest.in_(digests)))
    return [Hit(row.digest, row.hit_id, workspace_rows.read(row), row.until) for row in rows]


async def leaked_client_secrets(c: Connection, digests: Collection[bytes]) -> list[Hit]:
    """Return the apps that have the client secrets with these digests. For `keyrack.manage.leaks` alone."""
    found = select(apps.c.secret_digest, apps.c.id.label("hit_id"), workspaces).join(workspaces, workspaces.c.id == apps.c.workspace_id)
    own = apps.c.secret_digest.in_(digests) & apps.c.deleted_at.is_(None)
    return [Hit(row.secret_digest, row.hit_id, workspace_rows.read(row)) for row in await c.all(found.where(own))]


async def grants_of(c: Connection, person_id: str, limit: int) -> list[tuple[HeldGrant, Workspace]]:
    """Return what one person holds: their grants that nobody has ended, in every workspace. For `keyrack.manage.own_grants` alone."""
    going = grants.c.ended_at.is_(None) & apps.c.deleted_at.is_(None) & workspaces.c.deleted_at.is_(None)
    theirs = grant_rows.everywhere().where(grants.c.person_id == person_id, going)
    ordered = theirs.order_by(workspaces.c.name, workspaces.c.id, grants.c.created_at.desc(), grants.c.id)
    return [(grant_rows.read_held(row), workspace_rows.read(row)) for row in await c.all(ordered.limit(limit))]
