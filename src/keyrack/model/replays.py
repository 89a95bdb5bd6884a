"""Replays: the stored answer of a call that happens once (draft-ietf-httpapi-idempotency-key-header, CONSISTENCY §5). Pure rules.

A caller names such a call by its `Idempotency-Key`. The first call with a name claims it and runs; its answer is kept, and every later call
with the name gets that answer.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

from keyrack.model.principals import Principal

METHODS = frozenset({"POST", "PATCH", "PUT", "DELETE"})
KEY_LENGTH_MAX = 255
KEPT_SECONDS = 24 * 3600
"""How long an answer is kept at least."""

LEASE_SECONDS = 10
"""How long a claim holds without being renewed: a process that died is waited for no longer."""

CONTENT_BYTES_MAX = 65_536
"""Up to which size a body counts by its content: reading a larger one would hold up other calls, so its bytes count."""

MADE_MAX = 20
"""How many of the things that a call made are named where its answer was not kept."""

_KEY = re.compile(rb"[\x21-\x7e]{1,%d}" % KEY_LENGTH_MAX)
_QUOTED = re.compile(rb'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,%d})"' % KEY_LENGTH_MAX)
# Of the host's headers these tell of one transfer, or set state: a later answer has its own.
_OF_ONE_TRANSFER = frozenset({b"set-cookie", b"date", b"server", b"connection", b"transfer-encoding"})
# The call was not carried out, or the caller is to correct it and send it again under the same key.
_NEVER_KEPT = frozenset({400, 401, 403, 408, 413, 415, 425, 429, 431})

_STREAMS = frozenset({b"text/event-stream", b"application/x-ndjson", b"application/jsonl", b"application/json-seq"})

Headers = Sequence[tuple[bytes, bytes]]


class Lost(StrEnum):
    """Why the answer of a call that was carried out is not kept."""

    SECRET = "secret"
    SIZE = "size"
    STREAM = "stream"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run a call once. `token` fences: who took the claim over, after its lease had run out, has another one."""

    scope: str
    workspace_id: str
    token: str
    fingerprint: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What is kept of a call that was carried out: its answer, or why that is lost, and what it made (`object` and `id` of each).

    `sealed` holds headers and body, see `packed`.
    """

    fingerprint: str
    request_id: str
    status: int | None
    sealed: bytes | None = field(repr=False)
    lost: Lost | None
    made: Sequence[Mapping[str, str]] = ()


def key_in(header: bytes) -> str | None:
    """Return the key that an `Idempotency-Key` header names, bare or as a quoted string (RFC 8941 §3.3.3); None where it is none."""
    text = header.strip()
    if quoted := _QUOTED.fullmatch(text):
        return re.sub(rb'\\(["\\])', rb"\1", quoted[1]).decode()
    return text.decode() if _KEY.fullmatch(text) and not text.startswith(b'"') else None


def scope_of(principal: Principal, method: str, place: str, key: str) -> str:
    """Return the name under which a call to a place is kept: nobody else's call can have it, and it survives the rotation of a key."""
    return _digest(principal.workspace.id, principal.mode, principal.owner_id, method, place, key)


def fingerprint_of(query: bytes, version: bytes, body: bytes) -> str:
    """Return what tells two calls of one name apart: query, requested version, and body. JSON that is not large counts by its content."""
    return _digest(query, version, _canonical(body))


def is_kept(status: int, *, retryable: bool, may_have_written: bool) -> bool:
    """Whether an answer is the lasting one of its call.

    A refusal that the same call might not meet again is not kept, nor one that asks the caller to correct the call. A crash is, where the
    handler may have written by itself before it: nobody can tell, so nothing runs twice. Any other 5xx says what became of the call.
    """
    if status >= 500:
        return may_have_written and status == 500
    return status < 400 or (status not in _NEVER_KEPT and not retryable)


def kept_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer that its replays have, too."""
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_TRANSFER]


def holds_secret(headers: Headers) -> bool:
    """Whether an answer says of itself that nobody may keep it: `Cache-Control: no-store` (RFC 9111 §5.2.2.5)."""
    return any(name.lower() == b"cache-control" and b"no-store" in value.lower() for name, value in headers)


def is_stream(headers: Headers) -> bool:
    """Whether an answer is made to be read while it grows: it is not held back until it is whole."""
    kind = next((value for name, value in headers if name.lower() == b"content-type"), b"")
    return kind.partition(b";")[0].strip().lower() in _STREAMS


def made_in(body: bytes) -> list[dict[str, str]]:
    """Return the object that an answer shows, by `object` and `id`, where it shows one."""
    shown = read_json(body)
    if isinstance(shown, dict) and isinstance(shown.get("object"), str) and isinstance(shown.get("id"), str):
        return [{"object": shown["object"], "id": shown["id"]}]
    return []


def packed(headers: Headers, body: bytes) -> bytes:
    """Return an answer's headers and body as one text to seal."""
    lines = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
    return json.dumps(lines).encode() + b"\n" + body


def unpacked(text: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return headers and body of what was packed."""
    lines, _, body = text.partition(b"\n")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in json.loads(lines)], body


def _canonical(body: bytes) -> bytes:
    content = read_json(body) if len(body) <= CONTENT_BYTES_MAX else None
    return body if content is None else json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def read_json(body: bytes) -> Any:
    """Return what a body says, or None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _digest(*parts: str | bytes) -> str:
    whole = sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        # With its length, so that no two lists of parts read the same.
        whole.update(b"%d:" % len(content) + content)
    return whole.hexdigest()
