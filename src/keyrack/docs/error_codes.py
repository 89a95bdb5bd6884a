"""What the docs tell of each refusal, made of the registry: a code that is in it has its text here, the host's own ones too."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from keyrack.gate.problems import Problems
from keyrack.model.calls import Call
from keyrack.model.refusals import Refusal

_OCCURRENCES: Mapping[str, dict[str, Any]] = {
    "invalid_request": {
        "detail": "target_launch_dat: there is no such field; did you mean `target_launch_date`?",
        "param": "target_launch_dat",
        "errors": [
            {
                "code": "extra_forbidden",
                "param": "target_launch_dat",
                "pointer": "#/target_launch_dat",
                "detail": "target_launch_dat: there is no such field; did you mean `target_launch_date`?",
                "fix": "Call it `target_launch_date`, or leave it out.",
            }
        ],
    },
    "unknown_version": {
        "detail": "There is no version 2026-02-30; the versions are 2026-01-01, 2026-10-01.",
        "param": "Api-Version",
        "extra": {"versions": ["2026-01-01", "2026-10-01"]},
    },
    "insufficient_permission": {"detail": "This operation needs customers:write; this key has customers:read."},
    "method_not_allowed": {"detail": "This path takes GET, POST."},
    "rate_limited": {
        "detail": "The limit 'workspace' is used up; it allows the call in 3 s.",
        "extra": {"violated-policies": ["workspace"]},
    },
}
"""What examples show of codes whose documents say more than their title."""
REQUEST_ID = "req_019f2c1a7b00000000000000000"
"""The request id that examples show."""


def sections(known: Mapping[str, Refusal], base_url: str) -> dict[str, str]:
    """Return the text about each refusal as Markdown, by code: for whatever page shows it. Its title and status stand beside it."""
    return {code: section(refusal, base_url) for code, refusal in known.items()}


def section(refusal: Refusal, base_url: str) -> str:
    """Return the text about one refusal: why it happens, what to do, and what it looks like on a host at this address."""
    again = "The very same call may succeed later." if refusal.retryable else "The same call will be refused again until something changes."
    example = json.dumps(example_of(refusal, base_url), indent=2, ensure_ascii=False)
    return (
        f"The code is `{refusal.code}`, the status {refusal.status} ({_phrase(refusal.status)}).\n\n"
        f"## Why it happens\n\n{refusal.cause}\n\n"
        f"## What to do\n\n{refusal.remedy}\n\n{again}\n\n"
        f"## What it looks like\n\n```json\n{example}\n```\n"
    )


def example_of(refusal: Refusal, base_url: str) -> dict[str, object]:
    """Return the problem document of one occurrence."""
    call = Call("GET", "/", REQUEST_ID, 0, 0)
    refused = refusal(**{"detail": f"{refusal.title}.", **_OCCURRENCES.get(refusal.code, {})})
    document: dict[str, object] = json.loads(Problems(base_url).document(call, {}, refused))
    return document


def _phrase(status: int) -> str:
    return next((known.phrase for known in HTTPStatus if known == status), "a status of the host's own")
