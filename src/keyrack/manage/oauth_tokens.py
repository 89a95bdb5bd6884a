"""What apps get for codes and refresh tokens, and give back (RFC 6749 §4.1.3 and §6, RFC 7009, RFC 7662, RFC 9700 §4.14).

A code, and a refresh token, is used up by one conditional UPDATE, in the transaction that writes the new tokens: of many at once, one
succeeds. One that comes again ends its grant: somebody else has had it, and nobody can tell who of the two is the app.
"""

import hmac
from dataclasses import dataclass, replace
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError, InvalidScopeError
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN, create_s256_code_challenge

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.feed.grants import principal_of
from keyrack.manage import attempts, grants, people
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.model.app_tokens import AppToken
from keyrack.model.apps import App, levels_of, scopes_of, shared
from keyrack.model.grants import (
    ACCESS_MS,
    CODE_MS,
    REFRESH_IDLE_MS,
    REFRESH_MS,
    AccessToken,
    Code,
    EndReason,
    FoundAccess,
    HeldGrant,
    RefreshToken,
)
from keyrack.model.principals import Kind, Principal
from keyrack.model.workspaces import Workspace
from keyrack.store import grants as grant_rows
from keyrack.store import oauth_lookup
from keyrack.store import oauth_tokens as rows
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

SECRET_LENGTH_MAX = 200
_UNPROVEN = "The client_id is unknown, or its client_secret is missing, wrong or replaced. A public app sends its client_id alone."
_SHUT_OUT = "The app may not act for this member any more: its grant has ended, or the member may not use the API. Ask the member again."


@dataclass(frozen=True, slots=True)
class Given:
    """New tokens, which leave here once. The repr hides them."""

    access: Secret
    refresh: Secret
    scopes: tuple[str, ...]
    expires_seconds: int = ACCESS_MS // 1000


@dataclass(frozen=True, slots=True)
class Told:
    """What an app hears of one of its access tokens that is accepted; `subject` is the person for whom it acts, or itself."""

    token: AccessToken | AppToken
    scopes: tuple[str, ...]
    workspace_id: str
    subject: str


async def client(desk: Desk, client_id: str, secret: str | None, address: str) -> App:
    """Return the app that these credentials prove; a public one proves nothing, and has no secret.

    Raises InvalidClientError, in the same words whatever is wrong; Refused `too_many_failures` for an address that tries too often.
    """
    attempts.refuse_failed_client(desk, address)
    async with desk.store.reading() as c:
        app = await oauth_lookup.app(c, client_id) if client_id and "\0" not in client_id else None
    given = digest((secret or "").encode()[:SECRET_LENGTH_MAX])
    fits = app is not None and (secret is None) == app.is_public and app.secret_ended_at is None
    if app is None or not fits or not hmac.compare_digest(given, app.secret_digest or given):
        attempts.count_failed_client(desk, address)
        raise InvalidClientError(_UNPROVEN, status_code=401)
    return app


async def redeem(desk: Desk, app: App, code: str, redirect_uri: str | None, verifier: str) -> Given:
    """Exchange a code for tokens, once. A wrong verifier or redirect URI costs the code. Raises InvalidGrantError."""
    proof, now = digest(code.encode()), desk.now()
    async with desk.store.changing() as c:
        used = await oauth_lookup.use_code(c, proof, app.id, now)
        wrong = "" if used is None else _misfit(app, used, redirect_uri, verifier)
        if used is not None and not wrong and await _may_act(desk, c, used.grant_id):
            return await _give(desk, c, used, shared(used.scopes, app.scopes), now + REFRESH_MS)
    if used is None:
        wrong = await _end_if_used(desk, app, proof)
    raise InvalidGrantError(wrong or _SHUT_OUT)


async def refresh(desk: Desk, app: App, token: str, scope: str | None) -> Given:
    """Exchange a refresh token for an access token and its own successor, once; `scope` may ask for less.

    Raises InvalidGrantError, InvalidScopeError.
    """
    proof, now = digest(token.encode()), desk.now()
    narrower = asked_scopes(scope)
    async with desk.store.changing() as c:
        used = await oauth_lookup.use_refresh_token(c, proof, app.id, now)
        if used is not None and await _may_act(desk, c, used.grant_id):
            scopes = used.scopes if narrower is None else narrower
            if shared(scopes, used.scopes) != scopes:
                # The transaction is undone: the token was not used.
                raise InvalidScopeError("The refresh token does not reach that far.")
            return await _give(desk, c, used, shared(scopes, app.scopes), used.ends_at)
    raise InvalidGrantError(_SHUT_OUT if used is not None else await _end_if_used(desk, app, proof))


async def revoke(desk: Desk, app: App, token: str) -> None:
    """Take a token back from its app: a refresh token with its whole grant, an access token alone. Another's, or none, changes nothing.

    When this returns, what ended is refused everywhere.
    """
    proof = digest(token.encode())
    async with desk.store.reading() as c:
        refreshing = await oauth_lookup.refresh_token(c, proof)
        access = await oauth_lookup.access_token(c, proof)
    if refreshing is not None and refreshing.app_id == app.id:
        await _end(desk, app, refreshing.grant_id, EndReason.APP_REVOKED)
    if access is not None and access.app.id == app.id:
        await _end_access(desk, app, access)


async def introspect(desk: Desk, app: App, token: str) -> Told | None:
    """Return what an app's own access token may do at this moment; None where it is not accepted, or another's."""
    if not well_formed(token):
        return None
    async with desk.store.reading() as c:
        found = await oauth_lookup.access_token(c, digest(token.encode()))
    if found is None or found.app.id != app.id:
        return None
    principal = principal_of(found, desk.categories, desk.plans)
    if principal.refusal is not None or (principal.until is not None and principal.until <= desk.now()):
        return None
    return Told(found.token, shared(found.token.scopes, found.scopes), found.workspace.id, found.grant.person_id)


