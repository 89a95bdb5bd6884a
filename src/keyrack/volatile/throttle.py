"""The throttle of failed proofs: who sends unknown credentials has to wait, before the store is asked."""

from hashlib import blake2b
from ipaddress import IPv6Address, ip_address

from keyrack.model.limits import Bucket, Limit
from keyrack.volatile.counters import Counters

# Guessing a secret is hopeless at any rate; what this saves is a look-up in the store for each guess. 50 at once: a program that was given
# a wrong key is told so (401) before it is told to wait. 10 in a second: a thousandth of what a store answers.
FAILURES = Limit("failed_proofs", quota=10, window_seconds=1, burst=50)


class Throttle:
    """Counts failed proofs per address, exact over all processes that share the counters."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def blocked(self, address: str) -> int | None:
        """Return the seconds to wait, or None where the address may try. Raises Refused as `Counters.take` does."""
        budget = self._counters.take((self._bucket(address),), 0).budgets[0]
        return None if budget.remaining else budget.reset_seconds

    def failure(self, address: str) -> None:
        """Count one failed proof; one made while blocked makes nobody wait longer. Raises Refused as `Counters.take` does."""
        self._counters.take((self._bucket(address),), 1)

    def _bucket(self, address: str) -> Bucket:
        return Bucket(FAILURES, blake2b(together(address), digest_size=16, key=self._counters.salt).digest())


def together(address: str) -> bytes:
    """Return what is throttled together: an IPv4 address, or an IPv6 /64, because one customer of a provider holds all of that."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address.encode()
    if isinstance(parsed, IPv6Address):
        return parsed.ipv4_mapped.packed if parsed.ipv4_mapped else parsed.packed[:8]
    return parsed.packed
