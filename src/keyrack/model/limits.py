"""Limits: the rules of how much, and what is left of them. Pure arithmetic."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule: at most `quota` units in `window_seconds`, of which `burst` (default: `quota`) may come at once."""

    name: str
    quota: int
    window_seconds: int
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit as it holds for one subject. `key` is 16 bytes that name subject, mode and limit in the counters."""

    limit: Limit
    key: bytes
