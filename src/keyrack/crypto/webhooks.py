"""Signatures of webhooks, as Standard Webhooks 1.0.0 has them: `v1` with a shared secret (HMAC-SHA256), `v1a` with ed25519."""

import secrets
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from keyrack.crypto.format import Secret
from keyrack.model.endpoints import Signature

SECRET_BYTES, SEED_BYTES = 32, 32


class Minted(NamedTuple):
    """What an endpoint signs with; `public` is what proves an ed25519 signature."""

    secret: Secret
    public: str | None


def mint(signature: Signature) -> Minted:
    """Make what signs: `whsec_` and 32 random bytes, or `whsk_` (seed and public key) with its `whpk_`, all in base 64."""
    if signature is Signature.HMAC:
        return Minted(Secret("whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()), None)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return Minted(Secret("whsk_" + b64encode(key.private_bytes_raw() + public).decode()), "whpk_" + b64encode(public).decode())


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature of exactly these bytes, as it stands in `webhook-signature`; `timestamp` in seconds since the epoch."""
    if not secret.startswith("whsk_"):
        return Webhook(secret).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body.decode())
    key = Ed25519PrivateKey.from_private_bytes(b64decode(secret.removeprefix("whsk_"))[:SEED_BYTES])
    return "v1a," + b64encode(key.sign(f"{message_id}.{timestamp}.".encode() + body)).decode()
