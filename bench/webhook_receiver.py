"""A receiver of webhooks that answers at once, and tells when each delivery came: `GET /times`."""

import asyncio
import json
import time
from typing import ClassVar, cast

import uvloop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Receiver(asyncio.Protocol):
    """One connection."""

    times: ClassVar[dict[str, float]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._held = b""

    def data_received(self, data: bytes) -> None:
        """Take what came; answer when the request is whole."""
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        if not end:
            return
        headers = dict(line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        if len(body) < int(headers.get("content-length", "0")):
            return
        path = head.split(b" ", 2)[1].decode()
        if path == "/times":
            told, Receiver.times = json.dumps(Receiver.times).encode(), {}
            self._transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + told)
        else:
            Receiver.times[f"{path} {headers['webhook-id']}"] = time.time()
            self._transport.write(OK)
        self._transport.close()


async def main() -> None:
    """Serve on a free port, and print it."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
