"""Pivra's page "API keys", walked over HTTP and by the command line: `keyrack demo --brand pivra`.

What people do in the console is walked in a browser: `tests/browser/test_pivra_page.py`. The widget and its embed key have tests of their
own; here they are only told apart from keys.
"""

import json
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.programs import run
from tests.pages.readers import Json, Reader, holding, reading

AS_ON_THE_PAGE = """curl https://pivra-api.fly.dev/api/leads \\
-H "Authorization: Bearer pivra_sk_xxxxxxxxxxxxxxxxxx"
"""
LISTS = ("leads", "conversations", "chatbots", "sources")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo keeps its data."""
    return tmp_path_factory.mktemp("pivra")


@pytest.fixture(scope="module")
def reader(folder: Path) -> Iterator[Reader]:
    """Somebody who may use the API of their account."""
    with reading(folder, "pivra") as one:
        yield one


@pytest.fixture(scope="module")
def secret(reader: Reader) -> Iterator[str]:
    """A key for this integration alone: "CRM sync"."""
    made = reader.done("POST", "/keys", reader.admin_key, {"name": "CRM sync"})
    yield made["secret"]
    # Last of all, over everything that the tests have asked: it is shown only once and cannot be retrieved again.
    assert ["POST /api/v1/keys"] == holding(made["secret"], reader.calls)


def operate(folder: Path, *words: str) -> CompletedProcess[str]:
    """Run a command of the operator's on the demo's data."""
    return run(folder, *words, "--data", "data", "--app", "atrium.app:app", ATRIUM_BRAND="pivra")


def test_key_begins_as_the_page_shows_and_has_full_read_and_write_access(reader: Reader, secret: str) -> None:
    assert re.fullmatch("pivra_sk_[0-9A-Za-z]{36}", secret)
    assert reader.printed["test_key"] is None
    me = reader.done("GET", "/me", secret)
    assert ("CRM sync", "live", {"*": "write"}) == (me["key_name"], me["mode"], me["permissions"])


def test_example_works_as_it_stands(reader: Reader, secret: str) -> None:
    line = AS_ON_THE_PAGE.replace("https://pivra-api.fly.dev", reader.url).replace("pivra_sk_xxxxxxxxxxxxxxxxxx", secret)
    program, url, option, header = shlex.split(line.replace("\\\n", " "))
    assert ("curl", "-H") == (program, option)
    name, _, value = header.partition(": ")
    leads = reader.http.get(url, headers={name: value}).json()["data"]
    assert leads
    assert {"lead"} == {one["object"] for one in leads}


def test_endpoints_of_the_table_list_what_the_account_has(reader: Reader, secret: str) -> None:
    for name in LISTS:
        answer = reader.http.get(f"{reader.url}/api/{name}", headers={"Authorization": f"Bearer {secret}"})
        assert (200, True) == (answer.status_code, bool(answer.json()["data"])), name
    usage = reader.done("GET", "/usage", secret)
    assert "Starter" == usage["plan"]["title"]
    assert {"chatbots", "sources", "messages"} == {meter["name"] for meter in usage["live"]["meters"]}
    assert usage["live"]["limits"]


def test_sources_are_created_and_answer_questions_sent_with_a_key(reader: Reader, secret: str) -> None:
    chatbot = reader.data("/chatbots", secret)[0]["id"]
    text = "The lighthouse at Brantwick opens at noon on Thursdays."
    made = reader.done("POST", "/sources", secret, {"chatbot_id": chatbot, "kind": "text", "name": "Lighthouse", "text": text})
    assert made["id"] in {source["id"] for source in reader.data("/sources", secret)}
    for _ in range(200):
        if "pending" != reader.done("GET", f"/sources/{made['id']}", secret)["status"]:
            break
        time.sleep(0.1)
    # "Can I use the API to send messages to my chatbot programmatically? Not yet": now one can.
    answer = reader.done("POST", f"/chatbots/{chatbot}/messages", secret, {"body": "When does the lighthouse open?"})
    assert (True, True) == (answer["found"], "noon on Thursdays" in answer["body"])
    assert "Lighthouse" in json.dumps(answer)


def test_full_reference_is_there(reader: Reader) -> None:
    for path in ("/docs/api/explorer", "/docs/guides/api-keys", "/docs/guides/security-best-practices", "/docs/guides/plans"):
        page = reader.http.get(f"{reader.url}{path}")
        assert 200 == page.status_code, path
    for name in LISTS:
        assert f"/api/v1/{name}" in reader.http.get(f"{reader.url}/docs/api/explorer").text
    keys = reader.http.get(f"{reader.url}/docs/guides/api-keys").text
    assert "Available on: Starter and above" in keys
    assert "support@pivra.ai" in reader.http.get(f"{reader.url}/docs/help", follow_redirects=True).text


def test_what_pivra_has_not_does_not_exist(reader: Reader, secret: str) -> None:
    for path in ("/customers", "/onboardings"):
        reader.refused(404, "not_found", reader.call("GET", path, secret))
    described = reader.http.get(f"{reader.url}/docs/openapi.json").json()
    assert not [path for path in described["paths"] if "customers" in path or "onboardings" in path]
    assert {404} == {reader.http.get(f"{reader.url}{path}").status_code for path in ("/customers", "/onboardings", "/spaces")}
    assert "Aurora" not in reader.http.get(f"{reader.url}/docs/quickstart").text
    types = {one["name"] for one in reader.data("/event-types?limit=100", reader.admin_key)}
    assert not [name for name in types if name.startswith(("customer.", "onboarding."))]


def test_revoked_key_stops_immediately_and_its_successor_goes_on(reader: Reader) -> None:
    old = reader.done("POST", "/keys", reader.admin_key, {"name": "Zapier integration"})
    new = reader.done("POST", "/keys", reader.admin_key, {"name": "Zapier integration 2"})
    assert reader.data("/leads", old["secret"])
    assert "ended" == reader.done("DELETE", f"/keys/{old['id']}", reader.admin_key)["state"]
    reader.refused(401, "key_revoked", reader.call("GET", "/leads", old["secret"]))
    assert reader.data("/leads", new["secret"])


def test_key_is_restricted_to_the_servers_address(reader: Reader) -> None:
    made = reader.done("POST", "/keys", reader.admin_key, {"name": "Internal dashboard", "ip_ranges": ["127.0.0.0/8", "::1"]})
    assert reader.data("/leads", made["secret"])
    reader.done("PATCH", f"/keys/{made['id']}", reader.admin_key, {"ip_ranges": ["203.0.113.0/24"]})
    spoofed = {"Authorization": f"Bearer {made['secret']}", "X-Forwarded-For": "203.0.113.7"}
    reader.refused(403, "address_not_allowed", reader.call_with("GET", "/leads", spoofed))


def test_keys_are_not_limited_in_number(reader: Reader) -> None:
    made = [reader.done("POST", "/keys", reader.admin_key, {"name": f"Integration {number}"}) for number in range(30)]
    assert len(made) == len({one["secret"] for one in made})


def test_api_is_available_on_starter_and_above(reader: Reader, folder: Path, secret: str) -> None:
    refused = operate(folder, "keys", "create", "Zapier", "--workspace", "free")
    assert (1, True) == (refused.returncode, "It is available on Starter and above." in refused.stderr), refused.stderr
    assert 0 == operate(folder, "workspaces", "plan", "sample", "free").returncode
    document: Json = reader.call("GET", "/leads", secret).json()
    assert (403, "plan_upgrade_required") == (document["status"], document["code"])
    assert "It is available on Starter and above." in document["detail"]
    assert 200 == reader.http.get(document["doc_url"]).status_code
    assert 0 == operate(folder, "workspaces", "plan", "sample", "pro").returncode
    assert reader.data("/leads", secret)
