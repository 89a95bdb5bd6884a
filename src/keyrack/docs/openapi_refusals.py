"""How operations refuse: what the gate can refuse for calls of their kind, and what each says of itself (`refusals.saying`).

Operations that refuse alike share one answer of each status in the document.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any

from keyrack.docs import openapi_parts as shared
from keyrack.gate.problems import MEDIA_TYPE, Problems
from keyrack.model import refusals
from keyrack.model.calls import Call
from keyrack.model.refused import SAID, Refusal

# Any call may meet these; then those of calls that prove a caller, take something, name a thing, walk a list, or write.
_EVERY = (
    refusals.INVALID_REQUEST,
    refusals.KEY_IN_URL,
    refusals.UNKNOWN_VERSION,
    refusals.VERSION_ENDED,
    refusals.HEADERS_TOO_LARGE,
    refusals.INTERNAL_ERROR,
    refusals.STORE_UNAVAILABLE,
)
_PROVEN = (
    refusals.MISSING_CREDENTIAL,
    refusals.INVALID_CREDENTIAL,
    refusals.KEY_REVOKED,
    refusals.KEY_EXPIRED,
    refusals.KEY_DISABLED,
    refusals.TOKEN_REVOKED,
    refusals.TOKEN_EXPIRED,
    refusals.VISIT_ENDED,
    refusals.API_DISABLED,
    refusals.INSUFFICIENT_PERMISSION,
    refusals.ADDRESS_NOT_ALLOWED,
    refusals.ORIGIN_NOT_ALLOWED,
    refusals.PLAN_UPGRADE_REQUIRED,
    refusals.TOO_MANY_FAILURES,
)
_COSTING = (refusals.RATE_LIMITED,)
_NAMING = (refusals.NOT_FOUND,)
_WALKING = (refusals.CURSOR_FILTER_MISMATCH,)
_SENDING = (refusals.BODY_TOO_LARGE,)
_ONCE = (
    refusals.IDEMPOTENCY_KEY_INVALID,
    refusals.IDEMPOTENCY_KEY_IN_USE,
    refusals.ANSWER_LOST,
    refusals.IDEMPOTENCY_KEY_REUSED,
    refusals.OUTCOME_UNKNOWN,
)
# What operations may refuse with that say nothing of it: those of a host, and writes.
_UNSAID = (refusals.QUOTA_EXCEEDED,)
_UNSAID_OF_WRITES = (refusals.NOT_FOUND, refusals.CONFLICT, refusals.SHOWN_ONCE)
_EXAMPLE_ID = "req_019e5a1b2c3d4e5f6071800002a"
# Two codes that only writes meet, of statuses that every call meets.
_UNUSUAL = frozenset({refusals.IDEMPOTENCY_KEY_INVALID, refusals.OUTCOME_UNKNOWN})
_USUAL = frozenset({*_EVERY, *_PROVEN, *_COSTING, *_NAMING, *_SENDING, *_ONCE} - _UNUSUAL)


class Answers:
    """What operations answer when they refuse. `known` are all refusals that the host has, by their codes."""

    def __init__(self, known: Mapping[str, Refusal]) -> None:
        self._known = known
        self._order = {code: number for number, code in enumerate(known)}
        self._own = [one for code, one in known.items() if code not in refusals.ALL]
        self._used: dict[str, tuple[Refusal, ...]] = {}

    def of(self, method: str, item: Mapping[str, Any], *, proven: bool, cost: int, names_something: bool, is_hosts: bool) -> dict[str, Any]:
        """Return an operation's references to answers, by status. `item` is what its framework says of it.

        What names no refusals of its own may have whichever are usual, and in a host's part (`is_hosts`) all that the host has declared.
        Raises ValueError for a code that there is none of.
        """
        writes = method in shared.WRITES
        found = [*_EVERY, *(_PROVEN if proven else ()), *(_COSTING if proven and cost else ())]
        found += [*(_NAMING if names_something else ()), *(_SENDING if writes else ()), *(_ONCE if writes and proven else ())]
        if any(parameter.get("name") == "cursor" for parameter in item.get("parameters", ())):
            found += _WALKING
        if SAID in item:
            found += [self._named(code) for code in item[SAID]]
        else:
            found += [*(_UNSAID_OF_WRITES if writes and proven else ()), *([*self._own, *_UNSAID] if is_hosts else ())]
            found += [refusals.of_status(int(status)) for status in item["responses"] if status[0] in "45" and status != "422"]
        codes = sorted({one.code for one in found}, key=lambda code: (self._known[code].status, self._order[code]))
        grouped = groupby((self._known[code] for code in codes), key=lambda one: one.status)
        return {str(status): self._reference(status, tuple(group)) for status, group in grouped}

    def responses(self, base_url: str) -> dict[str, Any]:
        """Return the answers that were referred to by name, each with an example of every refusal as the gate writes it."""
        problems = Problems(base_url)
        return {name: _response(found, problems) for name, found in sorted(self._used.items())}

    def problem(self) -> dict[str, Any]:
        """Return the schema of all of them."""
        met = {refusals.METHOD_NOT_ALLOWED.code} | {one.code for found in self._used.values() for one in found}
        code = {**shared.PROBLEM["properties"]["code"], "x-extensible-enum": [code for code in self._known if code in met]}
        return {**shared.PROBLEM, "properties": {**shared.PROBLEM["properties"], "code": code}}

    def _named(self, code: str) -> Refusal:
        if code not in self._known:
            raise ValueError(f"an operation says that it refuses with {code!r}, and there is no such code")
        return self._known[code]

    def _reference(self, status: int, found: tuple[Refusal, ...]) -> dict[str, str]:
        name = _name(status, found)
        self._used[name] = found
        return {"$ref": shared.RESPONSES + name}


def _name(status: int, found: Sequence[Refusal]) -> str:
    """Return the name of an answer: by its phrase, what it has besides the usual, and what of that it lacks."""
    usual = [one for one in _USUAL if one.status == status]
    more, less = ([one for one in found if one not in usual], sorted((one for one in usual if one not in found), key=lambda one: one.code))
    return (
        _camel(HTTPStatus(status).phrase)
        + "".join(f"With{_camel(one.code)}" for one in more)
        + "".join(f"No{_camel(one.code)}" for one in less)
    )


def _camel(text: str) -> str:
    return text.replace("_", " ").title().replace(" ", "")


def _response(found: Sequence[Refusal], problems: Problems) -> dict[str, Any]:
    status = found[0].status
    examples = {one.code: {"summary": one.title, "description": one.remedy, "value": _problem(one, problems)} for one in found}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{one.code}`' for one in found)}.",
        "headers": shared.headers(*shared.ON_EVERY, *shared.ON_STATUS.get(status, ())),
        "content": {MEDIA_TYPE.decode(): {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def _problem(refusal: Refusal, problems: Problems) -> Any:
    call = Call("POST", "/", _EXAMPLE_ID, 0, 0)
    return json.loads(problems.document(call, {}, refusal(refusal.title + ".")))
