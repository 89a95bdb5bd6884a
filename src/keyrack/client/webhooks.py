"""Webhooks: is a delivery ours, and of now? Standard Webhooks 1.0.0, symmetric signatures (`v1`)."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from keyrack.client.errors import WebhookVerificationError

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
SIGNATURES_MAX = 20


def verify(
    payload: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance_seconds: int = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Any:
    """Return the JSON of a delivery that one of these secrets has signed, within the tolerance of now (seconds since the epoch).

    `payload` is the body exactly as it came; `secret` are several while one is being rotated. Deliveries are repeated: keep the
    `webhook-id` of those that you have worked in. Raises WebhookVerificationError, and ValueError for a secret that is none.
    """
    body = payload.encode() if isinstance(payload, str) else payload
    given = {name.lower(): value for name, value in headers.items()}
    try:
        delivery_id, timestamp, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise WebhookVerificationError(f"The header {missing.args[0]} is missing.") from None
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookVerificationError("webhook-timestamp is no number of seconds.")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    expected = [sign(body, delivery_id, int(timestamp), one).encode() for one in secrets]
    found = [one.encode() for one in signatures.split(" ")[:SIGNATURES_MAX]]
    # Each is compared with each, in the time that all of them take.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in found):
        raise WebhookVerificationError("None of the signatures is by one of the secrets.")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance_seconds:
        raise WebhookVerificationError("The delivery was signed too long ago, or in the future.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookVerificationError("The delivery is no JSON.") from None


def sign(payload: bytes | str, delivery_id: str, timestamp: int, secret: str) -> str:
    """Return the value of `webhook-signature` for a delivery, as tests of a receiver need it. Raises ValueError as `verify` does."""
    body = payload.encode() if isinstance(payload, str) else payload
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"a webhook secret is {PREFIX}… with base64 behind it")
    return key
