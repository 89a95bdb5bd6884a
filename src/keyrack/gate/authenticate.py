"""Who is calling? The only reader of the secret."""

from collections.abc import Callable
from typing import Protocol

from keyrack.crypto.digest import digest
from keyrack.crypto.format import well_formed
from keyrack.feed.cache import Cache
from keyrack.feed.look_ups import LookUps
from keyrack.gate.visitors import Visitors
from keyrack.model.calls import Call
from keyrack.model.ip_ranges import holds, read_address
from keyrack.model.principals import Principal
from keyrack.model.refusals import (
    ADDRESS_NOT_ALLOWED,
    INVALID_CREDENTIAL,
    INVALID_REQUEST,
    MISSING_CREDENTIAL,
    TOO_MANY_FAILURES,
    Refusal,
)

_OWN_HEADERS = (b"x-api-key", b"x-api-token")


class Throttle(Protocol):
    """Counts failed proofs per address."""

    def blocked(self, address: str) -> int | None:
        """Return the seconds to wait, or None where the address may try."""

    def failure(self, address: str) -> None:
        """Count one failed proof."""


class Authenticator:
    """Proves callers. `realm` is the brand's name in `WWW-Authenticate`; `base_url`, where it is set, leads apps to what RFC 9728 says."""

    def __init__(
        self, look_ups: LookUps, visitors: Visitors, throttle: Throttle, realm: str, now: Callable[[], int], base_url: str | None = None
    ) -> None:
        self.visitors = visitors
        self._look_ups = look_ups
        self._throttle = throttle
        self._now = now
        self._challenge = f'Bearer realm="{realm}"'
        if base_url is not None:
            self._challenge += f', resource_metadata="{base_url.rstrip("/")}/.well-known/oauth-protected-resource"'

    @property
    def cache(self) -> Cache:
        """The cache whose evictions end streams and sockets."""
        return self._look_ups.cache

    def cached(self, call: Call, headers: dict[bytes, bytes]) -> Principal | None:
        """Read the credential and return its principal where memory holds it. Raises Refused for a malformed or missing one."""
        secret = self._secret(headers) if call.embed_key is None else self._beside_embed_key(call.embed_key, headers)
        try:
            call.visit = self.visitors.visit(secret)
        except ValueError:
            raise self._unknown(call) from None
        call.digest = digest(secret) if call.visit is None else call.visit.digest
        principal = self._look_ups.cached(call.digest)
        if principal is not None:
            return self._accepted(call, principal)
        if call.visit is None and not well_formed(secret.decode("latin-1")):
            raise self._unknown(call)
        return None

    async def named(self, call: Call) -> Principal | None:
        """Return whom the embed key in the URL of a preflight names, ended or not; None where it names nobody. It proves nothing yet.

        Raises Refused 429 for who named too many that there are not.
        """
        if call.embed_key is None or not well_formed(call.embed_key):
            return None
        found = digest(call.embed_key.encode())
        call.principal = self._look_ups.cached(found) or await self._look_up(call, found)
        if call.principal is None:
            self._throttle.failure(call.address or "")
        return call.principal

    async def look_up(self, call: Call) -> Principal:
        """Return the principal of the credential that `cached` has read, from the store. Raises Refused where there is none."""
        assert call.digest is not None
        principal = await self._look_up(call, call.digest)
        if principal is None:
            raise self._unknown(call)
        return self._accepted(call, principal)

    async def recheck(self, call: Call) -> Principal:
        """Prove the caller anew: for what outlives its call's decision. Raises Refused where the credential is no longer accepted."""
        assert call.digest is not None
        principal = await self._look_ups.prove(call.digest)
        if principal is None:
            raise self._unauthorized(INVALID_CREDENTIAL, "The credential is no longer known.")
        return self._accepted(call, principal)

    async def _look_up(self, call: Call, found: bytes) -> Principal | None:
        wait = self._throttle.blocked(call.address or "")
        if wait is not None:
            raise TOO_MANY_FAILURES("Too many unknown credentials came from this address.", headers={"Retry-After": str(wait)})
        return await self._look_ups.look_up(found)

    def _accepted(self, call: Call, principal: Principal) -> Principal:
        if principal.embedded is not None:
            principal = self.visitors.bounded(call, principal, principal.embedded)
        # Named in the log from here on, also when refused: an ended key's calls are not anonymous.
        call.principal = principal
        refusal = principal.refusal
        if refusal is None and principal.until is not None and principal.until <= self._now():
            refusal = principal.until_refusal
        if refusal is not None:
            why = f" {principal.because}" if principal.because else ""
            name = principal.credential_name if principal.embedded is None else "an embed key"
            if refusal.status != 401:
                raise refusal(f"{refusal.title}: {name}.{why}")
            raise self._unauthorized(refusal, f"{refusal.title}: {name} ({principal.prefix}…).{why}")
        if principal.embedded is not None:
            self.visitors.require_origin(call, principal)
        if principal.ip_ranges and not holds(principal.ip_ranges, read_address(call.address)):
            raise ADDRESS_NOT_ALLOWED(f"This key does not accept calls from {call.address or 'an unknown address'}.")
        return principal

    def _beside_embed_key(self, embed_key: str, headers: dict[bytes, bytes]) -> bytes:
        """Return the credential of a call whose URL has an embed key: that one, unless a visit stands in a header."""
        if b"authorization" not in headers and not any(name in headers for name in _OWN_HEADERS):
            return embed_key.encode()
        secret = self._secret(headers)
        if not self.visitors.reads(secret):
            raise self._two_credentials()
        return secret

    def _secret(self, headers: dict[bytes, bytes]) -> bytes:
        bearer = headers.get(b"authorization")
        if bearer is not None and bearer[:7] == b"Bearer " and b"x-api-key" not in headers and b"x-api-token" not in headers:
            secret = bearer[7:].strip()
            if secret:
                return secret
        own = [headers[name] for name in _OWN_HEADERS if name in headers]
        if len(own) + (bearer is not None) > 1:
            raise self._two_credentials()
        if own:
            return own[0].strip()
        if bearer is None:
            # RFC 6750 §3.1: a call without any credential gets the bare challenge, without an error code.
            raise MISSING_CREDENTIAL(
                "This call has no credential. Write the header `Authorization: Bearer <key>`.",
                headers={"WWW-Authenticate": self._challenge},
            )
        scheme, _, rest = bearer.strip().partition(b" ")
        if scheme.lower() == b"bearer" and rest.strip():
            return rest.strip()
        raise self._unauthorized(INVALID_CREDENTIAL, _advice(scheme, rest))

    def _two_credentials(self) -> Exception:
        challenge = {"WWW-Authenticate": f'{self._challenge}, error="invalid_request"'}
        return INVALID_REQUEST("The call has two credentials: send one header only.", headers=challenge)

    def _unknown(self, call: Call) -> Exception:
        self._throttle.failure(call.address or "")
        return self._unauthorized(INVALID_CREDENTIAL, "No key like this exists here. Check that it was copied whole, without spaces.")

    def _unauthorized(self, refusal: Refusal, detail: str) -> Exception:
        return refusal(detail, headers={"WWW-Authenticate": f'{self._challenge}, error="invalid_token"'})


def _advice(scheme: bytes, rest: bytes) -> str:
    if scheme.lower() == b"bearer:":
        return "Write `Authorization: Bearer <key>`, without a colon after Bearer."
    if scheme.lower() == b"bearer":
        return "The header says Bearer but holds no key. Write `Authorization: Bearer <key>`."
    if not rest:
        return "The Authorization header holds no scheme. Write `Authorization: Bearer <key>`."
    return "The Authorization header's scheme is not Bearer. Write `Authorization: Bearer <key>`."
