"""Type checkers know what each client returns; these tests are under mypy as all are."""

from typing import Any, assert_type

from keyrack.client import Answer, AsyncClient, Client, Identity, IssuedKey, Key, Page
from tests.sdk.conftest import Demo


def test_blocking_client_is_typed(demo: Demo) -> None:
    with Client(demo.admin_key, base_url=demo.url) as client:
        assert_type(client.me(), Identity)
        assert_type(client.get("/me"), Answer)
        assert_type(client.keys.create(name="typed"), IssuedKey)
        assert_type(client.keys.list(limit=1).page(), Page[Key])
        for key in client.keys.list(search="typed"):
            assert_type(key, Key)
        for one in client.list("/logs", path="/api/v1/me", limit=1).page().data:
            assert_type(one, dict[str, Any])


async def test_awaited_client_is_typed(demo: Demo) -> None:
    async with AsyncClient(demo.admin_key, base_url=demo.url) as client:
        assert_type(await client.me(), Identity)
        assert_type(await client.get("/me"), Answer)
        assert_type(await client.keys.create(name="typed"), IssuedKey)
        assert_type(await client.keys.list(limit=1).page(), Page[Key])
        async for key in client.keys.list(search="typed"):
            assert_type(key, Key)
