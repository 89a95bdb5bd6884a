"""Whose a visit is, how long it lasts, and what ends it: at once, wherever it was opened."""

import asyncio

from keyrack.manage import embed_keys, workspaces
from keyrack.manage.desk import Desk
from keyrack.model.embed_keys import VISIT_RESUMED_SECONDS, VISIT_SECONDS
from tests.embed_keys.pages import SHOP, SITE, new_page
from tests.hosts import Host
from tests.walk.problems import problem


async def test_visit_ends_with_whatever_happens_to_its_embed_key(host: Host, desk: Desk) -> None:
    page = await new_page(host, SITE, SHOP)
    await page.visit()
    assert 201 == (await page.say()).status_code
    await embed_keys.edit(desk, host.owner, page.key.id, origins=[SHOP])
    problem(await page.say(), 403, "origin_not_allowed")
    await embed_keys.edit(desk, host.owner, page.key.id, origins=[SITE])
    assert 201 == (await page.say()).status_code
    await embed_keys.edit(desk, host.owner, page.key.id, enabled=False)
    off = await page.say()
    problem(off, 401, "key_disabled")
    assert SITE == off.headers["access-control-allow-origin"]
    problem(await page.call("GET", "/api/v1/widget"), 401, "key_disabled")
    await embed_keys.edit(desk, host.owner, page.key.id, enabled=True)
    assert 201 == (await page.say()).status_code
    successor = await embed_keys.replace_key(desk, host.owner, page.key.id)
    problem(await page.say(), 401, "key_revoked")
    before = page.token
    problem(await page.visit(before), 401, "key_revoked")
    page.key = successor
    opened = await page.visit(before)
    assert 201 == (await page.say()).status_code
    await embed_keys.delete(desk, host.owner, page.key.id)
    told = problem(await page.say(), 401, "key_revoked")["detail"]
    assert "an embed key (acme_embed_" in told
    assert "Our site" not in told
    assert "it was deleted" in told
    assert host.owner.credential_name not in told
    assert opened.json()["token"] == page.token


async def test_stream_of_a_visit_ends_with_its_embed_key(host: Host, desk: Desk) -> None:
    page = await new_page(host)
    await page.visit()
    listening = asyncio.create_task(page.call("GET", "/api/v1/heard"))
    await host.app.state.heard.wait()
    await embed_keys.edit(desk, host.owner, page.key.id, enabled=False)
    (cut,) = await asyncio.gather(listening, return_exceptions=True)
    # The client's transport takes an answer that was cut off for a fault of the app.
    assert isinstance(cut, AssertionError)


async def test_visit_goes_on_where_programs_may_not_call_and_ends_with_its_workspace(host: Host, desk: Desk) -> None:
    page = await new_page(host)
    await page.visit()
    await workspaces.switch_api(desk, host.owner, False)
    await host.rack.workspaces.set_plan(host.workspace.id, "free")
    assert 201 == (await page.say()).status_code
    await host.rack.workspaces.delete(host.workspace.id)
    problem(await page.say(), 401, "key_revoked")


async def test_visit_lasts_an_hour_and_is_taken_up_again_for_a_day_by_its_own_page_alone(host: Host, desk: Desk) -> None:
    page, other = await new_page(host, SITE, SHOP), await new_page(host, SITE, object_id="w2")
    first = (await page.visit()).json()
    host.clock.pass_seconds(VISIT_SECONDS - 0.001)
    assert 201 == (await page.say()).status_code
    host.clock.pass_seconds(0.001)
    problem(await page.say(), 401, "visit_ended")
    again = (await page.visit(first["token"])).json()
    assert (first["visitor"], False) == (again["visitor"], first["token"] == again["token"])
    # Neither another page of the same key, nor another key on the same page, makes it theirs.
    page.origin = SHOP
    strangers = [(await page.visit(first["token"])).json(), (await other.visit(first["token"])).json()]
    assert first["visitor"] not in [one["visitor"] for one in strangers]
    page.origin = SITE
    host.clock.pass_seconds(VISIT_SECONDS + VISIT_RESUMED_SECONDS)
    assert again["visitor"] != (await page.visit(again["token"])).json()["visitor"]


async def test_visit_is_of_its_own_key_and_of_nobody_else(host: Host) -> None:
    page, other = await new_page(host), await new_page(host, object_id="w2")
    mine, theirs = (await page.visit()).json(), (await page.visit()).json()
    assert mine["visitor"] != theirs["visitor"]
    await other.visit()
    assert "w2" == (await other.say()).json()["widget"]
    # The key in the address only lets a browser ask: whose the visit is, its token says.
    other.token = mine["token"]
    said = (await other.say()).json()
    assert ("w1", mine["visitor"]) == (said["widget"], said["visitor"])


async def test_token_that_was_not_opened_here_is_unknown(host: Host) -> None:
    page = await new_page(host)
    token = str((await page.visit()).json()["token"])
    sealed = bytes.fromhex(token.removeprefix("acme_visit_"))
    bent = [sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:20], b"", bytes([sealed[0] ^ 1]) + sealed[1:]]
    for text in (*(f"acme_visit_{one.hex()}" for one in bent), "acme_visit_zz", token + "00"):
        page.token = text
        problem(await page.say(), 401, "invalid_credential")
        assert 201 == (await page.visit(text)).status_code


async def test_answer_of_one_visitor_is_never_repeated_to_another(host: Host) -> None:
    page = await new_page(host)
    once = {"headers": {"Idempotency-Key": "the-same"}}
    await page.visit()
    first = await page.say("Mine", **once)
    assert "true" == (await page.say("Mine", **once)).headers["idempotent-replayed"]
    await page.visit()
    second = await page.say("Mine", **once)
    assert (201, False) == (second.status_code, "idempotent-replayed" in second.headers)
    assert first.json()["visitor"] != second.json()["visitor"]
