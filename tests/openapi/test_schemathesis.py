"""Schemathesis calls Atrium and the management API as the document says, and as it does not, and finds nothing that contradicts it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyrack import Settings
from keyrack.manage import keys
from keyrack.model.permissions import OrgAccess, Rights
from tests.atrium.conftest import serving
from tests.atrium.host import Host
from tests.leaks.github import Github, publishing

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
PROVING = "bearer"
pytestmark = pytest.mark.timeout(900)
TOLD_CHARACTERS_MAX = 8000
LONG_SECONDS = 900
WHOLE_PATHS = ("/api/v1/keys", "/api/v1/customers")


@pytest.fixture(scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A workspace of a running Atrium."""
    async with publishing(Github()) as github:
        settings = Settings(data=tmp_path_factory.mktemp("data"), github_keys_url=github.url)
        async with serving(settings) as pair:
            yield await Host.create(*pair)


async def _issue(host: Host, rights: Rights) -> keys.Issued:
    operator = await host.rack.workspaces.operator(host.workspace_id)
    return await keys.create(host.rack.assembly.desk, operator, name="visitor", rights=rights)


async def _document(host: Host, folder: Path, *, brief: bool) -> Path:
    """Write the document down with one way of proving oneself: two at once are refused, and Schemathesis would try.

    A `brief` one names the parameters that all operations share with keys and customers alone. The gate reads these headers before it
    knows the operation, and more than every fourth call would ask for nothing else. The long search asks everywhere.
    """
    found = (await host.client.get("/docs/openapi.json")).json()
    schemes = found["components"]["securitySchemes"]
    found["components"]["securitySchemes"] = {PROVING: schemes[PROVING]}
    found["security"] = [{PROVING: []}]
    for path, operation in ((path, one) for path, item in found["paths"].items() for one in item.values()):
        operation["security"] = [{PROVING: []}] if operation["security"] else []
        if brief and not path.startswith(WHOLE_PATHS):
            operation["parameters"] = [one for one in operation["parameters"] if "$ref" not in one]
    file = folder / "openapi.json"
    file.write_text(json.dumps(found))
    return file


async def _search(host: Host, folder: Path, secrets: dict[str, str], *arguments: str, brief: bool = True) -> str:
    """Have all operations called with the first of these secrets, and what it reads asked for with the others. Return what was found."""
    users = [{"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {one}"}]} for name, one in secrets.items()]
    (folder / "auth.json").write_text(json.dumps({"auth": users}))
    first, *_ = secrets
    peers = f"peers = {json.dumps(list(secrets))}\n" if len(secrets) > 1 else ""
    proof = f'[auth.wfc]\npath = "{folder / "auth.json"}"\nuser = "{first}"\n{peers}\n'
    (folder / "schemathesis.toml").write_text(proof + (HERE / "schemathesis.toml").read_text())
    caller = replace(host, secret=secrets[first])
    me = await caller.get("/me")
    protected = ",".join(str(me.json().get(name)) for name in ("id", "integration_id"))
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PROTECTED_IDS": protected}
    document = await _document(host, folder, brief=brief)
    options = ["--url", str(host.client.base_url), "--no-color", "--continue-on-failure", "--seed", "1", *arguments]
    command = [str(SCHEMATHESIS), "--config-file", str(folder / "schemathesis.toml"), "run", str(document), *options]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    (folder / "auth.json").unlink()
    text = out.decode()
    assert "SUMMARY" in text, text[-3000:]
    # A search whose own key had ended on the way would find nothing but refusals.
    assert me.status_code == (await caller.get("/me")).status_code
    return "" if process.returncode == 0 else text


def _nothing(found: str) -> None:
    """Expect that nothing was found, or tell all of it."""
    if found:
        began = [place for heading in ("= ERRORS =", "= FAILURES =") if (place := found.find(heading)) >= 0]
        pytest.fail(found[min(began, default=0) :][:TOLD_CHARACTERS_MAX], pytrace=False)


async def test_key_that_may_do_everything_meets_what_the_document_says(host: Host, tmp_path: Path) -> None:
    stranger = await host.stranger()
    secrets = {"own": host.secret, "stranger": stranger.secret}
    found = await _search(host, tmp_path, secrets, "--phases", "examples,coverage")
    _nothing(found)


async def test_key_that_only_reads_is_refused_as_the_document_says(host: Host, tmp_path: Path) -> None:
    reader = await _issue(host, Rights(OrgAccess.READER))
    _nothing(await _search(host, tmp_path, {"reader": reader.secret.text}, "--phases", "examples"))


async def test_revoked_key_is_refused_as_the_document_says(host: Host, tmp_path: Path) -> None:
    ended = await _issue(host, Rights(OrgAccess.ADMIN))
    operator = await host.rack.workspaces.operator(host.workspace_id)
    await keys.revoke(host.rack.assembly.desk, operator, ended.key.id)
    _nothing(await _search(host, tmp_path, {"ended": ended.secret.text}, "--phases", "examples"))


@pytest.mark.fuzz
@pytest.mark.timeout(2 * LONG_SECONDS)
@pytest.mark.parametrize("rights", [Rights(OrgAccess.ADMIN), Rights(OrgAccess.READER)], ids=["admin", "reader"])
async def test_long_search_finds_nothing(host: Host, rights: Rights, tmp_path: Path) -> None:
    stranger = await host.stranger()
    secrets: dict[str, Any] = {"own": (await _issue(host, rights)).secret.text, "stranger": stranger.secret}
    arguments = ["--phases", "examples,coverage,fuzzing,stateful", "-n", "200", "--max-time", str(LONG_SECONDS)]
    _nothing(await _search(host, tmp_path, secrets, *arguments, brief=False))
