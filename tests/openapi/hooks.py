"""What Schemathesis leaves alone, and what only a program that keeps count can do right."""

import itertools
import os
import re
from collections import defaultdict, deque
from random import Random
from typing import Any

import schemathesis

# The key that it calls with, and the integration that the key proves: without them all is refused.
PROTECTED = frozenset(os.environ.get("PROTECTED_IDS", "").split(","))
NOBODY = "cl9bn00of0000g7l8gcq8c4xk"
ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# What a path calls an object, where that is not the object's own name.
OBJECTS = {"call": "connector_call", "holder": "integration", "request": "log"}
ANSWERED = (200, 201, 202)
ANSWERED_MAX = 30
KNOWN_PART = 0.7
_answered: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=ANSWERED_MAX))
_random = Random(1)
_numbers = itertools.count()


@schemathesis.check
def refusal_is_listed(ctx: Any, response: Any, case: Any) -> None:
    """Hold each refusal to be one of those that the document lists for the operation."""
    written = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if "$ref" in written and (response.headers.get("content-type") or [""])[0] == "application/problem+json":
        listed = case.operation.schema.raw_schema["components"]["responses"][written["$ref"].rpartition("/")[2]]
        code = response.json()["code"]
        assert code in listed["content"]["application/problem+json"]["examples"], f"the code {code!r} is not listed for this operation"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember which objects there are."""
    is_json = response.status_code in ANSWERED and (response.headers.get("content-type") or [""])[0] == "application/json"
    answer = response.json() if is_json else None
    for row in answer.get("data", [answer]) if isinstance(answer, dict) else ():
        if isinstance(row, dict) and "object" in row:
            found = row.get("id", row.get("request_id"))
            if found and found not in _answered[row["object"]]:
                _answered[row["object"]].append(found)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Ask mostly for what there is, never switch the API off, and give each call an idempotency key of its own."""
    for name, value in (case.path_parameters or {}).items():
        noun = name.removesuffix("_id")
        there = _answered[OBJECTS.get(noun, noun)]
        if there and ID.fullmatch(str(value)) and _random.random() < KNOWN_PART:
            case.path_parameters[name] = _random.choice(there)
        if str(case.path_parameters[name]) in PROTECTED:
            case.path_parameters[name] = NOBODY
    if isinstance(case.body, dict) and case.body.get("api_enabled") is False:
        case.body["api_enabled"] = True
    given = (case.headers or {}).get("Idempotency-Key")
    if isinstance(given, str) and re.fullmatch(r"[!#-~][!-~]{0,200}", given):
        case.headers["Idempotency-Key"] = f"{given}-{next(_numbers)}"
    elif isinstance(given, str) and re.fullmatch(r'"([ !#-\[\]-~]|\\["\\]){1,200}"', given):
        case.headers["Idempotency-Key"] = f'{given[:-1]}-{next(_numbers)}"'
