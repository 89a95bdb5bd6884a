"""Consents: what an app asks a member for, and what they say to it (RFC 6749 §4.1, RFC 7636, RFC 9207).

Who asks, and where to, is looked at first: until both are known to belong together, nothing is sent anywhere (RFC 9700 §4.11).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnsupportedResponseTypeError,
)

from keyrack.crypto.digest import digest
from keyrack.crypto.format import mint
from keyrack.manage import described_apps, grants, people, plans
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.model.apps import App, is_ours, levels_of, refused_redirect_uri, scopes_of, shared, united
from keyrack.model.grants import CODE_MS, Code, Grant
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND
from keyrack.store import grants as rows
from keyrack.store import members as member_rows
from keyrack.store import oauth_lookup, oauth_tokens
from keyrack.store.ids import new_id
from keyrack.store.lookup import Membership

STATE_LENGTH_MAX = 1000
SHOWN_MAX, NAMED_MAX = 300, 5
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""What a SHA-256 is in base64url without padding: nothing else can be an S256 challenge."""

_SCOPE = re.compile(r"[A-Za-z0-9_.*:-]{1,100}")
"""A scope that an error may repeat: RFC 6749 §5.2 bounds its characters."""

_NAMES = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks for. `wrong` is what its request lacks: then nobody is asked, and the app is told."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str
    wrong: OAuth2Error | None = None

    def answer(self, issuer: str, **told: str) -> str:
        """Return the address at which the app hears the answer; it says whose answer it is (RFC 9207)."""
        params = [*told.items(), *([("state", self.state)] if self.state is not None else []), ("iss", issuer)]
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode(params)}"

    def refusal(self, issuer: str, error: OAuth2Error) -> str:
        """Return the address at which the app hears of an error."""
        return self.answer(issuer, **dict(error.get_body()))


async def asked(desk: Desk, session: Principal, parameters: Sequence[tuple[str, str]], issuer: str) -> Asked:
    """Return what an authorization request asks the person behind a session for.

    Raises Refused 400 where its app is unknown, or the redirect URI is none of that app's: nothing is sent there.
    """
    given = dict(parameters)
    repeated = next((name for name in _NAMES if sum(one == name for one, _ in parameters) > 1), None)
    if repeated in ("client_id", "redirect_uri") or "\0" in given.get("client_id", ""):
        raise INVALID_REQUEST("The app's request cannot be read. Tell whoever makes the app.")
    app = await described_apps.known(desk, session, given.get("client_id", ""))
    if app is None:
        if not given.get("client_id"):
            raise INVALID_REQUEST("The app's request has no client_id. Tell whoever makes the app.")
        raise INVALID_REQUEST("There is no app with this client_id here, or not any more. Nothing was sent to it.")
    redirect_uri = given.get("redirect_uri", app.redirect_uris[0] if len(app.redirect_uris) == 1 else "")
    if not app.accepts(redirect_uri):
        raise INVALID_REQUEST(f"{app.name} asked for its answer at {_named(redirect_uri)}. Nothing was sent there.")
    scopes, wrong = app.scopes, _wrong(given, repeated)
    if wrong is None and any(name == "resource" and not is_ours(value, issuer) for name, value in parameters):
        wrong = invalid_target(issuer)
    if wrong is None and given.get("scope", "").strip():
        scopes, wrong = _scopes(app, given["scope"].split(), app.scopes)
    elif wrong is None and not app.is_registered:
        wrong = InvalidScopeError("The app says by scope what it asks for: no admin has said it before.")
    state = given.get("state") if repeated != "state" and len(given.get("state", "")) <= STATE_LENGTH_MAX else None
    return Asked(app, redirect_uri, scopes, state, given.get("code_challenge", ""), wrong)


def invalid_target(issuer: str) -> OAuth2Error:
    """Return what an app is told that names a resource of another server (RFC 8707 §2)."""
    return OAuth2Error(f"There is one API here: {issuer}.", error="invalid_target")


async def choices(desk: Desk, session: Principal) -> list[Membership]:
    """Return the workspaces in which the person behind a session may let apps in. Raises Refused 403 where they did not sign in."""
    if not session.decides_roles or session.person_id is None:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to let an app in.")
    return [one for one in await people.workspaces_of(desk, session) if one.member.may_use_api]


