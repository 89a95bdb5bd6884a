"""Problem documents are those of RFC 9457, whatever has refused."""

from typing import Any

import pytest

from tests.hosts import Host
from tests.walk.problems import problem

CALLS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/api/v1/orders", {"headers": {}}, 401, "missing_credential"),
    ("GET", "/api/v1/nothing", {}, 404, "not_found"),
    ("PUT", "/api/v1/orders", {}, 405, "method_not_allowed"),
    ("POST", "/api/v1/orders", {"content": b"{"}, 400, "invalid_request"),
    ("POST", "/api/v1/orders", {"json": []}, 400, "invalid_request"),
    ("GET", "/api/v1/keys?mode=live&mode=test", {}, 403, "insufficient_permission"),
    ("GET", "/api/v1/orders", {"headers": {"Api-Version": "tomorrow"}}, 400, "unknown_version"),
    ("GET", "/api/v1/orders?api_key=x", {}, 400, "key_in_url"),
    ("POST", "/api/v1/orders", {"headers": {"Content-Length": "9999999"}}, 413, "body_too_large"),
]


@pytest.mark.parametrize(("method", "path", "options", "status", "code"), CALLS)
async def test_rfc_9457_section_3_members_have_their_types(
    host: Host, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    key = None if status == 401 else await host.key()
    document = problem(await host.send(method, path, key, **options), status, code)
    assert all(isinstance(document[name], str) for name in ("type", "title", "detail", "instance"))
    assert host.rack.refusals[code].title == document["title"]
    assert document["type"].startswith("http://acme.test/docs/errors/")
    # §4.2: extension members.
    assert isinstance(document["retryable"], bool)
    assert all({"code", "param", "pointer", "detail", "fix"} == set(one) for one in document["errors"])


async def test_the_page_that_type_names_is_there(host: Host) -> None:
    document = problem(await host.get("/api/v1/nothing", await host.key()), 404, "not_found")
    page = await host.client.get(document["type"])
    assert (200, "text/html") == (page.status_code, page.headers["content-type"].partition(";")[0])