async def prune(desk: Desk) -> None:
    """Forget codes and tokens that were over for a week, and apps that registered themselves for nobody."""
    async with desk.store.changing() as c:
        await rows.prune(c, desk.now())


def asked_scopes(scope: str | None) -> tuple[str, ...] | None:
    """Return the scopes that an app asks for, in their one form; None where it names none. Raises InvalidScopeError."""
    if scope is None or not scope.strip():
        return None
    try:
        return scopes_of(levels_of(scope.split()))
    except ValueError:
        raise InvalidScopeError("A scope is written as category:read or category:write.") from None


def _misfit(app: App, code: Code, redirect_uri: str | None, verifier: str) -> str:
    """Return why a code that is used up now gives nothing; empty where it gives tokens."""
    wrong = ""
    # An address that was taken from the app since gets nothing.
    if not app.accepts(code.redirect_uri):
        wrong = "The redirect URI to which the code was sent is registered no more."
    elif redirect_uri is not None and redirect_uri != code.redirect_uri:
        wrong = "redirect_uri is not the one to which the code was sent."
    elif not CODE_VERIFIER_PATTERN.fullmatch(verifier):
        wrong = "code_verifier has 43 to 128 characters, of letters, digits, and -._~ alone."
    elif not hmac.compare_digest(create_s256_code_challenge(verifier), code.challenge):
        wrong = "code_verifier is not the one of the code_challenge with which the member was asked."
    return wrong and f"{wrong} The code is used up: lead the member there again for another."


async def _may_act(desk: Desk, c: Connection, grant_id: str) -> bool:
    held, workspace = await oauth_lookup.grant(c, grant_id)
    member = held.member
    return held.is_live and workspace.deleted_at is None and member is not None and member.may_use_api and member.active(desk.now())


async def _give(desk: Desk, c: Connection, used: Code | RefreshToken, scopes: tuple[str, ...], ends_at: int) -> Given:
    access, refresh_secret = (mint(desk.brand.oauth_prefix(what)) for what in ("access_token", "refresh_token"))
    now = desk.now()
    whose: dict[str, Any] = {"workspace_id": used.workspace_id, "grant_id": used.grant_id, "app_id": used.app_id, "created_at": now}
    proof, prefix = digest(access.text.encode()), access.shown_prefix
    token = AccessToken(id=new_id(), digest=proof, prefix=prefix, scopes=scopes, expires_at=now + ACCESS_MS, **whose)
    await rows.add_access_token(c, token)
    until = min(now + REFRESH_IDLE_MS, ends_at)
    # The successor reaches as far as the one before: a narrower access token narrows nothing else (RFC 6749 §6).
    proof = digest(refresh_secret.text.encode())
    await rows.add_refresh_token(c, RefreshToken(digest=proof, scopes=used.scopes, expires_at=until, ends_at=ends_at, **whose))
    return Given(access, refresh_secret, scopes)


async def _end_if_used(desk: Desk, app: App, proof: bytes) -> str:
    """End the grant of a code or a refresh token that its app has used before. Returns why what was sent gives nothing."""
    async with desk.store.reading() as c:
        code, token = await oauth_lookup.code(c, proof, app.id), await oauth_lookup.refresh_token(c, proof)
    if code is not None and code.used_at is not None:
        await _end(desk, app, code.grant_id, EndReason.CODE_REUSED)
        return "The code was used before, so the grant has ended, with all its tokens. Ask the member again."
    if token is not None and token.app_id == app.id and token.used_at is not None:
        await _end(desk, app, token.grant_id, EndReason.REFRESH_TOKEN_REUSED)
        return "The refresh token was used before, so the grant has ended, with all its tokens. Ask the member again."
    if code is not None:
        return f"The code has expired: it works for {CODE_MS // 1000} seconds."
    if token is not None and token.app_id == app.id:
        return "The refresh token has expired: ask the member again."
    return "There is no such code and no such refresh token of this app."


async def _end(desk: Desk, app: App, grant_id: str, reason: EndReason) -> None:
    async with desk.store.reading() as c:
        held, workspace = await oauth_lookup.grant(c, grant_id)
    async with change(desk, _acting(desk, app, held, workspace)) as c:
        # Read anew: another may have ended it since.
        now_held = await grant_rows.held(c.connection, c.workspace_id, grant_id)
        if now_held.grant.ended_at is not None:
            c.found_done()
            return
        await grants.end(c, [now_held.grant], by=app.name, reason=reason)


async def _end_access(desk: Desk, app: App, found: FoundAccess) -> None:
    async with change(desk, _acting(desk, app, found, found.workspace)) as c:
        if not await rows.end_access_token(c.connection, c.workspace_id, found.token.id, c.now):
            c.found_done()
            return
        c.touch(found.token.id)
        c.record(grants.GRANT_TOKEN_REVOKED, found.grant.id, {**grants.shown(found.grant), "prefix": found.token.prefix})


def _acting(desk: Desk, app: App, held: HeldGrant, workspace: Workspace) -> Principal:
    """The app as the actor of what it does about itself."""
    acting = people.acting_as(desk, workspace, held.grant.member_id, held.name)
    return replace(acting, kind=Kind.ACCESS_TOKEN, credential_id=app.id, credential_name=app.name, app_id=app.id, grant_id=held.grant.id)
