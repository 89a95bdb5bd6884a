"""The API reference: a page for each operation and one that lists them all, made of the OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from keyrack.docs import reference_forms as forms
from keyrack.docs import reference_samples as samples
from keyrack.docs.facts import Facts
from keyrack.docs.openapi import JSON, Document
from keyrack.docs.openapi_parts import OF_PAGES
from keyrack.docs.page import Page
from keyrack.docs.reference_fields import fields_of, parameter_row, table

SECTION = "API Reference"
METHODS = ("get", "post", "put", "patch", "delete")
UPDATED = "2026-11-21"


@dataclass(frozen=True)
class Call:
    """One operation with all that its page tells. `parameters` and `responses` are whole, not references."""

    id: str
    method: str
    path: str
    tag: str
    group: str
    summary: str
    description: str
    permission: str | None
    cost: int
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None
    responses: Mapping[str, Mapping[str, Any]]
    deprecated: bool

    @property
    def slug(self) -> str:
        """Where its page is, below `/docs`."""
        return f"api/{_slug(self.tag)}/{_slug(self.id)}"

    @property
    def needs_key(self) -> bool:
        """Whether a secret credential is asked for. What pages of other origins call asks for none."""
        return self.permission is not None and self.permission not in OF_PAGES

    @property
    def query(self) -> list[Mapping[str, Any]]:
        """The parameters behind the question mark."""
        return [one for one in self.parameters if one["in"] == "query"]

    @property
    def in_path(self) -> list[Mapping[str, Any]]:
        """The parameters inside the path."""
        return [one for one in self.parameters if one["in"] == "path"]

    @property
    def example_body(self) -> Any:
        """What the body looks like; None without one."""
        return None if self.body is None else self.body.get("content", {}).get(JSON, {}).get("example")


class Reference:
    """The reference of one start's document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def calls(self) -> list[Call]:
        """Return all operations in order."""
        return list(_calls(self._document.described))

    def pages(self, facts: Facts) -> Iterator[Page]:
        """Yield the list of all operations, and a page for each."""
        described = self._document.described
        calls = list(_calls(described))
        titles = {tag["name"]: tag for tag in described["tags"]}
        yield _index(calls, titles)
        for order, call in enumerate(calls):
            yield _page(call, order, titles[call.tag], facts, described["components"])


def _calls(described: Mapping[str, Any]) -> Iterator[Call]:
    components = described["components"]
    groups = {tag: group["name"] for group in described["x-tagGroups"] for tag in group["tags"]}
    places = {tag["name"]: number for number, tag in enumerate(described["tags"])}
    found = [(path, method, item[method]) for path, item in described["paths"].items() for method in METHODS if method in item]
    for path, method, item in sorted(found, key=lambda one: places[one[2]["tags"][0]]):
        yield Call(
            id=item["operationId"],
            method=method.upper(),
            path=path,
            tag=item["tags"][0],
            group=groups[item["tags"][0]],
            summary=item["summary"],
            description=item["description"],
            permission=item["x-permission"],
            cost=item["x-cost"],
            parameters=tuple(_whole(one, components) for one in item["parameters"]),
            body=item.get("requestBody"),
            responses={status: _whole(one, components) for status, one in item["responses"].items()},
            deprecated=item.get("deprecated", False),
        )


def _whole(one: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in one:
        return one
    _, _, kind, name = one["$ref"].split("/")
    found: Mapping[str, Any] = components[kind][name]
    return found


def _index(calls: list[Call], titles: Mapping[str, Any]) -> Page:
    text = (
        "Every operation of this API. The document behind this page is "
        "[OpenAPI 3.1](/docs/openapi.json): programs and generators of clients read it."
    )
    for name, tag in titles.items():
        rows = [(f"`{one.method}`", f"[`{one.path}`](/docs/{one.slug})", one.summary, _permission(one)) for one in calls if one.tag == name]
        text += f"\n\n## {tag['x-displayName']}\n\n{tag['description']}\n\n"
        text += table(("Method", "Path", "What it does", "Needs"), rows)
    return Page(
        "api/explorer",
        "Explorer",
        "All endpoints: find one by its words, its noun or the permission that it needs, and try it with your own key.",
        SECTION,
        text,
        order=-1,
        updated=UPDATED,
        more=lambda _: forms.explorer(calls, titles),
    )


def _page(call: Call, order: int, tag: Mapping[str, Any], facts: Facts, components: Mapping[str, Any]) -> Page:
    text = "\n\n".join(filter(None, _parts(call, facts, components["schemas"])))
    page = Page(
        call.slug,
        call.summary,
        f"{call.method} {call.path}",
        str(tag["x-displayName"]),
        text,
        order=order,
        updated=UPDATED,
        related=("api/explorer", "authentication", "errors"),
    )
    return forms.with_form(page, call)


def _parts(call: Call, facts: Facts, schemas: Mapping[str, Any]) -> Iterator[str]:
    if call.deprecated:
        yield "> [!WARNING]\n> This operation is deprecated."
    yield call.description + f" {_price(call)}"
    yield samples.tabs(call, facts)
    for title, found in (("In the path", call.in_path), ("In the query", call.query), ("Headers", _headers(call))):
        if found:
            rows = [parameter_row(one, schemas) for one in found]
            yield f"## {title}\n\n" + table(("Name", "Type", "Required", "What it is"), rows)
    if call.body is not None:
        yield "## Body\n\n" + _body(call.body, schemas)
    yield _answer(call, schemas)
    yield "## Errors\n\n" + _errors(call)


def _headers(call: Call) -> list[Mapping[str, Any]]:
    return [one for one in call.parameters if one["in"] == "header"]


def _price(call: Call) -> str:
    if call.permission is None:
        return ""
    if call.cost == 0:
        return "It is free: it takes nothing from any limit."
    return f"It takes {call.cost} from each limit." if call.cost != 1 else "It counts as one call."


def _permission(call: Call) -> str:
    return f"`{call.permission}`" if call.permission is not None else "nothing"


def _body(body: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    schema = body.get("content", {}).get(JSON, {}).get("schema")
    if schema is None:
        return "A body of another type than JSON: " + ", ".join(f"`{kind}`" for kind in body.get("content", {})) + "."
    said = "" if body.get("required") else "It may be left out.\n\n"
    return said + table(("Field", "Type", "Required", "What it is"), fields_of(schema, schemas, asks=True))


def _answer(call: Call, schemas: Mapping[str, Any]) -> str:
    told = []
    for status, response in call.responses.items():
        if status[0] not in "23":
            continue
        content = response.get("content", {}).get(JSON, {})
        told.append(f"`{status}` {HTTPStatus(int(status)).phrase}." + ("" if response.get("content") else " It has no body."))
        if content.get("schema"):
            told.append(table(("Field", "Type", "What it is"), [(row[0], row[1], row[3]) for row in fields_of(content["schema"], schemas)]))
        if "example" in content:
            told.append(samples.block("json", samples.pretty(content["example"])))
    return "## Answer\n\n" + "\n\n".join(filter(None, told))


def _errors(call: Call) -> str:
    rows = []
    for status, response in call.responses.items():
        for content in response.get("content", {}).values() if status[0] in "45" else ():
            for code, one in content.get("examples", {}).items():
                rows.append((status, f"[`{code}`](/docs/errors/{code})", one["description"]))
    return table(("Status", "Code", "What to do"), rows)


def _slug(text: str) -> str:
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in text)
    return "-".join(
        part for part in "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in words).split("-") if part
    )
