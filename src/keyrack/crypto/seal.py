"""Sealing: what must be read again, but by nobody who only has the store. AES-256-GCM.

Keys are a list, newest first: the newest seals, all open, so a key is replaced without losing what was sealed before.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class Sealer:
    """Seals for one purpose: what was sealed for another does not open. The repr shows no key."""

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        self._ciphers = [AESGCM(HKDF(SHA256(), 32, None, f"keyrack seal {purpose}".encode()).derive(key.encode())) for key in keys]

    def seal(self, clear: bytes, belongs_to: str) -> bytes:
        """Return what only opens for the same owner (`belongs_to` is the associated data)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, clear, belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """Return what was sealed; raise ValueError where no key opens it, or it belongs to another owner."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], belongs_to.encode())
            except InvalidTag:
                continue
        raise ValueError("no key of these settings opens this")
