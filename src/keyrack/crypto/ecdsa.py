"""Signatures of others, which their public keys prove: ECDSA on NIST P-256 with SHA-256 (FIPS 186-5)."""

from base64 import b64decode

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def is_signed(content: bytes, signature: str, public_key: str) -> bool:
    """Whether the owner of a public key (PEM) signed these bytes; the signature is DER in base64. False also for what is no key."""
    try:
        key = load_pem_public_key(public_key.encode())
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            return False
        key.verify(b64decode(signature, validate=True), content, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
