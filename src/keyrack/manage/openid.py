"""Signing in through the operator's OpenID provider: the code flow with PKCE, `state` and `nonce` (OpenID Connect Core 1.0 §3.1, RFC 7636).

Whom the provider names is known by the provider's own id of them; the first time, by an email that the provider says it has verified.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from keyrack.manage import attempts, people, sessions
from keyrack.manage.change import change
from keyrack.manage.desk import Desk, OpenId
from keyrack.manage.sessions import SignedIn
from keyrack.model.events import EventType
from keyrack.model.people import Identity
from keyrack.model.refusals import CONFLICT, SIGN_IN_FAILED, STORE_UNAVAILABLE
from keyrack.store import identities, lookup
from keyrack.store import people as person_rows
from keyrack.store import sessions as session_rows

log = structlog.get_logger("keyrack")
IDENTITY_LINKED = EventType("person.identity_linked", description="A member signed in through the OpenID provider for the first time.")

CALLBACK_PATH = "/console/openid/callback"
BEGUN_SECONDS = 600
PROVIDER_SECONDS_MAX = 10.0
CLOCK_SECONDS_MAX = 60
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
# The provider says when it last saw the person prove themselves only to who asks for an age (OpenID Connect Core §3.1.2.1).
_AGE_SECONDS_MAX = 12 * 3600


class Begun(NamedTuple):
    """A sign-in under way: where the browser goes, and what it keeps meanwhile, in a cookie that scripts cannot read."""

    url: str
    kept: str


class Finished(NamedTuple):
    """A sign-in that succeeded, and the path to which it leads back."""

    signed_in: SignedIn
    return_to: str


async def begin(desk: Desk, *, return_to: str = "", prove: bool = False) -> Begun:
    """Begin to sign in at the provider. With `prove` the person has to prove themselves there anew, for what asks for a fresh proof.

    Raises Refused: 409 where no provider is set up; `store_unavailable` where it does not answer.
    """
    provider = _provider(desk)
    found = await _metadata(provider)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    asked: dict[str, Any] = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": _redirect_uri(desk),
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
        "max_age": 0 if prove else _AGE_SECONDS_MAX,
        **({"prompt": "login"} if prove else {}),
    }
    kept = {"state": state, "nonce": nonce, "verifier": verifier, "return_to": return_to, "begun_at": desk.now()}
    sealed = desk.sealers["openid"].seal(json.dumps(kept).encode(), provider.issuer)
    endpoint = str(found["authorization_endpoint"])
    return Begun(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", base64.urlsafe_b64encode(sealed).decode())


async def finish(desk: Desk, kept: str, params: Mapping[str, str], *, address: str, replaces: str = "") -> Finished:
    """Finish a sign-in with the parameters that the provider sent the browser back with, and begin a session.

    `kept` is what `begin` gave the browser. Raises Refused: `sign_in_failed` for an answer that was not asked for here and now, or for
    somebody whom no workspace knows; `too_many_failures`; `store_unavailable` where the provider does not answer.
    """
    attempts.count_of_address(desk, address)
    provider = _provider(desk)
    begun = _begun(desk, provider, kept)
    state = params.get("state", "").encode(errors="replace")
    if not secrets.compare_digest(str(begun["state"]).encode(), state) or params.get("iss", provider.issuer) != provider.issuer:
        raise _failed("This answer belongs to another sign-in.")
    if "code" not in params:
        raise _failed("The provider did not let you in.")
    claims = await _claims(desk, provider, params["code"], begun)
    person_id = await _person(desk, provider, claims)
    now = desk.now()
    said = claims.get("auth_time")
    proved_at = min(said * 1000, now) if isinstance(said, int) and not isinstance(said, bool) else 0
    async with desk.store.changing() as c:
        await sessions.end_replaced(c, replaces, now)
        signed_in = await sessions.begin(desk, c, person_id, await sessions.home(c, person_id, now), proved_at=proved_at)
    return Finished(signed_in, str(begun["return_to"]))


async def _person(desk: Desk, provider: OpenId, claims: Mapping[str, Any]) -> str:
    """Return whom the provider names, linking them to the login with their email where they come for the first time."""
    subject = str(claims["sub"])
    async with desk.store.reading() as c:
        known = await lookup.identity(c, provider.issuer, subject)
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        login = await lookup.login(c, email) if known is None and email else None
        there = await lookup.memberships(c, login.person.id) if login else []
    if known is not None:
        return known
    active = sessions.homes(there, desk.now())
    if login is None or not active:
        raise _failed("The provider knows you, but no workspace here does: ask to be invited with the email that you have there.")
    async with change(desk, people.acting(desk, active[0].workspace, active[0].member)) as made:
        await identities.add(made.connection, Identity(provider.issuer, subject, login.person.id, made.now))
        if login.email_verified_at is None:
            # Nobody had proved this email before: whoever chose a password for it may be somebody else.
            await person_rows.set_password(made.connection, active[0].workspace.id, login.person.id, None, made.now, verified=True)
            await session_rows.end_links(made.connection, active[0].workspace.id, login.person.id, made.now)
            await lookup.end_sessions(made.connection, login.person.id, made.now)
        made.record(IDENTITY_LINKED, login.person.id, {"id": login.person.id, "issuer": provider.issuer})
    return login.person.id


async def _claims(desk: Desk, provider: OpenId, code: str, begun: Mapping[str, Any]) -> dict[str, Any]:
    """Exchange the code, and return what the ID token says, once everything about it is right (OpenID Connect Core §3.1.3.7)."""
    found = await _metadata(provider)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _redirect_uri(desk),
        "code_verifier": str(begun["verifier"]),
    }
    answer = await _ask("POST", str(found["token_endpoint"]), data=form, auth=(provider.client_id, provider.client_secret))
    keys = await _ask("GET", str(found["jwks_uri"]))
    registry = jwt.JWTClaimsRegistry(
        now=desk.now() // 1000,
        leeway=CLOCK_SECONDS_MAX,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        nonce={"essential": True, "value": str(begun["nonce"])},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    )
    try:
        claims: dict[str, Any] = jwt.decode(str(answer["id_token"]), KeySet.import_key_set(keys), algorithms=_ALGORITHMS).claims  # type: ignore[arg-type]
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        log.warning("openid_token_refused", error=type(error).__name__)
        raise _failed("The provider's answer cannot be trusted.") from None
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != provider.client_id:
        raise _failed("The provider's answer is meant for somebody else.")
    return claims


async def _metadata(provider: OpenId) -> dict[str, Any]:
    found = await _ask("GET", f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise STORE_UNAVAILABLE("The OpenID provider calls itself by another name than oidc_issuer.")
    return found


async def _ask(method: str, url: str, **options: Any) -> dict[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=PROVIDER_SECONDS_MAX, trust_env=False, follow_redirects=False) as client:
            answer = await client.request(method, url, headers={"Accept": "application/json"}, **options)
        if answer.status_code in (400, 401):
            raise _failed("The provider did not take this sign-in: begin it again.")
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        log.warning("openid_provider_unavailable", error=type(error).__name__)
        raise STORE_UNAVAILABLE("The OpenID provider does not answer.", headers={"Retry-After": "5"}) from None
    return found if isinstance(found, dict) else {}


def _begun(desk: Desk, provider: OpenId, kept: str) -> dict[str, Any]:
    try:
        begun: dict[str, Any] = json.loads(desk.sealers["openid"].open(base64.urlsafe_b64decode(kept), provider.issuer))
    except ValueError:
        raise _failed("This sign-in did not begin in this browser.") from None
    if not 0 <= desk.now() - begun["begun_at"] <= BEGUN_SECONDS * 1000:
        raise _failed("This sign-in took too long: begin it again.")
    return begun


def _provider(desk: Desk) -> OpenId:
    if desk.outside.openid is None:
        raise CONFLICT("No OpenID provider is set up here.")
    return desk.outside.openid


def _redirect_uri(desk: Desk) -> str:
    return f"{desk.outside.base_url}{CALLBACK_PATH}"


def _failed(detail: str) -> Exception:
    return SIGN_IN_FAILED(detail)
