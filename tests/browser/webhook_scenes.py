"""Endpoints in a workspace, and what happens there."""

import asyncio
from typing import Any

import httpx

from keyrack.manage import deliveries, endpoints
from keyrack.manage.keys import Issued
from keyrack.model.deliveries import Delivery, State
from keyrack.model.endpoints import Endpoint
from tests.browser.sites import Scene
from tests.deliveries.receivers import Receiver


async def add(scene: Scene, receiver: Receiver, path: str = "/hooks", **fields: Any) -> Endpoint:
    """Add an endpoint at a path of a receiver."""
    wanted = {"url": receiver.url + path, "events": ["customer.*"], **fields}
    return (await endpoints.create(scene.site.desk, scene.operator, **wanted)).endpoint


async def happen(scene: Scene, key: Issued, *names: str) -> None:
    """Create customers, as a program does."""
    headers = {"Authorization": f"Bearer {key.secret.text}"}
    async with httpx.AsyncClient(base_url=f"{scene.site.url}/api/v1", headers=headers) as client:
        for name in names:
            assert 201 == (await client.post("/customers", json={"name": name})).status_code


async def attempted(scene: Scene, endpoint: Endpoint, count: int, state: State | None = None) -> list[Delivery]:
    """Wait until so many deliveries of customers were attempted, or skipped."""
    found: list[Delivery] = []
    for _ in range(400):
        there = await deliveries.page(scene.site.desk, scene.operator, limit=100, endpoint_id=endpoint.id, state=state)
        found = [one for one in there if one.event_type.startswith("customer.") and (one.attempts or one.state is State.SKIPPED)]
        if len(found) == count:
            return found
        await asyncio.sleep(0.025)
    raise AssertionError(f"{len(found)} of {count} stand in {state}")
