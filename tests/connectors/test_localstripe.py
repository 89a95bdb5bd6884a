"""Customers at a Stripe of this machine, which somebody else wrote: created, updated, and created again where it does not know them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from keyrack.model.deliveries import State
from tests.connectors.conftest import STRIPE_KEY, Scene

# A program of its own, and on this machine alone: by itself it listens everywhere, and writes a file.
SERVER = """
import socket
from aiohttp import web
from localstripe import resources
from localstripe.server import app
resources.Store.dump_to_disk = lambda self: None
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
web.run_app(app, sock=listening, print=None)
"""


@asynccontextmanager
async def localstripe() -> AsyncIterator[httpx.AsyncClient]:
    """Run it, and give a client of it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int(await asyncio.wait_for(process.stdout.readline(), 60))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=(STRIPE_KEY, ""), timeout=30) as client:
            yield client
    finally:
        process.terminate()
        await process.wait()


async def test_customers_are_kept_as_they_are_here(scene: Scene) -> None:
    async with localstripe() as stripe:
        cast(dict[str, str], scene.desk.outside.vendor_urls)["stripe"] = str(stripe.base_url)
        connector = await scene.connect("stripe")
        checked = await scene.call("POST", f"/connectors/{connector.id}/check")
        assert checked.json()["ok"], checked.text
        made = await scene.customer()
        await scene.settle()
        [first] = await there(stripe)
        assert ("Aurora Outfitters", "aurora.com", made["id"]) == (first["name"], first["description"], first["metadata"]["atrium_id"])
        await scene.call("PATCH", f"/customers/{made['id']}", {"name": "Aurora Two", "domain": None})
        await scene.settle()
        [second] = await there(stripe)
        assert (first["id"], "Aurora Two", "") == (second["id"], second["name"], second["description"])
        await stripe.delete(f"/v1/customers/{first['id']}")
        await scene.call("PATCH", f"/customers/{made['id']}", {"name": "Aurora Three"})
        await scene.settle()
        [third] = await there(stripe)
        assert (True, "Aurora Three") == (third["id"] != first["id"], third["name"])
        assert [State.SUCCEEDED] * 3 == [call.state for call in await scene.log(connector)]


async def test_a_live_update_creates_a_customer_that_a_test_key_made_here(scene: Scene) -> None:
    async with localstripe() as stripe:
        cast(dict[str, str], scene.desk.outside.vendor_urls)["stripe"] = str(stripe.base_url)
        await scene.connect("stripe")
        made = await scene.customer(secret=scene.test)
        await scene.settle()
        assert [] == await there(stripe)
        await scene.call("PATCH", f"/customers/{made['id']}", {"status": "active"})
        await scene.settle()
        assert [("Aurora Outfitters", "active")] == [(one["name"], one["metadata"]["status"]) for one in await there(stripe)]
        await scene.call("DELETE", f"/customers/{made['id']}")
        await scene.settle()
        assert 1 == len(await there(stripe)), "deleting here leaves Stripe alone"


async def there(stripe: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The customers that it has."""
    answer = await stripe.get("/v1/customers")
    assert 200 == answer.status_code, answer.text
    return list(answer.json()["data"])
