"""Webhook endpoints and their deliveries are managed by their nouns, and secrets are in no repr."""

from typing import Any

import pytest

from keyrack.client import AlreadyDoneError, InvalidRequestError, NotFoundError
from tests.sdk.conftest import Connect, Demo
from tests.sdk.surfaces import got, walked


async def test_endpoint_is_made_changed_rotated_tried_and_deleted(connect: Connect, demo: Demo) -> None:
    client = connect(demo.admin_key)
    wanted: dict[str, Any] = {
        "url": "https://crm.example.com/hooks",
        "events": ["customer.*"],
        "idempotency_key": f"subscribe-{type(client).__name__}",
    }
    made = await got(client.endpoints.create(**wanted))
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    with pytest.raises(AlreadyDoneError):
        await got(client.endpoints.create(**wanted))
    changed = await got(client.endpoints.update(made.id, description="Our CRM", parallel=2))
    assert ("Our CRM", 2, ["customer.*"]) == (changed.description, changed.parallel, changed.events)
    rotated = await got(client.endpoints.rotate(made.id, overlap_seconds=60))
    assert [True, False] == [key.ends_at is None for key in rotated.signing_keys]
    tried = await got(client.endpoints.test(made.id, "customer.created"))
    assert (False, True) == (tried.succeeded, "customer.created" in tried.request.body)
    assert 0 == (await got(client.endpoints.replay(made.id, made.created_at))).deliveries
    assert [made.id] == [one.id for one in await walked(client.endpoints.list(search="crm.example"), client)]
    assert [] == await walked(client.endpoints.deliveries(made.id), client)
    await got(client.endpoints.delete(made.id))
    with pytest.raises(NotFoundError):
        await got(client.endpoints.get(made.id))


async def test_event_types_and_events_are_read(connect: Connect, demo: Demo) -> None:
    client = connect(demo.admin_key)
    kinds = await walked(client.event_types.list(limit=10), client)
    assert {"customer.created", "key.revoked", "endpoint.disabled"} <= {kind.name for kind in kinds}
    kind = await got(client.event_types.get("customer.created"))
    assert ("customers", "customers:read", "customer") == (kind.category, kind.needs, kind.example["object"])
    (newest,) = (await got(client.events.list(limit=1).page())).data
    assert newest.id == (await got(client.events.get(newest.id))).id
    with pytest.raises(InvalidRequestError):
        await got(client.endpoints.create(url="https://crm.example.com/hooks", events=["custmer.created"]))
