"""The API reference has a page for every operation, whose samples work as they stand, and a list of all that leads to them."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from keyrack import Settings
from keyrack.model.examples import resolve
from tests.atrium.conftest import serving
from tests.atrium.host import Host
from tests.console.browser import Reader
from tests.docs_site.test_blocks import request_of
from tests.openapi.documents import operations

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What the samples name is not there, or lies in a space that is not: any other refusal would be the sample's own fault.
EXPECTED = {200, 201, 204, 404, 409}
# Their samples name a member who is not there.
NAMES_A_MEMBER = {"getAccess", "createItem", "updateItem", "createPortalLink"}
# Theirs are sent with a key: only a member's default token makes tokens.
MADE_BY_MEMBERS = {"createToken", "generateDefaultToken"}
# Theirs hold a key without a checksum, and a signature that is none: nobody can publish such as work.
PROVES_ITSELF = {"reportLeak", "reportGithubLeaks"}


@pytest.fixture(scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A workspace of a running Atrium."""
    # Nobody signs here, so nobody is asked for public keys: least of all GitHub.
    settings = Settings(data=tmp_path_factory.mktemp("data"), github_keys_url="http://127.0.0.1:9/")
    async with serving(settings) as pair:
        yield await Host.create(*pair)


@pytest.fixture(scope="module")
async def document(host: Host) -> dict[str, Any]:
    """Its document."""
    found: dict[str, Any] = (await host.client.get("/docs/openapi.json")).json()
    return found


@pytest.fixture(scope="module")
async def pages(host: Host) -> dict[str, str]:
    """The page of each operation in Markdown, by method and path."""
    index = (await host.client.get("/docs/api/explorer.md")).text
    rows = re.findall(r"^\| `([A-Z]+)` \| \[`([^`]+)`\]\(([^)]+)\)", index, re.MULTILINE)
    answers = await asyncio.gather(*(host.client.get(address) for _, _, address in rows))
    return {f"{method} {path}": answer.text for (method, path, _), answer in zip(rows, answers, strict=True)}


def samples(page: str) -> dict[str, str]:
    """The blocks of a page: the first of each language."""
    found: dict[str, str] = {}
    for language, text in FENCE.findall(page):
        found.setdefault(language, text)
    return found


async def test_every_operation_has_a_page_with_all_that_the_document_says(document: dict[str, Any], pages: dict[str, str]) -> None:
    told = {f"{method.upper()} {path}": one for path, item in document["paths"].items() for method, one in item.items()}
    assert told.keys() == pages.keys()
    for name, one in told.items():
        page = pages[name]
        assert one["summary"] in page
        assert (f"Needs `{one['x-permission']}`" in page) == (":" in (one["x-permission"] or "")), name
        assert {"sh", "python", "typescript"} <= samples(page).keys(), name
        for parameter in one["parameters"]:
            assert f"| `{resolve_parameter(parameter, document)['name']}` |" in page
        body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        for field in resolve(body, document["components"]["schemas"]).get("properties", {}):
            assert f"| `{field}` |" in page, name


def resolve_parameter(parameter: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter, or the shared one that it refers to."""
    name = parameter.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["parameters"][name] if name else parameter
    return found


async def test_line_for_curl_sends_what_the_operation_takes(host: Host, document: dict[str, Any], pages: dict[str, str]) -> None:
    ids = {f"{method.upper()} {path}": one["operationId"] for path, item in document["paths"].items() for method, one in item.items()}
    # What pages of others call with an embed key takes no other credential.
    called_by_pages = {one["operationId"] for one in operations(document).values() if one["x-permission"] in ("embed_key", "visitor")}
    # What ends the API for all is sent last of all.
    for name, page in sorted(pages.items(), key=lambda pair: ids[pair[0]] == "updateWorkspace"):
        asked = request_of(samples(page)["sh"].strip())
        assert name.split(" ")[0] == asked["method"]
        asked["headers"]["Authorization"] = f"Bearer {host.secret}"
        answer = await host.client.request(**asked)
        allowed = EXPECTED | ({400} if ids[name] in NAMES_A_MEMBER else {400, 503} if ids[name] in PROVES_ITSELF else set())
        allowed |= {403} if ids[name] in MADE_BY_MEMBERS or ids[name] in called_by_pages else set()
        assert answer.status_code in allowed, f"{name}: {answer.text}"
        assert answer.json()["detail"] != "No such path." if answer.status_code == 404 else True, name
    host.secret = (await Host.create(host.rack, host.client)).secret


async def test_python_sample_runs_as_it_stands(host: Host, pages: dict[str, str]) -> None:
    visitor = await Host.create(host.rack, host.client)
    for name in ("GET /api/v1/me", "POST /api/v1/customers", "GET /api/v1/customers", "POST /api/v1/keys"):
        code = samples(pages[name])["python"].replace("atrium_REPLACE_ME", visitor.secret)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=pipe, stderr=pipe)
        said, failed = await process.communicate()
        assert (0, True) == (process.returncode, bool(said)), f"{name}: {failed.decode()}"
    for name, page in pages.items():
        compile(samples(page)["python"], name, "exec")


async def test_errors_of_an_operation_lead_to_their_pages(host: Host, pages: dict[str, str]) -> None:
    links = {link for page in pages.values() for link in re.findall(r"\]\((http[^)]*/docs/errors/[^)]+)\)", page)}
    assert len(links) > 15
    assert {200} == {(await host.client.get(link)).status_code for link in links}


async def test_list_of_all_endpoints_can_be_narrowed(host: Host, document: dict[str, Any]) -> None:
    root = Reader((await host.client.get("/docs/api/explorer")).text).root
    listed = [one for one in root.all("li") if "data-endpoint" in one.attributes]
    assert len(operations(document)) == len(listed)
    assert {"", "customers:write", "org_admin", "any"} <= {
        one.attributes["value"] or "" for one in root.all("option") if "value" in one.attributes
    } | {one.text for one in root.all("option")}


async def test_form_takes_a_key_that_nobody_keeps(host: Host) -> None:
    page = (await host.client.get("/docs/api/customers/create-customer")).text
    root = Reader(page).root
    (form,) = [one for one in root.all("form") if "data-try" in one.attributes]
    key = next(one for one in form.all("input") if "data-try-key" in one.attributes)
    # Without a name it is never part of what a form sends by itself, and browsers are not to remember it.
    assert ("password", "new-password", False) == (key.attributes["type"], key.attributes["autocomplete"], "name" in key.attributes)
    assert "Aurora Outfitters" in next(iter(form.all("textarea"))).text
    assert "connect-src 'self'" in (await host.client.get("/docs/api/customers/create-customer")).headers["content-security-policy"]
