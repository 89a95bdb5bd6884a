"""What a workspace has to do with others is managed by its nouns: apps with what they were given, and accounts at vendors."""

import asyncio
import re
from typing import Any

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from keyrack.client import ConflictError, IssuedApp, NotFoundError
from tests.sdk.conftest import Connect, Demo
from tests.sdk.surfaces import got, walked
from tests.sdk.test_calls import refused

CALLBACK = "https://zed.example/back"
SLACK = {"token": "xoxb-0000-0000-of-the-tests", "channel": "C0123456789"}


async def let_in(demo: Demo, workspace_id: str, app: IssuedApp) -> None:
    """Have the owner let an app act for them."""
    asked = {"response_type": "code", "client_id": app.client_id, "redirect_uri": CALLBACK, "state": "xyz", "code_challenge_method": "S256"}
    asked["code_challenge"] = create_s256_code_challenge("v" * 43)
    cookies = {"atrium_session": demo.session}
    async with httpx.AsyncClient(base_url=demo.url, cookies=cookies, headers={"Origin": demo.url}) as browser:
        page = await browser.get("/oauth/authorize", params=asked, follow_redirects=True)
        (token,) = re.findall(r'/authorize\?[^>]*>\s*<input type="hidden" name="form_token" value="([^"]+)"', page.text)
        said = await browser.post(page.url, data={"form_token": token, "workspace_id": workspace_id, "answer": "allow"})
    assert said.headers["location"].startswith(f"{CALLBACK}?"), said.text


async def test_app_is_registered_let_in_and_shut_out(connect: Connect, demo: Demo) -> None:
    admin = connect(demo.admin_key)
    partner = f"Zed of {type(admin).__name__}"
    fields: dict[str, Any] = {"redirect_uris": [CALLBACK], "scopes": ["customers:read"], "partner": partner}
    app = await got(admin.apps.create(name="Zed", **fields))
    assert app.secret
    assert app.secret not in repr(app)
    (owner,), workspace_id = await walked(admin.members.list(role="owner"), admin), (await got(admin.me())).org_id
    await let_in(demo, workspace_id, app)
    (grant,) = await walked(admin.grants.list(app_id=app.id), admin)
    assert ("active", "Zed", owner.email, ["customers:read"]) == (grant.state, grant.app_name, grant.member_email, grant.scopes)
    assert (partner, 1) == ((await got(admin.access.get(partner=partner))).partner, (await got(admin.apps.get(app.id))).grants)
    await got(admin.grants.revoke(grant.id))
    assert "revoked" == (await got(admin.grants.get(grant.id))).end_reason
    await let_in(demo, workspace_id, app)
    assert 1 == (await got(admin.access.revoke(partner=partner))).grants
    assert app.secret != (await got(admin.apps.rotate(app.id))).secret
    assert "https://zed.example" == (await got(admin.apps.update(app.id, homepage_url="https://zed.example"))).homepage_url
    assert [app.id] == [one.id for one in await walked(admin.apps.list(search="Zed"), admin)]
    assert 0 == (await got(admin.apps.uninstall(app.id))).grants_ended
    await got(admin.apps.delete(app.id))
    await refused(lambda: admin.apps.get(app.id), NotFoundError)


async def test_account_at_a_vendor_is_connected_checked_changed_and_deleted(connect: Connect, demo: Demo) -> None:
    admin = connect(demo.admin_key)
    made = await got(admin.connectors.create(vendor="slack", settings=SLACK, events=["customer.created"]))
    assert ("Slack", "active", {"channel": SLACK["channel"]}) == (made.name, made.state, made.settings)
    assert SLACK["token"] not in f"{made!r} {made.answer.data}"
    customer = await got(admin.resource("customers").create(name="Told to Slack"))
    while not (calls := await walked(admin.connectors.calls(made.id), admin)):  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.05)
    (call,) = calls
    assert (customer["id"], "pending") == (call.object_id, (await got(admin.connectors.call(made.id, call.id))).state)
    await refused(lambda: admin.connectors.retry(made.id, call.id), ConflictError)
    assert not (await got(admin.connectors.check(made.id))).ok
    changed = await got(admin.connectors.update(made.id, name="Sales", enabled=False))
    assert ("Sales", "disabled", "chosen") == (changed.name, changed.state, changed.disable_reason)
    assert [made.id] == [one.id for one in await walked(admin.connectors.list(vendor="slack"), admin)]
    await got(admin.connectors.delete(made.id))
    await refused(lambda: admin.connectors.get(made.id), NotFoundError)
