"""One deadline over all that a thread exchanges.

Timeouts of HTTP libraries begin anew with every byte that comes: a vendor that drips its answer would hold a thread without end.
"""

import http.client
import io
import socket
from collections.abc import Callable
from contextvars import ContextVar
from time import monotonic
from typing import Any, TypeVar

ANSWER_BYTES_MAX = 1024 * 1024

Done = TypeVar("Done")
_ends_at: ContextVar[float] = ContextVar("ends_at")


def within(seconds: float, work: Callable[[], Done]) -> Done:
    """Do work in the present thread. What it exchanges on the connections below has ended after `seconds`, or raises TimeoutError then."""
    given = _ends_at.set(monotonic() + seconds)
    try:
        return work()
    finally:
        _ends_at.reset(given)


def _left_seconds() -> float:
    left = _ends_at.get() - monotonic()
    if left <= 0:
        raise TimeoutError("the whole answer took too long")
    return left


class _Bounded(io.RawIOBase):
    """What comes over a socket, no later than the deadline, and no more than an answer may have."""

    def __init__(self, raw: io.RawIOBase, line: socket.socket) -> None:
        self._raw = raw
        self._line = line
        self._bytes = 0

    def readable(self) -> bool:
        """It is read alone."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, or wait for it for as long as is left. Raises OSError."""
        self._line.settimeout(_left_seconds())
        taken: int | None = self._raw.readinto(buffer)
        self._bytes += taken or 0
        if self._bytes > ANSWER_BYTES_MAX:
            raise OSError("the answer is too long")
        return taken

    def close(self) -> None:
        """Close it, and the socket where that is closed, too."""
        self._raw.close()
        super().close()


class Response(http.client.HTTPResponse):
    """An answer, its head included, that has come by the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach(), sock))


class HTTPConnection(http.client.HTTPConnection):
    """A connection whose answers have come by the deadline."""

    response_class = Response

    def connect(self) -> None:
        """Connect for as long as is left. Raises OSError."""
        self.timeout = _left_seconds()
        super().connect()


class HTTPSConnection(HTTPConnection, http.client.HTTPSConnection):
    """The same, by TLS: a handshake has one timeout over all of it."""
