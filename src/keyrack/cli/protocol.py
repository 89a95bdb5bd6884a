"""HTTP/1.1 as uvicorn reads it, with bounds on a head: it has none of its own, and takes what follows a body for a part of the head."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from keyrack.manage.followers import STOPPING

# More than any `header_bytes_max` allows: a head between the two is refused by the gate, and logged.
HEAD_BYTES_MAX = 2 * 1024 * 1024
# Less than the library takes that reads the head of a WebSocket again, and leaves a connection open whose head it does not take.
SOCKET_HEADER_COUNT_MAX = 100
SOCKET_HEADER_BYTES_MAX = 8000
# How long a stopping server still takes a request on a connection that is idle: one may be on its way when the stop begins.
LAST_REQUEST_SECONDS = 0.5


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose heads are finite and end where they end."""

    _head_bytes = 0
    _is_stopping = False

    def data_received(self, data: bytes) -> None:
        """Read what has arrived; close the connection where a head grows without an end."""
        super().data_received(data)
        if self.scope is None or (self.cycle is not None and self.cycle.scope is self.scope):
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self.send_400_response("The head of this request is too large.")

    def on_headers_complete(self) -> None:
        """The head is read: trailers after a chunked body (RFC 9110 §6.5) never join it, for the gate may not have looked at it yet."""
        super().on_headers_complete()
        if self._is_stopping and self.cycle is not None:
            # Answered with "Connection: close": the client knows that its next request needs another server.
            self.cycle.keep_alive = False
        if self.cycle is not None and self.cycle.scope is self.scope:
            self.headers = []

    def shutdown(self) -> None:
        """End with the answer that is under way, or with the next one; without any, soon. A call that waits for something is told.

        To close an idle connection at once would cut off a request that its client has just sent.
        """
        self._is_stopping = True
        if self.cycle is None or self.cycle.response_complete:
            asyncio.get_running_loop().call_later(LAST_REQUEST_SECONDS, self._close_if_idle)
        else:
            self.cycle.keep_alive = False
            self.cycle.scope["state"][STOPPING] = True

    def _close_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _should_upgrade(self) -> bool:
        return (
            super()._should_upgrade()
            and len(self.headers) <= SOCKET_HEADER_COUNT_MAX
            and all(len(name) + len(value) <= SOCKET_HEADER_BYTES_MAX for name, value in self.headers)
        )
