"""Both clients under one suite: what the blocking one returns, the other one is awaited for."""

import inspect
from typing import Any

from keyrack.client import AsyncClient, Client

KINDS: dict[str, type[Client | AsyncClient]] = {"sync": Client, "async": AsyncClient}


async def got(outcome: Any) -> Any:
    """Return what a call returned, awaited where that is its way."""
    return await outcome if inspect.isawaitable(outcome) else outcome


async def walked(walk: Any, client: Any) -> list[Any]:
    """Return all that a list, or its pages, yield."""
    return list(walk) if isinstance(client, Client) else [one async for one in walk]


async def steps(walk: Any, client: Any) -> Any:
    """Yield what a list, or its pages, yield, one by one."""
    if isinstance(client, Client):
        for one in walk:
            yield one
    else:
        async for one in walk:
            yield one
