"""Pictures of the pages about webhooks: an endpoint that gets what it wants, and one whose receiver is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import httpx

from keyrack.manage import deliveries, endpoints
from keyrack.manage.keys import Issued
from tests.browser.sites import Scene
from tests.browser.visitor import Visitor
from tests.deliveries.receivers import OK, receiving, status

Step = Callable[[Visitor], Awaitable[None]]
CUSTOMERS = ("Aurora Outfitters", "Borealis Bikes", "Cirrus Travel", "Dunes & Daughters")


async def furnish_webhooks(scene: Scene, key: Issued) -> None:
    """Have two endpoints told of customers, of whom one takes them."""
    desk = scene.site.desk
    async with receiving(lambda received: OK if received.path == "/crm" else status(503, body=b"out for lunch")) as receiver:
        for path, description in (("/crm", "Our CRM"), ("/warehouse", "Nightly warehouse load")):
            wanted = ["customer.*", "contact.*"]
            await endpoints.create(desk, scene.operator, url=receiver.url + path, events=wanted, description=description)
        headers = {"Authorization": f"Bearer {key.secret.text}"}
        async with httpx.AsyncClient(base_url=f"{scene.site.url}/api/v1", headers=headers) as client:
            for name in CUSTOMERS:
                await client.post("/customers", json={"name": name})
        for _ in range(200):
            found = await deliveries.page(desk, scene.operator, limit=100)
            if len([one for one in found if one.attempts]) >= 2 * len(CUSTOMERS):
                break
            await asyncio.sleep(0.05)


def _opened(*controls: str, of: str = "") -> Step:
    async def step(visitor: Visitor) -> None:
        await visitor.open("/endpoints")
        for control in controls:
            await visitor.press(control, of if await visitor.control(control).count() > 1 and control != "deliveries.open" else "")

    return step


async def _add(visitor: Visitor) -> None:
    await visitor.open("/endpoints/new")
    await visitor.fill("endpoints.url", "https://hooks.example.com/atrium")
    await visitor.press("endpoints.create.submit")


async def _choose(visitor: Visitor) -> None:
    await visitor.open("/endpoints/new")
    await visitor.control("endpoints.all").uncheck()
    await visitor.control("endpoints.advanced").click()


async def _test(visitor: Visitor) -> None:
    await _opened("endpoints.more", "endpoints.test", of="/warehouse")(visitor)
    await visitor.press("endpoints.test.submit")
    await visitor.look()


OF_WEBHOOKS: Mapping[str, Step] = {
    "webhooks": _opened(),
    "webhooks-new": _choose,
    "webhooks-issued": _add,
    "webhooks-failing": _opened("endpoints.open", of="/warehouse"),
    "webhooks-well": _opened("endpoints.open", of="/crm"),
    "webhooks-delivery": _opened("endpoints.open", "deliveries.open", of="/warehouse"),
    "webhooks-rotate": _opened("endpoints.more", "endpoints.rotate", of="/crm"),
    "webhooks-delete": _opened("endpoints.more", "endpoints.delete", of="/crm"),
    "webhooks-test": _test,
}
