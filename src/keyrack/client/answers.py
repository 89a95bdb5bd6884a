"""What came back: read once, without I/O."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_JSON = re.compile(r"application/(json|[\w.-]+\+json)\s*(;.*)?", re.IGNORECASE)
_HIDDEN = frozenset({"secret", "client_secret", "access_token", "refresh_token", "token"})
_HIDDEN_WHERE_NEVER_STORED = _HIDDEN | {"url"}
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"((?:\s*;\s*[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\.)*"|[^;,"]*))?)*)')
_PARAMETER = re.compile(r";\s*([a-z*][a-z0-9_.*-]*)=(\d+)")


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of one limit, by its headers. `quota` and `window_seconds` are None where only the rest was told."""

    name: str
    remaining: int
    reset_seconds: int
    quota: int | None
    window_seconds: int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Answer(Mapping[str, Any]):
    """One answer, read like the JSON object that it is: `answer["id"]`.

    `data` is the JSON itself, None where there is none; `content` are the bytes. `headers` have lower-case names. The repr hides secrets.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    data: Any

    def __getitem__(self, name: str) -> Any:
        return self._object[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._object)

    def __len__(self) -> int:
        return len(self._object)

    def __repr__(self) -> str:
        never_stored = "no-store" in self.headers.get("cache-control", "")
        return f"Answer({self.status}, {_shown(self.data, _HIDDEN_WHERE_NEVER_STORED if never_stored else _HIDDEN)!r})"

    @property
    def request_id(self) -> str | None:
        """The call's line in the request log."""
        return self.headers.get("x-request-id")

    @property
    def replayed(self) -> bool:
        """Whether this is the stored answer of an earlier call with the same idempotency key."""
        return self.headers.get("idempotent-replayed") == "true"

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the server asks to wait (RFC 9110 §10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}", text):
            return float(text)
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
        return max(0.0, seconds)

    @property
    def rate_limits(self) -> dict[str, Budget]:
        """What is left of each limit, by its name, from `RateLimit` and `RateLimit-Policy`."""
        policies = _members(self.headers.get("ratelimit-policy", ""))
        left = _members(self.headers.get("ratelimit", ""))
        return {
            name: Budget(name, found["r"], found.get("t", 0), policies.get(name, {}).get("q"), policies.get(name, {}).get("w"))
            for name, found in left.items()
            if "r" in found
        }

    @property
    def _object(self) -> Mapping[str, Any]:
        return self.data if isinstance(self.data, dict) else {}


def answer_of(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """Return an answer. Its JSON is None where the content is none, or breaks off."""
    data = None
    if _JSON.fullmatch(headers.get("content-type", "").strip()):
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            data = None
    return Answer(status, headers, content, data)


def _shown(value: Any, hidden: frozenset[str]) -> Any:
    """A value as it may be printed."""
    if isinstance(value, dict):
        return {name: "…" if name in hidden and isinstance(one, str) else _shown(one, hidden) for name, one in value.items()}
    if isinstance(value, list):
        return [_shown(one, hidden) for one in value]
    return value


def _members(header: str) -> dict[str, dict[str, int]]:
    """The members of a list of strings with parameters (RFC 9651 §3.1), with those parameters that are whole numbers."""
    return {
        re.sub(r"\\(.)", r"\1", name): {key: int(value) for key, value in _PARAMETER.findall(parameters)}
        for name, parameters in _MEMBER.findall(header)
    }
