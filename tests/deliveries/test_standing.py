"""An attempt begins only where it may at that moment: the endpoint is there and enabled, the API on, the event one that it may know."""

import asyncio
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from keyrack.crypto.digest import digest
from keyrack.manage import deliveries, endpoints, integrations
from keyrack.manage.workspaces import switch_api
from keyrack.model.addresses import networks
from keyrack.model.deliveries import State, Trigger, Why
from keyrack.model.outgoing_calls import Answered, Outgoing
from keyrack.model.permissions import Level, Rights, SpaceRole
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, NOT_FOUND, Refused
from keyrack.work.send import GuardedClient
from tests.deliveries.conftest import CREATED, HERE, POSTED, Shop
from tests.deliveries.receivers import OK, status
from tests.serving.served import until


async def test_no_attempt_begins_after_an_endpoints_deletion_returned(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"], parallel=20)
    await shop.happen(*(shop.event() for _ in range(200)))
    await until(lambda: len(shop.receiver.received) > 20)
    await endpoints.delete(shop.desk, shop.host.owner, endpoint.id)
    deleted_at = asyncio.get_running_loop().time()
    await shop.until_all(endpoint, State.PENDING, 0)
    assert [] == [one for one in shop.receiver.received if one.at > deleted_at]
    assert {Why.ENDPOINT_DELETED} == {one.why for one in await shop.of(endpoint, State.SKIPPED)}


@pytest.mark.parametrize("change", ["delete", "disable", "edit", "switch_off", "delete_integration"])
async def test_attempt_that_has_begun_to_connect_is_not_sent_where_it_may_not_any_more(shop: Shop, change: str) -> None:
    resolving, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow(_host: str) -> list[IPv4Address]:
        resolving.set()
        await may_go_on.wait()
        return [IPv4Address("127.0.0.1")]

    desk, owner, sender = shop.desk, shop.host.owner, shop.host.rack.assembly.deliveries
    sender.attempts = replace(sender.attempts, client=GuardedClient(networks(HERE), resolve=slow))
    integration = await integrations.create(desk, owner, name="Billing", rights=Rights(permissions={"customers": Level.READ}))
    url = shop.receiver.url.replace("127.0.0.1", "customer.test")
    endpoint, _ = await shop.endpoint(url=url, events=["customer.*"], integration_id=integration.id)
    await shop.happen(shop.event())
    await resolving.wait()
    if change == "switch_off":
        await switch_api(desk, owner, False)
    elif change == "delete_integration":
        await integrations.delete(desk, owner, integration.id)
    elif change == "edit":
        await endpoints.edit(desk, owner, endpoint.id, url=shop.receiver.url + "/new")
    elif change == "disable":
        await endpoints.disable(desk, owner, endpoint.id)
    else:
        await endpoints.delete(desk, owner, endpoint.id)
    may_go_on.set()
    state = {"switch_off": State.HELD, "edit": State.SUCCEEDED}.get(change, State.SKIPPED)
    (delivery,) = await shop.until_all(endpoint, state)
    assert (["/new"] if change == "edit" else []) == [one.path for one in shop.receiver.received]
    assert int(change == "edit") == delivery.attempts == len(await shop.attempts(delivery))


class Unasking(GuardedClient):
    """A planted bug: it does not ask again when the connection stands."""

    async def send(self, outgoing: Outgoing, **given: Any) -> Answered:
        """Send without asking."""
        return await super().send(outgoing, **{**given, "before_first_byte": None})


async def test_planted_bug_that_does_not_ask_before_the_first_byte_is_found(shop: Shop) -> None:
    resolving, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow(_host: str) -> list[IPv4Address]:
        resolving.set()
        await may_go_on.wait()
        return [IPv4Address("127.0.0.1")]

    sender = shop.host.rack.assembly.deliveries
    sender.attempts = replace(sender.attempts, client=Unasking(networks(HERE), resolve=slow))
    endpoint, _ = await shop.endpoint(url=shop.receiver.url.replace("127.0.0.1", "customer.test"), events=["customer.*"])
    await shop.happen(shop.event())
    await resolving.wait()
    await endpoints.delete(shop.desk, shop.host.owner, endpoint.id)
    may_go_on.set()
    await until(lambda: shop.receiver.received)


async def test_deliveries_of_a_workspace_whose_api_is_off_are_held_and_go_on_when_it_is_on(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"], in_order=True)
    await switch_api(shop.desk, shop.host.owner, False)
    happened = [shop.event(), shop.event()]
    await shop.happen(*happened)
    held = await shop.until_all(endpoint, State.HELD, 2)
    assert ([], [None, None]) == (shop.receiver.received, [one.due_at for one in held])
    await switch_api(shop.desk, shop.host.owner, True)
    await shop.until_all(endpoint, State.SUCCEEDED, 2)
    assert sorted(event.id for event in happened) == [one.event_id for one in shop.receiver.received]


async def test_what_waits_for_its_next_attempt_is_held_too(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: status(500)
    await shop.happen(shop.event())
    await until(lambda: shop.receiver.received)
    await shop.until_all(endpoint, State.PENDING)
    await switch_api(shop.desk, shop.host.owner, False)
    shop.clock.pass_seconds(60)
    await shop.until_all(endpoint, State.HELD)
    shop.receiver.answer = lambda _received: OK
    await switch_api(shop.desk, shop.host.owner, True)
    await shop.until_all(endpoint, State.SUCCEEDED)


async def test_plan_without_api_access_holds(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await shop.host.rack.workspaces.set_plan(shop.host.workspace.id, "free")
    await shop.happen(shop.event())
    await shop.until_all(endpoint, State.HELD)
    await shop.host.rack.workspaces.set_plan(shop.host.workspace.id, "standard")
    await shop.until_all(endpoint, State.SUCCEEDED)


async def _of_integration(shop: Shop, rights: Rights) -> tuple[str, Principal]:
    integration = await integrations.create(shop.desk, shop.host.owner, name="Billing", rights=rights)
    return integration.id, shop.host.owner


async def test_endpoint_of_an_integration_hears_of_what_that_may_read(shop: Shop) -> None:
    integration_id, _ = await _of_integration(shop, Rights(permissions={"customers": Level.READ}))
    endpoint, _ = await shop.endpoint(integration_id=integration_id, events=["customer.*"])
    (first,) = await shop.happen(shop.event())
    assert [first] == [one.event_id for one in await shop.until_all(endpoint, State.SUCCEEDED)]
    await integrations.edit(shop.desk, shop.host.owner, integration_id, permissions={})
    await shop.happen(shop.event())
    (skipped,) = await shop.until_all(endpoint, State.SKIPPED)
    assert Why.NOT_PERMITTED is skipped.why
    assert [first] == [one.event_id for one in shop.receiver.received]


async def test_right_that_is_taken_between_two_attempts_counts(shop: Shop) -> None:
    integration_id, _ = await _of_integration(shop, Rights(permissions={"customers": Level.READ}))
    endpoint, _ = await shop.endpoint(integration_id=integration_id, events=["customer.*"])
    shop.receiver.answer = lambda _received: status(500)
    await shop.happen(shop.event())
    await until(lambda: shop.receiver.received)
    await shop.until_all(endpoint, State.PENDING)
    await integrations.edit(shop.desk, shop.host.owner, integration_id, permissions={})
    shop.clock.pass_seconds(60)
    (skipped,) = await shop.until_all(endpoint, State.SKIPPED)
    assert (Why.NOT_PERMITTED, 1) == (skipped.why, len(shop.receiver.received))


async def test_what_lies_in_a_space_is_told_to_who_is_in_it(shop: Shop) -> None:
    inside = await shop.host.rack.spaces.create(shop.host.workspace.id, "Inside")
    outside = await shop.host.rack.spaces.create(shop.host.workspace.id, "Outside")
    integration_id, _ = await _of_integration(shop, Rights(spaces={inside.id: SpaceRole.VIEWER}))
    endpoint, _ = await shop.endpoint(integration_id=integration_id, events=[POSTED.name])
    told, kept = (shop.event({"space_id": space.id}, kind=POSTED.name) for space in (inside, outside))
    await shop.happen(told, kept)
    assert [told.id] == [one.event_id for one in await shop.until_all(endpoint, State.SUCCEEDED)]
    assert [kept.id] == [one.event_id for one in await shop.until_all(endpoint, State.SKIPPED)]


async def test_edited_address_counts_for_what_waits(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint("/old", events=["customer.*"])
    shop.receiver.answer = lambda received: status(500) if received.path == "/old" else OK
    await shop.happen(shop.event())
    await until(lambda: shop.receiver.of("/old"))
    await shop.until_all(endpoint, State.PENDING)
    await endpoints.edit(shop.desk, shop.host.owner, endpoint.id, url=shop.receiver.url + "/new")
    shop.clock.pass_seconds(60)
    await shop.until_all(endpoint, State.SUCCEEDED)
    assert (1, 1) == (len(shop.receiver.of("/old")), len(shop.receiver.of("/new")))


async def test_sample_shows_the_exact_request_and_is_not_kept(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    shop.receiver.answer = lambda _received: status(418, "X-Pot: tea", body=b"short and stout")
    sender = shop.host.rack.assembly.deliveries
    attempt = await sender.test(shop.host.owner, endpoint.id, CREATED.name, {"object": "customer", "id": "c1"})
    (received,) = shop.receiver.received
    assert (received.body, 418, b"short and stout") == (attempt.request_body, attempt.status, attempt.response_body)
    assert received.headers["webhook-signature"] == attempt.request_headers["webhook-signature"]
    assert ("tea", Trigger.MANUAL) == (attempt.response_headers["x-pot"], attempt.trigger)
    assert [] == await shop.of(endpoint)
    await endpoints.disable(shop.desk, shop.host.owner, endpoint.id)
    assert 418 == (await sender.test(shop.host.owner, endpoint.id, CREATED.name, {})).status
    await switch_api(shop.desk, shop.host.owner, False)
    with pytest.raises(Refused) as refused:
        await sender.test(shop.host.owner, endpoint.id, CREATED.name, {})
    assert CONFLICT is refused.value.refusal
    await endpoints.delete(shop.desk, shop.host.owner, endpoint.id)
    with pytest.raises(Refused) as refused:
        await sender.test(shop.host.owner, endpoint.id, CREATED.name, {})
    assert NOT_FOUND is refused.value.refusal


async def test_nobody_reaches_another_workspaces_deliveries(shop: Shop) -> None:
    endpoint, _ = await shop.endpoint(events=["customer.*"])
    await shop.happen(shop.event())
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    neighbour = await shop.host.other_workspace()
    stranger = await shop.host.rack.workspaces.operator(neighbour.workspace.id)
    for ask in (
        deliveries.get(shop.desk, stranger, delivery.id),
        deliveries.attempts(shop.desk, stranger, delivery.id, limit=9),
        deliveries.resend(shop.desk, stranger, delivery.id),
        deliveries.replay_failed(shop.desk, stranger, endpoint.id, 0),
        deliveries.counts(shop.desk, stranger, since=0, until=10**15, endpoint_id=endpoint.id),
    ):
        with pytest.raises(Refused) as refused:
            await ask
        assert NOT_FOUND is refused.value.refusal
    assert [] == await deliveries.page(shop.desk, stranger, limit=9, endpoint_id=endpoint.id)
    assert {} == await deliveries.health(shop.desk, stranger, [endpoint.id])


async def test_key_without_admin_reaches_the_deliveries_of_its_own_integration_and_a_test_key_sends_nothing_live(shop: Shop) -> None:
    mine = await shop.host.key(Rights(permissions={"customers": Level.READ}), name="mine")
    integration_id = mine.key.integration_id
    own, _ = await shop.endpoint("/own", integration_id=integration_id, events=["customer.*"])
    other, _ = await shop.endpoint("/other", events=["customer.*"])
    await shop.happen(shop.event())
    (delivery,) = await shop.until_all(own, State.SUCCEEDED)
    (foreign,) = await shop.until_all(other, State.SUCCEEDED)
    look_ups = shop.host.rack.assembly.look_ups
    actor = await look_ups.prove(digest(mine.secret.text.encode()))
    assert actor is not None
    assert delivery == await deliveries.get(shop.desk, actor, delivery.id)
    assert [delivery] == await deliveries.page(shop.desk, actor, limit=9)
    with pytest.raises(Refused) as refused:
        await deliveries.get(shop.desk, actor, foreign.id)
    assert NOT_FOUND is refused.value.refusal
    with pytest.raises(Refused) as refused:
        await deliveries.resend(shop.desk, replace(actor, mode=Mode.TEST), delivery.id)
    assert INSUFFICIENT_PERMISSION is refused.value.refusal
