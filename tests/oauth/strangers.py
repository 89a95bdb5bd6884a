"""A host at an address of its own, and the browser of the member whom clients of others lead there."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import create_server

import httpx
import uvicorn

from tests.hosts import Host
from tests.oauth.conftest import Parties


@asynccontextmanager
async def serving(host: Host) -> AsyncIterator[str]:
    """Serve a host that lives already, over a real connection, and return its address."""
    server = uvicorn.Server(uvicorn.Config(host.app, lifespan="off", log_config=None, proxy_headers=False))
    # It listens from now on: who comes before the server has begun waits.
    listening = create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def led(parties: Parties, url: str, answer: str = "allow") -> str:
    """Go where an app leads the member's browser, answer what is asked there, and return where the browser is led back to."""
    async with httpx.AsyncClient(cookies={"acme_session": parties.cookie}) as browser:
        page = await browser.get(url, follow_redirects=True)
        assert 200 == page.status_code, page.text
        token = re.search(r'/authorize\?[^>]*>\s*<input type="hidden" name="form_token" value="([^"]+)"', page.text)
        assert token is not None
        form = {"form_token": token[1], "answer": answer, "workspace_id": parties.host.workspace.id}
        said = await browser.post(page.url, data=form)
    assert 303 == said.status_code, said.text
    return said.headers["location"]
