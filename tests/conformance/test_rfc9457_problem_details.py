"""RFC 9457, Problem Details for HTTP APIs: every refusal of every status."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from keyrack.model.permissions import Level, Rights
from tests.hosts import Host

EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{2,}")
POINTER = re.compile(r"#(/([^~/]|~[01])*)*")


async def refusals(host: Host) -> list[httpx.Response]:
    """One refusal of each kind that a caller can cause."""
    key, reader = await host.key(), await host.key(Rights(permissions={"customers": Level.READ}), name="reader")
    return [
        await host.get("/api/v1/customers"),
        await host.get("/api/v1/customers", "nonsense"),
        await host.send("POST", "/api/v1/customers", reader, json={"name": "a"}),
        await host.get("/api/v1/nothing", key),
        await host.get("/api/v1/customers/missing", key),
        await host.send("PUT", "/api/v1/customers", key),
        await host.send("POST", "/api/v1/customers", key, json={"nam": 7}),
        await host.send("POST", "/api/v1/echo", key, content=b"x" * 2_000_000),
        await host.get("/api/v1/crash", key),
    ]


async def test_section_3_the_media_type_and_the_types_of_members(host: Host) -> None:
    kinds: dict[str, Any] = {"type": str, "title": str, "status": int, "detail": str, "instance": str}
    answers = await refusals(host)
    assert {400, 401, 403, 404, 405, 413, 500} == {answer.status_code for answer in answers}
    for answer in answers:
        assert "application/problem+json" == answer.headers["content-type"]
        document = answer.json()
        for name, kind in kinds.items():
            assert type(document[name]) is kind, (name, document)


async def test_section_3_1_2_the_status_member_is_the_status(host: Host) -> None:
    for answer in await refusals(host):
        assert answer.status_code == answer.json()["status"]


async def test_section_3_1_1_a_type_is_an_absolute_address_of_its_documentation(host: Host) -> None:
    for answer in await refusals(host):
        document = answer.json()
        parts = urlsplit(document["type"])
        assert parts.scheme
        assert parts.netloc
        page = await host.get(parts.path)
        assert (200, "text/html") == (page.status_code, page.headers["content-type"].partition(";")[0])
        # A new type documents its address, its title and its status (§4).
        for told in (document["code"], document["title"], str(document["status"])):
            assert told in page.text


async def test_section_3_1_3_a_title_does_not_change_between_occurrences(host: Host) -> None:
    titles: dict[str, set[str]] = {}
    for answer in [*await refusals(host), await host.get("/api/v1/also-nothing", await host.key(name="again"))]:
        titles.setdefault(answer.json()["type"], set()).add(answer.json()["title"])
    assert all(len(found) == 1 for found in titles.values()), titles


async def test_section_3_2_extensions_have_names_that_every_language_can_have(host: Host) -> None:
    for answer in await refusals(host):
        assert all(EXTENSION.fullmatch(name) for name in answer.json()), answer.json()


async def test_section_3_several_faults_are_listed_by_json_pointer(host: Host) -> None:
    answer = await host.send("POST", "/api/v1/customers", await host.key(), json={"nam": 7})
    errors = answer.json()["errors"]
    assert 2 == len(errors)
    for error in errors:
        assert POINTER.fullmatch(error["pointer"])
        assert error["detail"]


@pytest.mark.parametrize("path", ["/api/v1/crash"])
async def test_section_5_nothing_inside_is_told(host: Host, path: str) -> None:
    answer = await host.get(path, await host.key())
    assert 500 == answer.status_code
    for inner in ("secret detail", "Traceback", "RuntimeError", ".py", "sqlite"):
        assert inner not in answer.text
