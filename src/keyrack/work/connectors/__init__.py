"""Connectors at work: events become calls, and calls go out by the vendors' official clients. One module per vendor, named like it.

A vendor's module is loaded when it is first called: its client costs a process memory that others should not pay.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast

from keyrack.model.connector_calls import Answer

CALL_SECONDS_MAX = 20.0
THREADS_MAX = 8
"""How many calls of a client that has to wait in threads are under way at the same time."""

RETRY_AFTER_SECONDS_MAX = 24 * 3600


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a connector stands for: how it is set, its secrets included, which the repr hides. `urls` are where vendors are."""

    settings: Mapping[str, str] = field(repr=False)
    urls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes out: the `request`, the `key` that a repetition is known by, and what the vendor calls its copy of the object, if any."""

    request: Mapping[str, Any] = field(repr=False)
    key: str
    known: str | None = None


class Client(Protocol):
    """What a vendor's module has, as its class `Client`."""

    async def send(self, account: Account, outgoing: Outgoing) -> Answer:
        """Send, and say what the vendor made of it. Whatever is raised counts as an outage."""

    async def check(self, account: Account) -> Answer:
        """Ask the vendor whether it takes the credentials, changing nothing; the detail is for whoever pressed the button."""

    async def close(self) -> None:
        """Close what is open."""


class Clients:
    """The clients of a process, by vendor. None of their calls holds a thread or a connection for longer than `call_seconds_max`."""

    def __init__(self, call_seconds_max: float = CALL_SECONDS_MAX) -> None:
        self._call_seconds_max = call_seconds_max
        self._clients: dict[str, Client] = {}

    async def get(self, vendor: str) -> Client:
        """Return the client of a vendor, which is loaded now where it was not before."""
        if vendor not in self._clients:
            # In a thread: loading one for the first time takes longer than calls should wait.
            module = await asyncio.to_thread(import_module, f"{__name__}.{vendor}")
            self._clients.setdefault(vendor, cast(Client, module.Client(self._call_seconds_max)))
        return self._clients[vendor]

    async def close(self) -> None:
        """Close all of them."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()


def seconds_in(headers: Mapping[str, Any]) -> int:
    """Return what a `Retry-After` header says, in seconds; one second where there is none that can be read."""
    given = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(max(int(given), 1), RETRY_AFTER_SECONDS_MAX) if given.isdecimal() and len(given) < 10 else 1
