"""Who looks at a page that embeds something: from which origin they call, what browsers may be told there, and whose visit it is.

Browsers alone are held to origins: whoever calls by other means can name any. So an origin bounds where an embed key is of use, and what
an embed key may do is bounded as if there were no origins.
"""

from dataclasses import replace

from keyrack.crypto.seal import Sealer
from keyrack.model.calls import Call
from keyrack.model.embed_keys import SAME_ORIGIN, Embedded, Visit
from keyrack.model.limits import Header
from keyrack.model.permissions import VISITOR_MASKS
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import ORIGIN_NOT_ALLOWED, VISIT_ENDED
from keyrack.volatile.throttle import together

_VARY: Header = (b"vary", b"Origin")
_TOLD: Header = (
    b"access-control-expose-headers",
    b"Api-Version, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id",
)
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-headers", b"Api-Version, Authorization, Content-Type, Idempotency-Key"),
    (b"access-control-max-age", b"600"),
    (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
)


class Visitors:
    """Reads visits, and bounds embed keys and visits to the origins of the key. `prefix` is what the token of a visit begins with."""

    def __init__(self, sealer: Sealer, prefix: str) -> None:
        self._sealer = sealer
        self._prefix = prefix
        self._head = f"{prefix}_".encode()

    def reads(self, secret: bytes) -> bool:
        """Whether a credential says that it is the token of a visit."""
        return secret.startswith(self._head)

    def visit(self, secret: bytes) -> Visit | None:
        """Return the visit that a token is, None for any other credential. Raises ValueError for one that was not opened here."""
        if not self.reads(secret):
            return None
        sealed = bytes.fromhex(secret[len(self._head) :].decode("latin-1"))
        return Visit.read(self._sealer.open(sealed, self._prefix))

    def bounded(self, call: Call, principal: Principal, embedded: Embedded) -> Principal:
        """Return who calls with an embed key or a visit of it: with the origin of their page, where it is one of the key's.

        What browsers let that page read is put into the answer, also where the call is refused for another reason.
        """
        visit = call.visit
        if visit is not None:
            embedded = replace(embedded, visitor=visit.visitor)
            whose = {"kind": Kind.VISITOR, "masks": VISITOR_MASKS, "until": visit.ends_at, "until_refusal": VISIT_ENDED}
            principal = replace(principal, **whose)  # type: ignore[arg-type]
        known = call.origin in embedded.origins
        if call.principal is None:  # else it is proven anew, and its answer has begun
            call.headers += [_VARY, *(_allowed(call.origin) if known else ())]
        origin = call.origin if known else SAME_ORIGIN if call.is_same_origin else None
        address = together(call.address or "").hex()
        return replace(principal, embedded=embedded, origin=origin, buckets=embedded.buckets(principal.credential_id, address))

    def require_origin(self, call: Call, principal: Principal) -> None:
        """Refuse with 403 unless the call came from a page of the key's, and a visit from one of the origin on which it was opened."""
        if principal.origin is None:
            # Anybody can call with it: what its workspace calls it is not said.
            if not call.origin:
                raise ORIGIN_NOT_ALLOWED("An embed key works on pages of its origins alone, and this call names no Origin.")
            raise ORIGIN_NOT_ALLOWED(f"This embed key does not work on pages of {call.origin}.")
        if call.visit is not None and call.visit.origin != principal.origin:
            raise ORIGIN_NOT_ALLOWED("This visit was opened on a page of another origin.")

    def preflight(self, call: Call, method: str, embedded: Embedded) -> list[Header]:
        """Return what lets a browser send a call from a page, where that is one of the key's."""
        if call.origin not in embedded.origins:
            return []
        return [(b"access-control-allow-origin", call.origin.encode()), (b"access-control-allow-methods", method.encode()), *_PREFLIGHT]


def _allowed(origin: str) -> tuple[Header, ...]:
    # Never with credentials: no cookie and no sign-in of a browser goes along, whatever a page asks for.
    return (b"access-control-allow-origin", origin.encode()), _TOLD
