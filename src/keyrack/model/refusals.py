"""The closed list of ways to say no: the registry of codes, from which the docs' pages about errors are made.

A refusal is the product working; an error is our bug. Each refusal has one code, one status and one page in the docs. The private
detail of a fault (a stack trace, an SQL text) never enters one: `detail` is public text, written for the person who has to act on it.
"""

from collections.abc import Mapping, Sequence

from keyrack.model.refused import Refusal, Refused, saying

__all__ = ["ALL", "Refusal", "Refused", "of_status", "registry", "saying"]

# 400: the call itself is wrong
INVALID_REQUEST = Refusal(
    "invalid_request",
    400,
    "Invalid request",
    "A field, a parameter or a header is missing, misspelt, or has a value that cannot be; or the body is no JSON object.",
    "Correct the fields named in `errors` and send the call again.",
)
KEY_IN_URL = Refusal(
    "key_in_url",
    400,
    "Credential in the URL",
    "The path or the query holds a key or token. It is refused even beside a valid header, for URLs end up in logs and histories.",
    "Send the credential in the Authorization header, and rotate the key that was in this URL.",
)
CURSOR_FILTER_MISMATCH = Refusal(
    "cursor_filter_mismatch",
    400,
    "Cursor of another list",
    "The cursor was given for another list, or for other filters or another `sort` of it, so it names no place in this one.",
    "Repeat the filters and the `sort` of the first page, or follow `next_url`, which has them. For other ones begin without a cursor.",
)
UNKNOWN_VERSION = Refusal(
    "unknown_version",
    400,
    "Unknown API version",
    "The header `Api-Version`, or the `api_version` that a key is to get, names no version of this API.",
    "Name one of the versions in `versions`, or leave the header out: then the version counts that the key is pinned to.",
)
INVALID_SIGNATURE = Refusal(
    "invalid_signature",
    400,
    "Invalid signature",
    "The call is signed by its sender, and the signature does not belong to its body, or to no key that the sender has made public.",
    "Sign the body byte by byte as it is sent, and name the key with which you did.",
)
IDEMPOTENCY_KEY_INVALID = Refusal(
    "idempotency_key_invalid",
    400,
    "Invalid idempotency key",
    "The header `Idempotency-Key` is empty, too long, or holds characters that it may not.",
    "Send 1 to 255 visible ASCII characters, bare or in double quotes. A new UUID for each operation does well.",
)
# 401: we do not know, or no longer accept, who is calling
MISSING_CREDENTIAL = Refusal(
    "missing_credential",
    401,
    "No credential",
    "The call has no `Authorization` header, or one of another form than `Bearer <key>`.",
    "Send the header `Authorization: Bearer <key>`.",
)
INVALID_CREDENTIAL = Refusal(
    "invalid_credential",
    401,
    "Unknown credential",
    "No key or token is what was sent: it was cut off or mistyped, or belongs to another host.",
    "Check that the key was copied whole, without spaces, and belongs to this host. A lost key cannot be shown again: create a new one.",
)
KEY_REVOKED = Refusal(
    "key_revoked",
    401,
    "Key has ended",
    "Somebody revoked the key, rotated it, or deleted its integration; or it leaked, and was revoked for that.",
    "Create a new key and put it into the program that makes this call.",
)
KEY_EXPIRED = Refusal(
    "key_expired",
    401,
    "Key has expired",
    "The key was made with a last day, and that is over.",
    "Create a new key, or rotate this one before its expiry next time.",
)
KEY_DISABLED = Refusal(
    "key_disabled",
    401,
    "Key is disabled",
    "An admin of the workspace has disabled the key. It was not deleted.",
    "An admin of the workspace can enable the key again.",
)
TOKEN_REVOKED = Refusal(
    "token_revoked",
    401,
    "Token has ended",
    "Its member generated a new one or revoked it, an admin did, or the member may no longer use the API here; `detail` says which. "
    "An app's token ends with the member's grant, too.",
    "Generate a token under Personal preferences > API, and put it into the program that makes this call. An app asks the member again.",
)
TOKEN_EXPIRED = Refusal(
    "token_expired",
    401,
    "Token has expired",
    "The token was made with a last day, and that is over; an app's access token works for an hour.",
    "Make another token under Personal preferences > API, and put it into the program that makes this call. An app refreshes its own.",
)
VISIT_ENDED = Refusal(
    "visit_ended",
    401,
    "Visit has ended",
    "The token of a visitor's session works for an hour, and that is over.",
    "Open another session with the embed key of the page.",
)
API_DISABLED = Refusal(
    "api_disabled",
    401,
    "API switched off",
    "The workspace has switched its API off, for all keys and tokens at once.",
    "An owner or admin can switch the API on again in the console.",
)
SESSION_ENDED = Refusal(
    "session_ended", 401, "Not signed in", "Nobody is signed in in this browser, or the sign-in has ended since.", "Sign in again."
)
SIGN_IN_FAILED = Refusal(
    "sign_in_failed",
    401,
    "Not signed in",
    "Email and password do not belong together, or nobody has this email.",
    "Check the email and the password. A link by mail, or from an admin, lets you choose another.",
)
# 403: we know who is calling, and they may know that this exists
INSUFFICIENT_PERMISSION = Refusal(
    "insufficient_permission",
    403,
    "Missing permission",
    "The credential is good, and its integration or member lacks the right that the operation needs.",
    "Ask an admin to add the permission named in `detail` to this integration.",
)
ADDRESS_NOT_ALLOWED = Refusal(
    "address_not_allowed",
    403,
    "Address not allowed",
    "The key works from certain addresses only, and the call came from another one.",
    "Call from one of the key's address ranges, or ask an admin to add this address.",
)
ORIGIN_NOT_ALLOWED = Refusal(
    "origin_not_allowed",
    403,
    "Page not allowed",
    "An embed key works on pages of certain origins only, and this call came from another one, or said of none.",
    "Add the page's origin, as `https://www.example.com`, to the embed key, under Install > Embed code. A server calls with an API key.",
)
PLAN_UPGRADE_REQUIRED = Refusal(
    "plan_upgrade_required",
    403,
    "Plan has no API access",
    "The plan of the workspace does not include the API.",
    "Move the workspace to a plan with API access.",
)
PROOF_REQUIRED = Refusal(
    "proof_required",
    403,
    "Prove that it is you",
    "What you asked for shows a secret, and you have not proved who you are in the last ten minutes.",
    "Type your password again; the proof holds for ten minutes. Then repeat what you did.",
)
CSRF_FAILED = Refusal(
    "csrf_failed",
    403,
    "Form has expired",
    "The form was opened too long ago, in another session, or on another site.",
    "Open the page again and repeat what you did.",
)
# 404 … 431
NOT_FOUND = Refusal(
    "not_found",
    404,
    "Not found",
    "There is no such path, or no such thing that this credential may know of. Things of other workspaces look exactly like missing ones.",
    "Check the id and the path, and that the credential belongs to the workspace in which the thing is.",
)
METHOD_NOT_ALLOWED = Refusal(
    "method_not_allowed",
    405,
    "Method not allowed",
    "The path exists, and does not take this method.",
    "Use one of the methods in the `Allow` header.",
)
CONFLICT = Refusal(
    "conflict",
    409,
    "Conflict",
    "The object is in a state that forbids this, or somebody changed it at the same moment.",
    "Read the present state of the object, then decide again.",
)
IDEMPOTENCY_KEY_IN_USE = Refusal(
    "idempotency_key_in_use",
    409,
    "First call still running",
    "A call with the same idempotency key is still being carried out.",
    "Wait for the seconds in `Retry-After`, then send the very same call again: it gets the answer of the first.",
    retryable=True,
)
SHOWN_ONCE = Refusal(
    "shown_once",
    409,
    "Done before, and its secret was shown once",
    "A call with this idempotency key was carried out, and its answer held a secret, which is not kept.",
    "Rotate what `made` names to get a secret again.",
)
ANSWER_LOST = Refusal(
    "answer_lost",
    409,
    "Done before, and its answer was not kept",
    "A call with this idempotency key was carried out once, and this retry did nothing.",
    "Read what the call made or changed.",
)
TOO_MANY_ENDPOINTS = Refusal(
    "too_many_endpoints",
    409,
    "Too many endpoints",
    "The workspace, or the integration, has as many webhook endpoints as it may have.",
    "Delete one that is not needed any more, or give one more event types.",
)
LINK_ENDED = Refusal(
    "link_ended",
    410,
    "Link no longer works",
    "Each link works once, and only for a while.",
    "Ask whoever sent the link for a new one.",
)
VERSION_ENDED = Refusal(
    "version_ended",
    410,
    "API version has ended",
    "The call is made at a version of the API, or to an operation, whose announced end (the header `Sunset`) is over.",
    "Read the changelog, adapt the program, and call at a newer version: by the header `Api-Version`, or by the key's `api_version`.",
)
BODY_TOO_LARGE = Refusal(
    "body_too_large", 413, "Body too large", "The body has more bytes than one call may have.", "Send less in one call."
)
UNSUPPORTED_MEDIA_TYPE = Refusal(
    "unsupported_media_type",
    415,
    "Unsupported media type",
    "The body is of a type that the operation does not read.",
    "Send JSON with `Content-Type: application/json`.",
)
IDEMPOTENCY_KEY_REUSED = Refusal(
    "idempotency_key_reused",
    422,
    "Idempotency key of another call",
    "The idempotency key was sent before with another path or body. A key stands for one call, whatever becomes of it.",
    "Send the same call as before, or a new key for this one.",
)
HEADERS_TOO_LARGE = Refusal(
    "headers_too_large",
    431,
    "Headers too large",
    "The call has more headers, or more bytes of them, than one call may have.",
    "Send fewer or shorter headers.",
)
# 429
RATE_LIMITED = Refusal(
    "rate_limited",
    429,
    "Too many calls",
    "A limit of the plan, the key or the operation is used up for now. The refused call took nothing from it.",
    "Wait for the seconds in `Retry-After`, then call again.",
    retryable=True,
)
QUOTA_EXCEEDED = Refusal(
    "quota_exceeded",
    429,
    "Quota used up",
    "The workspace has used what its plan allows of the thing named in `violated-policies`: in this day or month, or of what may exist.",
    "Wait for the seconds in `Retry-After`; without it, delete some of what exists. Or move the workspace to a plan that allows more.",
    retryable=True,
)
TOO_MANY_FAILURES = Refusal(
    "too_many_failures",
    429,
    "Too many failed attempts",
    "Too many calls with unknown credentials, or sign-ins that failed, came from this address or for this email.",
    "Wait for the seconds in `Retry-After`; then send a valid credential.",
    retryable=True,
)
# 5xx: our side
INTERNAL_ERROR = Refusal(
    "internal_error",
    500,
    "Something went wrong on our side",
    "An error of ours stopped the call. What it had changed was rolled back.",
    "Try again; tell support the `request_id` if it persists.",
    retryable=True,
)
CATALOG_MISMATCH = Refusal(
    "catalog_mismatch",
    500,
    "Operation declared twice, differently",
    "The route runs under another operation than the one that the gate has checked, or its handler did not ask for the object's space.",
    "For the host's developers: declare with `rack.requires` what the handler needs, once, and ask `caller.require` where it says so.",
)
TRANSACTION_CLOSED = Refusal(
    "transaction_closed",
    500,
    "Transaction ended too early",
    "The session given to `rack.transaction` was closed before the answer left, so nobody could commit it.",
    "For the host's developers: the session given to `rack.transaction` must live until the answer has left.",
)
CHANGE_INSIDE_TRANSACTION = Refusal(
    "change_inside_transaction",
    500,
    "Change inside a host transaction",
    "A handler that holds a transaction of the host's changed one of Keyrack's own things, which would wait for itself.",
    "For the host's developers: make changes of Keyrack's own things outside `rack.transaction`.",
)
STORE_UNAVAILABLE = Refusal(
    "store_unavailable",
    503,
    "Temporarily unavailable",
    "The store does not answer, or this server may not decide a call at this moment. Nothing was changed.",
    "Try again after the seconds in `Retry-After`.",
    retryable=True,
)
OUTCOME_UNKNOWN = Refusal(
    "outcome_unknown",
    503,
    "Outcome unknown",
    "The store went away while the change was being committed, so it may or may not have happened.",
    "Read the object before you try again.",
    retryable=True,
)

ALL: Mapping[str, Refusal] = {value.code: value for value in list(globals().values()) if isinstance(value, Refusal)}


def registry(own: Sequence[Refusal]) -> dict[str, Refusal]:
    """Return every refusal of a host by its code: ours, and its `own`. Raises ValueError where a code stands twice."""
    known = dict(ALL)
    for refusal in own:
        if refusal.code in known:
            raise ValueError(f"The refusal {refusal.code!r} stands twice, or is one of Keyrack's own: choose another code.")
        known[refusal.code] = refusal
    return known


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
