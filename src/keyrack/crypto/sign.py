"""Signing of what clients carry for us: list cursors and form tokens.

Keys are a list, newest first: the newest signs, all verify, so a key is replaced without breaking what is under way.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer


class Signer:
    """Signs small JSON values for one purpose. `salt` names the purpose: a cursor is no form token."""

    def __init__(self, keys: Sequence[str], salt: str) -> None:
        oldest_first = list(reversed(keys))
        self._plain = URLSafeSerializer(oldest_first, salt)
        self._timed = URLSafeTimedSerializer(oldest_first, salt)

    def sign(self, value: Any) -> str:
        """Return the value as signed text for a URL."""
        return str(self._plain.dumps(value))

    def read(self, text: str) -> Any:
        """Return the signed value; raise ValueError where the text was not signed here."""
        try:
            return self._plain.loads(text)
        except BadData:
            raise ValueError("not signed here") from None

    def sign_timed(self, value: Any) -> str:
        """Return the value as signed text that remembers when it was signed."""
        return str(self._timed.dumps(value))

    def read_timed(self, text: str, age_seconds_max: int) -> Any:
        """Return the signed value; raise ValueError where it was not signed here, or too long ago."""
        try:
            return self._timed.loads(text, max_age=age_seconds_max)
        except BadData:
            raise ValueError("not signed here, or too old") from None


def keys_in(path: Path) -> list[str]:
    """Return the signing keys kept in a file that only its owner can read, making it with a new key on first use.

    The file appears under its name complete, so of two processes that start at once one wins and both read the same key.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().split()
