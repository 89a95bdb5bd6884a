"""The digest under which a secret is stored and found.

A plain SHA-256: with 178 bits of randomness there is nothing to guess, so a slow hash would only slow down every call (ASVS 5.0 6.5.2).
"""

import hashlib


def digest(secret: bytes) -> bytes:
    """Return the 32 bytes under which this secret is stored."""
    return hashlib.sha256(secret).digest()
