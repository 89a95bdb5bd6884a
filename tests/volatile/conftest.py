"""A file of counters, two clocks that stand still until a test moves them, and buckets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pytest

from keyrack.model.limits import Bucket, Limit
from keyrack.volatile.counters import Counters

SECOND = 1_000_000_000


@dataclass
class Clocks:
    """The boot clock and the wall clock, in ns."""

    boot: int = 1_000 * SECOND
    wall: int = 1_700_000_000 * SECOND

    def advance(self, seconds: int) -> None:
        """Let time pass on both."""
        self.boot += seconds * SECOND
        self.wall += seconds * SECOND


Open = Callable[[], Counters]


def bucket(limit: Limit, name: str = "acme") -> Bucket:
    """Return the bucket of a limit for a subject."""
    return Bucket(limit, blake2b(f"{name}\0{limit.name}".encode(), digest_size=16).digest())


def take_all(counters: Counters, *buckets: Bucket, most: int = 100_000) -> int:
    """Take single units until one is refused; return how many were admitted."""
    return next((number for number in range(most) if not counters.take(buckets, 1).allowed), most)


def left(counters: Counters, of: Bucket) -> int:
    """Return what is left of a bucket."""
    return counters.take((of,), 0).budgets[0].remaining


@pytest.fixture
def clocks() -> Clocks:
    """Clocks that stand still."""
    return Clocks()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "counters"


@pytest.fixture
def open_counters(path: Path, clocks: Clocks) -> Iterator[Open]:
    """Opens the file on the test's clocks, each time as another process would."""
    opened: list[Counters] = []

    def open_one() -> Counters:
        opened.append(Counters(path, boot_ns=lambda: clocks.boot, wall_ns=lambda: clocks.wall))
        return opened[-1]

    yield open_one
    for counters in opened:
        counters.close()
