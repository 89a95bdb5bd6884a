"""Ids. Each begins with its time, so ids sort by creation and new rows land at the end of an index."""

import itertools
import os
import secrets
import time

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BLOCK = 36**4
_COUNTER = itertools.count(secrets.randbelow(_BLOCK))


def new_id() -> str:
    """Return a cuid: `c`, the time in ms, a counter and 12 random places, all base 36; 25 characters."""
    random = secrets.randbelow(36**12)
    return "c" + _base36(time.time_ns() // 1_000_000, 8) + _base36(next(_COUNTER) % _BLOCK, 4) + _base36(random, 12)


def new_workspace_id() -> str:
    """Return an id for a workspace: `org_` and a cuid without its `c`."""
    return "org_" + new_id()[1:]


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


class RequestIds:
    """Request ids of one process: `req_`, the time, a tag of this process and a counter, in hex. Cheap, unique, and sorted by time.

    They are no secrets: a log line is found by its id *and* the caller's workspace.
    """

    def __init__(self) -> None:
        self._tag = secrets.token_hex(5)
        self._next = itertools.count().__next__
        self._head = (-1, "")
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._tag = secrets.token_hex(5)
        self._head = (-1, "")

    def new(self, now_ms: int) -> str:
        """Return the id of a call that arrived at this time (ms since the epoch)."""
        at, head = self._head
        if at != now_ms:
            head = f"req_{now_ms:011x}{self._tag}"
            self._head = (now_ms, head)
        return head + "%06x" % (self._next() & 0xFFFFFF)
