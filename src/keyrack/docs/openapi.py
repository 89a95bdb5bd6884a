"""The one OpenAPI 3.1 document of a host: its own operations and ours, from the table that the gate decides by."""

import asyncio
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from threading import Lock
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from keyrack.docs import openapi_parts as shared
from keyrack.docs.facts import BASE
from keyrack.docs.openapi_refusals import Answers
from keyrack.docs.openapi_routes import OWN_ERRORS, Found, Part, read
from keyrack.docs.openapi_schemas import tidy, tidy_one
from keyrack.docs.openapi_webhooks import PARAMETERS, SCHEMAS, data_schemas, webhooks
from keyrack.gate.problems import Problems
from keyrack.model.events import EventType
from keyrack.model.examples import example
from keyrack.model.permissions import Category, Need
from keyrack.model.refusals import Refusal
from keyrack.model.versions import Versions

VERSION = "3.1.0"
BASES_KEPT = 8
JSON = "application/json"
_PARAM = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Described:
    """The host as its document tells of it. `name` is the brand's; `refusals` and `event_types` are all that it has, by their names."""

    name: str
    categories: Mapping[str, Category]
    refusals: Mapping[str, Refusal]
    versions: Versions
    event_types: Mapping[str, EventType]


def describe(host: Described, parts: Sequence[Part], base_url: str) -> dict[str, Any]:
    """Return the document. Paths are those below `base_url`."""
    found, raw_schemas = read(parts)
    told = data_schemas(host.event_types.values())
    schemas, names = tidy({**told, **raw_schemas}, [one.item.get("requestBody") for one in found])
    for schema in schemas.values():
        if "examples" in schema:
            schema["examples"] = [example(schema, schemas)]
    answers = Answers(host.refusals)
    writer = _Writer(host, answers, schemas, names)
    paths: dict[str, dict[str, Any]] = {}
    for one in found:
        paths.setdefault(one.operation.template, {})[one.method.lower()] = writer.operation(one)
    schemas |= {"Problem": answers.problem(), **SCHEMAS}
    return {
        "openapi": VERSION,
        "info": {"title": f"{host.name} API", "version": host.versions.newest, "description": _introduction(host.name)},
        "servers": [{"url": base_url, "description": host.name}],
        "security": [{name: []} for name in shared.SECURITY_SCHEMES],
        "tags": writer.tags(),
        "x-tagGroups": writer.groups(),
        "paths": paths,
        "webhooks": webhooks(host.event_types, host.categories, names),
        "components": {
            "securitySchemes": shared.schemes(one.operation.need for one in found),
            "parameters": {**shared.parameters(host.versions.dates), **PARAMETERS},
            "headers": dict(shared.SHARED_HEADERS),
            "responses": answers.responses(base_url),
            "schemas": schemas,
        },
    }


def _introduction(name: str) -> str:
    return (
        f"The API of {name}: JSON over HTTPS. Every call is proven by a credential, decided by its permissions, counted against its "
        "limits and written to the request log. Objects name their kind in `object`; times are ISO 8601 in UTC with milliseconds. "
        "Refusals are problem documents (RFC 9457) with a `code`. Ignore fields that you do not know: new ones are no new version."
    )


