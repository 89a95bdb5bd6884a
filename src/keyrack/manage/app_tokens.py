"""What apps get for themselves, in the workspace that they belong to: client credentials (RFC 6749 §4.4).

An admin gives an app permissions of its own (`own_scopes`); without any, it gets nothing. There is no refresh token: the app's secret gets
the next token, and with another secret those before have ended.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidScopeError, UnauthorizedClientError

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint
from keyrack.feed.app_tokens import principal_of
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.manage.oauth_tokens import Told, asked_scopes
from keyrack.model.app_tokens import AppToken
from keyrack.model.apps import App, shared
from keyrack.model.events import EventType
from keyrack.model.grants import ACCESS_MS
from keyrack.model.limits import Bucket, Limit
from keyrack.model.plans import missing_api
from keyrack.model.refusals import RATE_LIMITED
from keyrack.store import apps as app_rows
from keyrack.store import oauth_lookup
from keyrack.store import oauth_tokens as rows
from keyrack.store import workspaces as workspace_rows
from keyrack.store.ids import new_id

APP_TOKEN_REVOKED = EventType("app.token_revoked", description="An app gave back a token that it had for itself.")
# One an hour is enough; whoever asks before each call fills the store.
TOKENS_MADE = Limit("app_tokens_made", quota=60, window_seconds=60, burst=60)


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """A new token that an app has for itself, which leaves here once. The repr hides it."""

    access: Secret
    scopes: tuple[str, ...]
    expires_seconds: int = ACCESS_MS // 1000


async def give(desk: Desk, app: App, scope: str | None) -> OwnAccess:
    """Give an app a token for itself. Raises UnauthorizedClientError, InvalidScopeError; Refused `rate_limited`."""
    if app.is_public or app.workspace_id is None:
        raise UnauthorizedClientError("A public app cannot prove itself, so it gets no token of its own.")
    _count(desk, app)
    secret, narrower = mint(desk.brand.oauth_prefix("access_token")), asked_scopes(scope)
    async with desk.store.changing() as c:
        # Read anew: what was proved may have ended since.
        now_app = await app_rows.get(c, app.workspace_id, app.id)
        if missing := missing_api(desk.plans, (await workspace_rows.get(c, app.workspace_id)).plan):
            raise UnauthorizedClientError(missing)
        scopes = now_app.own_scopes if narrower is None else narrower
        if not now_app.own_scopes:
            raise UnauthorizedClientError("The app has no permissions of its own: an admin of its workspace can give it some.")
        if shared(scopes, now_app.own_scopes) != scopes:
            raise InvalidScopeError("The app has not all of these permissions for itself.")
        times: dict[str, Any] = {"created_at": desk.now(), "expires_at": desk.now() + ACCESS_MS}
        proof: dict[str, Any] = {"digest": digest(secret.text.encode()), "prefix": secret.shown_prefix, "proved_by": app.secret_digest}
        token = AppToken(id=new_id(), workspace_id=app.workspace_id, app_id=app.id, scopes=scopes, **proof, **times)
        await rows.add_app_token(c, token)
    return OwnAccess(secret, scopes)


async def revoke(desk: Desk, app: App, token: str) -> None:
    """Take a token back that an app has for itself; another's, or none, changes nothing. When this returns, it is refused everywhere."""
    async with desk.store.reading() as c:
        found = await oauth_lookup.app_token(c, digest(token.encode()))
    if found is None or found.app.id != app.id:
        return
    acting = replace(principal_of(found, desk.categories, desk.plans), credential_id=app.id)
    async with change(desk, acting) as c:
        if not await rows.end_app_token(c.connection, c.workspace_id, found.token.id, c.now):
            c.found_done()
            return
        c.touch(found.token.id)
        c.record(APP_TOKEN_REVOKED, app.id, {"id": app.id, "name": app.name, "prefix": found.token.prefix})


async def introspect(desk: Desk, app: App, token: str) -> Told | None:
    """Return what a token that an app has for itself may do at this moment; None where it is not accepted, or another's."""
    async with desk.store.reading() as c:
        found = await oauth_lookup.app_token(c, digest(token.encode()))
    if found is None or found.app.id != app.id:
        return None
    principal = principal_of(found, desk.categories, desk.plans)
    if principal.refusal is not None or found.token.expires_at <= desk.now():
        return None
    return Told(found.token, shared(found.token.scopes, found.app.own_scopes), found.workspace.id, app.client_id)


def _count(desk: Desk, app: App) -> None:
    key = blake2b(TOKENS_MADE.name.encode() + b"\0" + app.id.encode(), digest_size=16).digest()
    taken = desk.counters.take((Bucket(TOKENS_MADE, key),), 1)
    if not taken.allowed:
        told = "The app asks for a token too often: each works for an hour."
        raise RATE_LIMITED(told, headers={"Retry-After": str(taken.retry_after_seconds)})
