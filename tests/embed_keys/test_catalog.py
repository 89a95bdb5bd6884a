"""Deny by default: an embed key and a visit are tried on every operation that there is."""

import re
from pathlib import Path

from atrium.factory import create_app
from keyrack import Keyrack, Settings
from keyrack.manage import embed_keys
from keyrack.model.catalog import Operation
from keyrack.model.permissions import EMBED_KEY, VISITOR
from tests.embed_keys.pages import SITE, Page, new_page
from tests.hosts import Host, client_of, living

OWN = {EMBED_KEY, VISITOR}


async def test_every_operation_of_a_host_refuses_both_but_those_declared_for_them(host: Host) -> None:
    page = await new_page(host, calls_per_minute=600)
    await _try_all(host.rack, page)


async def test_every_operation_of_atrium_refuses_both_but_the_widgets(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path), "atrium")
    rack: Keyrack = app.state.rack
    async with living(app), client_of(rack, app) as host:
        key = await host.key()
        chatbot = (await host.send("POST", "/api/v1/chatbots", key, json={"name": "Help"})).json()
        chosen = {"name": "Our site", "object_type": "chatbot", "object_id": chatbot["id"], "origins": [SITE], "calls_per_minute": 600}
        page = Page(host, await embed_keys.create(rack.assembly.desk, host.owner, **chosen))
        assert {"GET", "POST"} == {operation.method for operation in await _try_all(rack, page, "/api/v1/widget/sessions")}


async def _try_all(rack: Keyrack, page: Page, opening: str = "/api/v1/visits") -> list[Operation]:
    """Call every operation with the key and with a visit of it; return those that answer one of the two."""
    operations = list(rack.assembly.catalog)
    assert 60 < len(operations)
    token = str((await page.call("POST", opening, json={})).json()["token"])
    theirs = []
    for operation in operations:
        need = operation.need
        if need in OWN:
            theirs.append(operation)
        if need is None or operation.method == "HEAD":
            continue
        if operation.method in ("WEBSOCKET", "ANY"):
            continue
        for credential, wanted in ((None, EMBED_KEY), (token, VISITOR)):
            if need is wanted:
                continue
            page.token = credential
            answer = await page.call(operation.method, re.sub(r"\{[^}]*\}", "x", operation.template))
            told = answer.status_code, answer.json()["code"]
            assert (403, "insufficient_permission") == told, f"{operation.method} {operation.template}: {told}"
    return theirs
