"""Passwords, as Argon2id. For people's passwords alone: keys and links are random, and a slow hash would only slow down their checks."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from keyrack.model.refusals import RATE_LIMITED

Result = TypeVar("Result")
AT_ONCE = 2
WAITING_MAX = 64

# OWASP's first choice: 46 MiB, one pass, one lane. A stored hash names its own parameters.
_hasher = PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1)


class Passwords:
    """Hashes and checks passwords in threads: the event loop never waits, and no flood of sign-ins takes all memory."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return what is stored of a password. Raises Refused `rate_limited` while too many wait."""
        return await self._in_thread(lambda: _hasher.hash(_normal(password)))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether this is the password that was stored. None is never it, and takes as long. Raises Refused `rate_limited`."""
        if stored is None and self._nobodys is None:
            self._nobodys = await self.hash("nobody's")
        compared = stored or self._nobodys or ""
        return await self._in_thread(lambda: _matches(password, compared)) and stored is not None

    def close(self) -> None:
        """Let the threads end when their work is done. Used again, it starts new ones."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
        self._threads = None

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= WAITING_MAX:
            raise RATE_LIMITED("Too many people sign in at this moment.", headers={"Retry-After": "1"})
        self._threads = self._threads or ThreadPoolExecutor(AT_ONCE, "keyrack-passwords")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _matches(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, _normal(password))
    except (Argon2Error, InvalidHashError):
        return False


def _normal(password: str) -> str:
    # The same letters, however a keyboard composes them (NIST SP 800-63B §3.1.1.2).
    return unicodedata.normalize("NFKC", password)
