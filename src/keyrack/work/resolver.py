"""Resolving the hosts of outgoing calls, as the operating system does: with /etc/hosts, and in threads of its own.

One name that hangs for half a minute must not take the threads of everything else, nor hold up the end of the process.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from threading import Thread

from keyrack.model.addresses import Address

ASKING_MAX = 256

Found = Sequence[Address] | OSError


class Resolver:
    """Asks the operating system. A name that is being asked for is not asked for twice at a time. Belongs to one event loop."""

    def __init__(self) -> None:
        self._asking: dict[str, asyncio.Future[Found]] = {}

    async def resolve(self, host: str) -> Sequence[Address]:
        """Return every address of a host, the best first. Raises OSError where it has none, or nobody could be asked."""
        answer = self._asking.get(host)
        if answer is None:
            answer = self._ask(host)
        found = await asyncio.shield(answer)
        if isinstance(found, OSError):
            raise found
        return found

    def _ask(self, host: str) -> "asyncio.Future[Found]":
        if len(self._asking) >= ASKING_MAX:
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()

        def tell(found: Found) -> None:
            del self._asking[host]
            if not answer.done():
                answer.set_result(found)

        def ask() -> None:
            found = _look_up(host)
            # The loop may be closed by now.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, found)

        self._asking[host] = answer
        Thread(target=ask, name="keyrack-resolver", daemon=True).start()
        return answer


def _look_up(host: str) -> Found:
    try:
        # In bytes, for a text would be encoded by an older rule for names.
        found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    return [ip_address(place[4][0]) for place in found]
