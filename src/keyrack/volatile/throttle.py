"""The throttle of failed proofs: who sends unknown credentials has to wait, before the store is asked."""

import time
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address

from keyrack.model.limits import Bucket, Limit
from keyrack.volatile.counters import Counters

FAILURES = Limit("failed_proofs", quota=10, window_seconds=1, burst=50)
_BLOCKED_MAX = 10_000


class Throttle:
    """Counts failed proofs per address (IPv6 per /64, which one customer of a provider holds), over all processes of this machine."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._blocked: dict[str, float] = {}

    def blocked(self, address: str) -> int | None:
        """Return the seconds to wait, or None where the address may try."""
        until = self._blocked.get(_subject(address))
        if until is None:
            return None
        wait = until - time.monotonic()
        return int(wait) + 1 if wait > 0 else None

    def failure(self, address: str) -> None:
        """Count one failed proof."""
        subject = _subject(address)
        taken = self._counters.take((Bucket(FAILURES, blake2b(subject.encode(), key=self._counters.salt, digest_size=16).digest()),), 1)
        if not taken.allowed:
            if len(self._blocked) >= _BLOCKED_MAX:
                self._blocked.clear()
            self._blocked[subject] = time.monotonic() + taken.retry_after_seconds


def _subject(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(int(parsed) >> 64)
    return str(parsed)