class _Writer:
    """Writes operations one by one, and remembers their tags."""

    def __init__(self, host: Described, answers: Answers, schemas: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._host = host
        self._answers = answers
        self._schemas = schemas
        self._names = names
        self._tags: dict[str, Found] = {}

    def operation(self, one: Found) -> dict[str, Any]:
        """Return the operation object."""
        need, tag = one.operation.need, self._tag(one)
        self._tags.setdefault(tag, one)
        written: dict[str, Any] = {
            "operationId": one.item["operationId"],
            "tags": [tag],
            "summary": one.summary,
            "description": "\n\n".join(filter(None, [one.item.get("description"), _needs(need)])),
            "parameters": self._parameters(one),
        }
        if one.item.get("deprecated") or f"{one.method} {one.operation.template}" in self._host.versions.operations_ending:
            written["deprecated"] = True
        if "requestBody" in one.item:
            written["requestBody"] = self._body(one.item["requestBody"])
        written["responses"] = self._responses(one)
        written["security"] = shared.proofs(need)
        written["x-permission"] = need.declared if need is not None else None
        if need is not None and need.space is not None:
            written["x-permission-space"] = need.space
        written["x-cost"] = one.operation.cost
        return written

    def tags(self) -> list[dict[str, Any]]:
        """Return the tags that operations have, in the order of the operations."""
        return [self._tag_object(name, one.part) for name, one in self._tags.items()]

    def groups(self) -> list[dict[str, Any]]:
        """Return the tags of each app together."""
        groups: dict[str, list[str]] = {}
        for name, one in self._tags.items():
            groups.setdefault(one.part.title, []).append(name)
        return [{"name": title, "tags": names} for title, names in groups.items()]

    def _tag(self, one: Found) -> str:
        """What the app says, else the category that is needed, else the first noun of the path."""
        if one.item.get("tags"):
            return str(one.item["tags"][0])
        need = one.operation.need
        if need is not None and ":" in need.declared:
            return need.declared.partition(":")[0]
        nouns = [part for part in one.operation.template.split("/") if part and "{" not in part and not re.fullmatch(r"api|v\d+", part)]
        return nouns[0] if nouns else "other"

    def _tag_object(self, name: str, part: Part) -> dict[str, Any]:
        said = next((dict(tag) for tag in part.tags if tag.get("name") == name), {})
        category = self._host.categories.get(name)
        title = category.title if category else name.replace("-", " ").replace("_", " ").capitalize()
        text = (category.description if category else "") or title
        return {"name": name, "x-displayName": title, "description": text.removesuffix(".") + ".", **said}

    def _parameters(self, one: Found) -> list[dict[str, Any]]:
        written = []
        for parameter in one.item.get("parameters", ()):
            schema = tidy_one(parameter.get("schema", {}), self._names, query=parameter["in"] != "path")
            text = parameter.get("description") or schema.pop("description", None) or _about(parameter["name"])
            kept = {key: value for key, value in parameter.items() if key in ("name", "in", "required", "deprecated", "example")}
            given = {"example": schema["examples"][0]} if schema.get("examples") and "example" not in kept else {}
            written.append({**kept, "description": text, "schema": schema, **given})
        if one.operation.need is not None and one.method in shared.WRITES:
            written.append({"$ref": shared.PARAMETERS + "IdempotencyKey"})
        return [*written, {"$ref": shared.PARAMETERS + "ApiVersion"}]

    def _body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        content = {kind: self._content(kind, one) for kind, one in body["content"].items()}
        return {"required": bool(body.get("required")), "content": content}

    def _content(self, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        schema = tidy_one(content.get("schema", {}), self._names)
        given = {key: content[key] for key in ("example", "examples") if key in content}
        if not given and kind == JSON and schema:
            given = {"example": example(schema, self._schemas)}
        return {"schema": schema, **given}

    def _responses(self, one: Found) -> dict[str, Any]:
        proven = one.operation.need is not None
        written: dict[str, Any] = {}
        for status, response in one.item["responses"].items():
            if OWN_ERRORS not in json.dumps(response) and status[0] in "123":
                written[status] = self._answer(int(status), response, one, proven=proven)
        naming = proven and bool(_PARAM.search(one.operation.template))
        cost, is_hosts = one.operation.cost, one.part.is_hosts
        refused = self._answers.of(one.method, one.item, proven=proven, cost=cost, names_something=naming, is_hosts=is_hosts)
        return written | refused

    def _answer(self, status: int, response: Mapping[str, Any], one: Found, *, proven: bool) -> dict[str, Any]:
        names = [*shared.ON_EVERY, *shared.ON_ANSWERS, *(shared.ON_PROVEN if proven else ())]
        content = {kind: self._content(kind, given) for kind, given in response.get("content", {}).items()}
        if any(parameter.get("name") == "cursor" for parameter in one.item.get("parameters", ())):
            names.append("Link")
        if one.method in shared.WRITES and proven:
            names.append("Idempotent-Replayed")
        phrase = HTTPStatus(status).phrase
        said = response.get("description", "")
        answer = {"description": phrase if said in ("", "Successful Response") else said, "headers": shared.headers(*names)}
        return {**answer, "content": content} if content else answer


def _needs(need: Need | None) -> str:
    if need is None:
        return "Needs no credential."
    if need.in_spaces:
        return f"Needs `{need.text}` through a role in the space."
    return f"Needs `{need.text}`." if ":" in need.text else f"Needs {need.text}."


def _about(name: str) -> str:
    """A word on a parameter of which its host says nothing."""
    noun = name.removesuffix("_id").replace("_", " ")
    return f"The {noun}'s id." if name.endswith("_id") else f"The {noun}."


class Document:
    """The document of one start: made when it is first asked for, then kept, for each address under which the host is called."""

    def __init__(self, host: Described, problems: Problems) -> None:
        self._host = host
        self._problems = problems
        self._parts: Sequence[Part] = ()
        self._described: dict[str, Any] | None = None
        self._lock = Lock()
        self._texts: dict[str, tuple[bytes, str]] = {}

    def use(self, parts: Sequence[Part]) -> None:
        """Describe these operations from now on."""
        self._parts, self._described = parts, None
        self._texts.clear()

    def describe(self, parts: Sequence[Part], base_url: str) -> dict[str, Any]:
        """Return the document of some operations, for a host at an address."""
        return describe(self._host, parts, base_url)

    def instead(self, app: Any) -> dict[str, ASGIApp]:
        """Return what stands in place of a FastAPI app's own document and pages, by path: they know its own operations alone."""
        url, page = getattr(app, "openapi_url", None), getattr(app, "redoc_url", None)
        found = {path: handler for path, handler in ((url, self.answer), (page, _lead_to_docs)) if path and path.count("/") == 1}
        return {path: Starlette(routes=[Route(path, handler)]) for path, handler in found.items()}

    @property
    def described(self) -> dict[str, Any]:
        """The document, with `BASE` where the host's address belongs."""
        with self._lock:
            if self._described is None:
                self._described = self.describe(self._parts, BASE)
            return self._described

    async def answer(self, request: Request) -> Response:
        """Serve the document as JSON."""
        base = self._problems.base_url(request.scope) + request.scope.get("root_path", "")
        # Making it takes a tenth of a second, in which no call should wait.
        text, tag = self._texts.get(base) or self._rendered(base, await asyncio.to_thread(lambda: self.described))
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding, Host", "Access-Control-Allow-Origin": "*"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(text, media_type=JSON, headers={**headers, "Content-Encoding": "gzip"})
        return Response(gzip.decompress(text), media_type=JSON, headers=headers)

    def _rendered(self, base: str, described: Mapping[str, Any]) -> tuple[bytes, str]:
        text = json.dumps(described, ensure_ascii=False).replace(BASE, json.dumps(base)[1:-1]).encode()
        rendered = gzip.compress(text, mtime=0), f'"{blake2b(text, digest_size=8).hexdigest()}"'
        if len(self._texts) >= BASES_KEPT:
            # Whoever calls decides what the host is called: what is kept of that stays small.
            self._texts.clear()
        self._texts[base] = rendered
        return rendered


async def _lead_to_docs(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/docs")
