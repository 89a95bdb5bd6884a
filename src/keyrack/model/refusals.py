"""The closed list of ways to say no.

A refusal is the product working; an error is our bug. Each refusal has one code, one status and one page in the docs. The private
detail of a fault (a stack trace, an SQL text) never enters one: `detail` is public text, written for the person who has to act on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to say no.

    `title` never changes between occurrences (RFC 9457 §3.1.3); `remedy` tells the reader what to do; `retryable` says whether the very
    same call may succeed later without a change on the caller's side.
    """

    code: str
    status: int
    title: str
    remedy: str
    retryable: bool = False

    def __call__(
        self,
        detail: str,
        *,
        param: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> "Refused":
        """Return the exception that refuses this call: `raise refusals.NOT_FOUND("…")`."""
        return Refused(self, detail, param=param, errors=tuple(errors), headers=dict(headers or {}), extra=dict(extra or {}))


@dataclass(eq=False)
class Refused(Exception):
    """A refusal on its way to the caller, with what is particular to this occurrence.

    `param` is the field or parameter at fault; `errors` lists several of them; `headers` go onto the answer; `extra` are further
    members of the problem document.
    """

    refusal: Refusal
    detail: str
    param: str | None = None
    errors: tuple[Mapping[str, object], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.refusal.code}: {self.detail}"


# 400: the call itself is wrong
INVALID_REQUEST = Refusal("invalid_request", 400, "Invalid request", "Correct the fields named in `errors` and send the call again.")
KEY_IN_URL = Refusal(
    "key_in_url",
    400,
    "Credential in the URL",
    "Send the credential in the Authorization header. URLs end up in logs and histories: rotate the key that was in this one.",
)
IDEMPOTENCY_KEY_INVALID = Refusal(
    "idempotency_key_invalid",
    400,
    "Invalid idempotency key",
    "Send 1 to 255 visible ASCII characters, bare or in double quotes. A new UUID for each operation does well.",
)
# 401: we do not know, or no longer accept, who is calling
MISSING_CREDENTIAL = Refusal("missing_credential", 401, "No credential", "Send the header `Authorization: Bearer <key>`.")
INVALID_CREDENTIAL = Refusal(
    "invalid_credential",
    401,
    "Unknown credential",
    "Check that the key was copied whole, without spaces, and belongs to this host. A lost key cannot be shown again: create a new one.",
)
KEY_REVOKED = Refusal("key_revoked", 401, "Key has ended", "Create a new key and put it into the program that makes this call.")
KEY_EXPIRED = Refusal("key_expired", 401, "Key has expired", "Create a new key, or rotate this one before its expiry next time.")
KEY_DISABLED = Refusal("key_disabled", 401, "Key is disabled", "An admin of the workspace can enable the key again.")
API_DISABLED = Refusal("api_disabled", 401, "API switched off", "An owner or admin can switch the API on again in the console.")
SESSION_ENDED = Refusal("session_ended", 401, "Not signed in", "Sign in again.")
SIGN_IN_FAILED = Refusal(
    "sign_in_failed", 401, "Not signed in", "Check the email and the password. A link by mail, or from an admin, lets you choose another."
)
# 403: we know who is calling, and they may know that this exists
INSUFFICIENT_PERMISSION = Refusal(
    "insufficient_permission", 403, "Missing permission", "Ask an admin to add the permission named in `detail` to this integration."
)
ADDRESS_NOT_ALLOWED = Refusal(
    "address_not_allowed", 403, "Address not allowed", "Call from one of the key's address ranges, or ask an admin to add this address."
)
PLAN_UPGRADE_REQUIRED = Refusal("plan_upgrade_required", 403, "Plan has no API access", "Move the workspace to a plan with API access.")
PROOF_REQUIRED = Refusal(
    "proof_required", 403, "Prove that it is you", "Type your password again; the proof holds for ten minutes. Then repeat what you did."
)
CSRF_FAILED = Refusal("csrf_failed", 403, "Form has expired", "Open the page again and repeat what you did.")
# 404 … 431
NOT_FOUND = Refusal("not_found", 404, "Not found", "Check the id and the path. Things of other workspaces look exactly like missing ones.")
METHOD_NOT_ALLOWED = Refusal("method_not_allowed", 405, "Method not allowed", "Use one of the methods in the `Allow` header.")
CONFLICT = Refusal("conflict", 409, "Conflict", "Read the present state of the object, then decide again.")
LINK_ENDED = Refusal(
    "link_ended", 410, "Link no longer works", "Each link works once, and only for a while: ask whoever sent it for a new one."
)
IDEMPOTENCY_KEY_IN_USE = Refusal(
    "idempotency_key_in_use",
    409,
    "First call still running",
    "Wait for the seconds in `Retry-After`, then send the very same call again: it gets the answer of the first.",
    retryable=True,
)
SHOWN_ONCE = Refusal(
    "shown_once",
    409,
    "Done before, and its secret was shown once",
    "Rotate what `made` names to get a secret again. The call was carried out, and its answer held a secret, which is not kept.",
)
ANSWER_LOST = Refusal(
    "answer_lost",
    409,
    "Done before, and its answer was not kept",
    "Read what the call made or changed: it was carried out once, and this retry did nothing.",
)
BODY_TOO_LARGE = Refusal("body_too_large", 413, "Body too large", "Send less in one call.")
HEADERS_TOO_LARGE = Refusal("headers_too_large", 431, "Headers too large", "Send fewer or shorter headers.")
UNSUPPORTED_MEDIA_TYPE = Refusal(
    "unsupported_media_type", 415, "Unsupported media type", "Send JSON with `Content-Type: application/json`."
)
IDEMPOTENCY_KEY_REUSED = Refusal(
    "idempotency_key_reused",
    422,
    "Idempotency key of another call",
    "Send the same call as before, or a new key for this one: a key stands for one call, whatever becomes of it.",
)
# 429
RATE_LIMITED = Refusal("rate_limited", 429, "Too many calls", "Wait for the seconds in `Retry-After`, then call again.", retryable=True)
TOO_MANY_FAILURES = Refusal(
    "too_many_failures",
    429,
    "Too many failed attempts",
    "Wait for the seconds in `Retry-After`; then send a valid credential.",
    retryable=True,
)
# 5xx: our side
INTERNAL_ERROR = Refusal(
    "internal_error", 500, "Something went wrong on our side", "Try again; tell support the `request_id` if it persists.", retryable=True
)
CATALOG_MISMATCH = Refusal(
    "catalog_mismatch",
    500,
    "Operation declared twice, differently",
    "For the host's developers: the route runs under another operation than the gate chose.",
)
TRANSACTION_CLOSED = Refusal(
    "transaction_closed",
    500,
    "Transaction ended too early",
    "For the host's developers: the session given to `rack.transaction` must live until the answer has left.",
)
CHANGE_INSIDE_TRANSACTION = Refusal(
    "change_inside_transaction",
    500,
    "Change inside a host transaction",
    "For the host's developers: make changes of Keyrack's own things outside `rack.transaction`.",
)
STORE_UNAVAILABLE = Refusal(
    "store_unavailable", 503, "Temporarily unavailable", "Try again after the seconds in `Retry-After`.", retryable=True
)
OUTCOME_UNKNOWN = Refusal(
    "outcome_unknown",
    503,
    "Outcome unknown",
    "The change may or may not have happened: read the object before you try again.",
    retryable=True,
)

ALL: Mapping[str, Refusal] = {value.code: value for value in list(globals().values()) if isinstance(value, Refusal)}


def of_status(status: int) -> Refusal:
    """Return the refusal that stands for a bare HTTP status, as a framework raises it."""
    by_status = {
        400: INVALID_REQUEST,
        401: INVALID_CREDENTIAL,
        403: INSUFFICIENT_PERMISSION,
        404: NOT_FOUND,
        405: METHOD_NOT_ALLOWED,
        409: CONFLICT,
        413: BODY_TOO_LARGE,
        415: UNSUPPORTED_MEDIA_TYPE,
        422: INVALID_REQUEST,
        429: RATE_LIMITED,
        431: HEADERS_TOO_LARGE,
        503: STORE_UNAVAILABLE,
    }
    return by_status.get(status, INVALID_REQUEST if status < 500 else INTERNAL_ERROR)
