"""The pages of what was delivered: for admins of the workspace alone, filtered, sent again, and counted before that."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from keyrack.console.charts import DAY_MS
from keyrack.manage import deliveries, endpoints, keys
from keyrack.model.deliveries import Delivery, State
from keyrack.model.endpoints import DisableReason, Endpoint
from keyrack.model.principals import Principal
from keyrack.store.delivery_tables import endpoint_health
from tests.backends import Backend
from tests.console.browser import Page
from tests.console.conftest import opened
from tests.console.visitors import Office
from tests.deliveries.receivers import Receiver, receiving, status
from tests.serving.served import until


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A customer's server."""
    async with receiving() as one:
        yield one


@pytest.fixture
async def shop(backend: Backend, tmp_path: Path) -> AsyncIterator[Office]:
    """A console whose webhooks may go to this machine."""
    async with opened(backend, tmp_path, outgoing_networks=["127.0.0.0/8"]) as office:
        yield office


async def add(office: Office, receiver: Receiver, actor: Principal | None = None) -> Endpoint:
    wanted = {"url": f"{receiver.url}/hooks", "events": ["integration.created"]}
    return (await endpoints.create(office.desk, actor or office.host.owner, **wanted)).endpoint  # type: ignore[arg-type]


async def stand(office: Office, endpoint: Endpoint, state: State, count: int, actor: Principal | None = None) -> list[Delivery]:
    """Wait until so many deliveries of an endpoint stand in a state, or more."""
    found: list[Delivery] = []

    async def they_do() -> bool:
        found[:] = await deliveries.page(office.desk, actor or office.host.owner, limit=50, endpoint_id=endpoint.id, state=state)
        return len([one for one in found if one.attempts or state is State.SKIPPED]) >= count

    await until(they_do, lambda: f"{len(found)} stand in {state}")
    return found


def replay_form(page: Page) -> dict[str, str]:
    """What the form that replays would send; the other one on its page only counts."""
    (form,) = [
        form for form in page.root.all("form") if form.attributes["action"].endswith("/replay") and form.attributes["method"] == "post"
    ]
    return {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}


async def test_what_failed_is_counted_and_sent_again_from_the_page(shop: Office, receiver: Receiver) -> None:
    receiver.answer = lambda _: status(500)
    endpoint = await add(shop, receiver)
    for name in ("one", "two"):
        await shop.host.key(name=name)
    failing = await stand(shop, endpoint, State.PENDING, 2)
    browser, one = await shop.signed_in("Bo"), f"/console/endpoints/{endpoint.id}"
    page = await browser.open(one)
    assert "2 deliveries wait to be tried again" in page.text
    assert "The receiver&#39;s program failed" in page.answer.text
    assert "No delivery matches" in (await browser.open(f"{one}?state=failed")).text
    assert 400 == (await browser.open(f"{one}?state=lost")).status
    assert 400 == (await browser.open(f"{one}?range=9y")).status
    receiver.answer = lambda _: status(200)
    delivery = f"{one}/deliveries/{failing[0].id}"
    assert "It is sent again now" in (await browser.submit(await browser.open(delivery), f"{delivery}/resend")).text
    await stand(shop, endpoint, State.SUCCEEDED, 1)
    asked = await browser.open(f"{one}/replay")
    assert "One delivery is sent again" in asked.text
    fields = replay_form(asked)
    assert 400 == (await browser.send(f"{one}/replay", fields | {"since": "ever"})).status_code
    assert "One delivery is sent again." in (await browser.send(f"{one}/replay", fields | {"since": "1h"})).text
    await stand(shop, endpoint, State.SUCCEEDED, 2)
    assert "No delivery failed since then." in (await browser.open(f"{one}/replay")).text


async def test_days_before_an_endpoint_is_disabled_the_pages_of_the_api_say_so_to_admins(shop: Office, receiver: Receiver) -> None:
    endpoint, other = await add(shop, receiver), await add(shop, receiver)
    now, said = shop.desk.now(), "An endpoint takes nothing"
    for one, days in ((endpoint, 3), (other, 2)):
        async with shop.desk.store.writing_traffic() as c:
            await c.execute(insert(endpoint_health).values(endpoint_id=one.id, **_failing(shop, now - days * DAY_MS)))
    page = await (await shop.signed_in("Bo")).open("/console/keys")
    assert (True, 1) == (said in page.text, page.answer.text.count(f"/console/endpoints/{endpoint.id}"))
    assert f"/console/endpoints/{other.id}" not in page.links
    assert said not in (await (await shop.signed_in("Cy")).open("/console/logs")).text


def _failing(shop: Office, since: int) -> dict[str, Any]:
    return {"workspace_id": shop.host.workspace.id, "failing_since": since, "failures_in_row": 9, "failed_at": since}


async def test_what_was_skipped_while_disabled_waits_for_the_endpoint_to_be_enabled(shop: Office, receiver: Receiver) -> None:
    endpoint = await add(shop, receiver)
    await endpoints.disable(shop.desk, shop.host.owner, endpoint.id, DisableReason.GONE)
    await shop.host.key(name="one")
    (skipped,) = await stand(shop, endpoint, State.SKIPPED, 1)
    browser, one = await shop.signed_in(), f"/console/endpoints/{endpoint.id}"
    assert "An endpoint was disabled" in (await browser.open("/console/keys")).text
    delivery = await browser.open(f"{one}/deliveries/{skipped.id}")
    assert f"{one}/deliveries/{skipped.id}/resend" not in delivery.actions
    replay = await browser.open(f"{one}/replay")
    assert "Enable it first" in replay.text
    await endpoints.enable(shop.desk, shop.host.owner, endpoint.id)
    await browser.send(f"{one}/replay", replay_form(await browser.open(f"{one}/replay")))
    await stand(shop, endpoint, State.SUCCEEDED, 1)


async def test_deliveries_and_events_of_others_are_found_nowhere(shop: Office, receiver: Receiver) -> None:
    other = await shop.host.other_workspace()
    theirs = await shop.host.rack.workspaces.operator(other.workspace.id)
    endpoint, own = await add(shop, receiver, theirs), await add(shop, receiver)
    await keys.create(shop.desk, theirs, name="one")
    delivery = (await stand(shop, endpoint, State.SUCCEEDED, 1, theirs))[0]
    browser = await shop.signed_in()
    for endpoint_id in (endpoint.id, own.id):
        assert 404 == (await browser.open(f"/console/endpoints/{endpoint_id}/deliveries/{delivery.id}")).status
    assert 404 == (await browser.open(f"/console/events/{delivery.event_id}")).status
    member = await shop.signed_in("Cy")
    for path in (f"endpoints/{own.id}/deliveries/{delivery.id}", f"events/{delivery.event_id}"):
        assert 403 == (await member.open(f"/console/{path}")).status


async def test_the_toggle_counts_what_it_holds(shop: Office, receiver: Receiver) -> None:
    receiver.answer = lambda _: status(500)
    endpoint = await add(shop, receiver)
    browser = await shop.signed_in()
    assert "go out when the API is switched on again." in (await browser.open("/console/api")).text
    await shop.host.key(name="one")
    await stand(shop, endpoint, State.PENDING, 1)
    off = await browser.open("/console/api")
    assert "one waits at the moment" in off.text
    await browser.submit(off, "/console/api")
    assert "One delivery waits, and it is sent when" in (await browser.open("/console/endpoints")).text
    assert "One webhook delivery that is held goes out." in (await browser.open("/console/api")).text
