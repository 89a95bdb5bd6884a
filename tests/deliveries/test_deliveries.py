"""What happens is told to the endpoints that want it: once it is committed, signed, and until they have taken it."""

import asyncio

import standardwebhooks

from keyrack.model.deliveries import State
from tests.deliveries.conftest import Shop
from tests.serving.served import until


async def test_event_arrives_signed_and_says_what_happened(shop: Shop) -> None:
    endpoint, secret = await shop.endpoint(events=["customer.*"])
    event = shop.event()
    await shop.happen(event)
    (delivery,) = await shop.until_all(endpoint, State.SUCCEEDED)
    (received,) = shop.receiver.received
    content = standardwebhooks.Webhook(secret.text).verify(received.body, received.headers)
    assert {"object": "customer", "id": event.object_id, "name": "Søn"} == content["data"]
    assert ("customer.created", event.id, "live") == (content["type"], content["id"], content["mode"])
    assert event.id == received.event_id == delivery.event_id
    (attempt,) = await shop.attempts(delivery)
    assert received.body == attempt.request_body
