"""Each refusal that a test's host answers with is one that its document lists for the operation: others fail where they come."""

import re
from collections.abc import Awaitable, Callable, Mapping

import httpx

from keyrack import Keyrack

# What only a host's developers meet stands in no operation's list; and a method that a path does not take is no operation.
_FAULTS = frozenset({"catalog_mismatch", "transaction_closed", "change_inside_transaction", "method_not_allowed"})
_Listed = list[tuple[str, re.Pattern[str], frozenset[str]]]
_known: dict[frozenset[tuple[str, str]], _Listed] = {}


def listed_codes(document: Mapping[str, Mapping[str, Mapping[str, dict[str, dict[str, dict[str, str]]]]]]) -> _Listed:
    """Return the codes that a document lists for each operation: its method, what its paths look like, and the codes."""
    answers = document["components"]["responses"]
    found: list[tuple[str, str, frozenset[str]]] = []
    for template, item in document["paths"].items():
        for method, operation in item.items():
            names = [one["$ref"].rpartition("/")[2] for one in operation["responses"].values() if "$ref" in one]
            codes = frozenset(code for name in names for code in answers[name]["content"]["application/problem+json"]["examples"])
            found.append((method.upper(), template, codes))
    # A path that names nothing is meant before one that names anything.
    found.sort(key=lambda one: one[1].count("{"))
    return [(method, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))), codes) for method, template, codes in found]


def refusals_listed(rack: Keyrack) -> Callable[[httpx.Response], Awaitable[None]]:
    """Return the hook of a client that looks at each refusal, wherever the rack has an operation of that path and method."""

    async def look(answer: httpx.Response) -> None:
        if answer.headers.get("content-type") != "application/problem+json" or answer.request.method == "HEAD":
            return
        await answer.aread()
        code, path = answer.json()["code"], answer.request.url.path
        if code in _FAULTS:
            return
        operations = frozenset(rack.assembly.catalog._found)
        if operations not in _known:
            _known[operations] = listed_codes(rack._document.described)
        asked = {path, re.sub(r"^/api/(?!v1/)", "/api/v1/", path)}
        for method, shape, codes in _known[operations]:
            if method == answer.request.method and any(shape.fullmatch(one) for one in asked):
                assert code in codes, f"{method} {path} answered {code!r}, which is not among the codes that its document lists"
                return

    return look