async def allow(desk: Desk, session: Principal, wanted: Asked, workspace_id: str, issuer: str) -> str:
    """Let an app act for the person behind a session in one of their workspaces. Returns the address at which the app gets its code.

    Raises Refused 403 where the person may not use the API there, or the plan does not include it; 404 for a workspace that is not theirs.
    """
    there = next((one for one in await choices(desk, session) if one.workspace.id == workspace_id), None)
    if there is None:
        raise NOT_FOUND("There is no such workspace in which you may let an app in.", param="workspace_id")
    code, app = mint(desk.brand.oauth_prefix("code")), wanted.app
    acting = people.acting_as(desk, there.workspace, there.member.id, there.member.name)
    async with change(desk, acting) as c:
        await plans.require_api(desk, c)
        member = await member_rows.get(c.connection, c.workspace_id, there.member.id)
        if not member.active(c.now) or not member.may_use_api:
            raise INSUFFICIENT_PERMISSION("You may not use the API there. An owner or admin can let you.")
        if not app.is_registered:
            app = await oauth_lookup.keep_app(c.connection, app)
            c.touch(app.id)
        grant = await _granted(c, app, wanted.scopes, there)
        fields: dict[str, Any] = {"redirect_uri": wanted.redirect_uri, "challenge": wanted.challenge, "scopes": wanted.scopes}
        proof = digest(code.text.encode())
        made = Code(proof, c.workspace_id, grant.id, app.id, **fields, created_at=c.now, expires_at=c.now + CODE_MS)
        await oauth_tokens.add_code(c.connection, made)
    return wanted.answer(issuer, code=code.text)


def deny(wanted: Asked, issuer: str) -> str:
    """Return the address at which the app hears that the member does not let it in."""
    return wanted.refusal(issuer, AccessDeniedError("The member did not let the app in."))


async def _granted(c: Change, app: App, asked_for: tuple[str, ...], there: Membership) -> Grant:
    before = await rows.live(c.connection, c.workspace_id, [there.member.id], app.id)
    if before:
        grant = before[0]
        scopes = united(grant.scopes, asked_for)
        await rows.widen(c.connection, c.workspace_id, grant.id, scopes, c.now)
        c.touch(grant.id)
        c.record(grants.GRANT_UPDATED, grant.id, {**grants.shown(grant), "scopes": list(scopes)})
        return grant
    who: dict[str, Any] = {"member_id": there.member.id, "person_id": there.member.person_id}
    grant = Grant(new_id(), c.workspace_id, app.id, **who, scopes=asked_for, created_at=c.now, updated_at=c.now)
    await rows.add(c.connection, grant)
    c.record(grants.GRANT_CREATED, grant.id, grants.shown(grant))
    return grant


def _named(redirect_uri: str) -> str:
    """Return what to call an address that the app may not name. What is no address is not repeated: anybody could write there."""
    if refused_redirect_uri(redirect_uri) is not None:
        return "an address that can be no redirect URI" if redirect_uri else "no address, and it has several"
    return f"{redirect_uri[:SHOWN_MAX]}, which is not registered for it, letter by letter"


def _wrong(given: Mapping[str, str], repeated: str | None) -> OAuth2Error | None:
    if repeated is not None:
        return InvalidRequestError(f"The parameter {repeated} stands twice.")
    if given.get("response_type") != "code":
        missing = "response_type" not in given
        return InvalidRequestError("response_type is missing.") if missing else UnsupportedResponseTypeError("", "response_type is code.")
    if given.get("code_challenge_method") != "S256" or not given.get("code_challenge"):
        return InvalidRequestError("PKCE is needed: a code_challenge with the code_challenge_method S256.")
    if not _CHALLENGE.fullmatch(given["code_challenge"]):
        return InvalidRequestError("code_challenge is the SHA-256 of code_verifier in base64url without padding: 43 characters.")
    if len(given.get("state", "")) > STATE_LENGTH_MAX or "\0" in given.get("state", ""):
        return InvalidRequestError(f"state has at most {STATE_LENGTH_MAX} characters.")
    return None


def _scopes(app: App, scopes: Sequence[str], most: tuple[str, ...]) -> tuple[tuple[str, ...], OAuth2Error | None]:
    try:
        chosen = scopes_of(levels_of(scopes))
    except ValueError:
        return (), InvalidScopeError("A scope is written as category:read or category:write.")
    if shared(chosen, most) != chosen:
        beyond = [one for one in chosen if shared((one,), most) != (one,) and _SCOPE.fullmatch(one)]
        which = " ".join(beyond[:NAMED_MAX]) or "all of these scopes"
        return (), InvalidScopeError(f"The app is not registered for {which}.")
    return chosen, None
