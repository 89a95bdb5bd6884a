"""Bodies have a size limit, by their declared length and by what really arrives."""

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from keyrack.model.calls import Call
from keyrack.model.refusals import BODY_TOO_LARGE, INVALID_REQUEST, Refused

EMBEDDED_BYTES_MAX = 64 * 1024


def limited(receive: Receive, call: Call, headers: dict[bytes, bytes], bytes_max: int) -> Receive:
    """Return a receive that stops at the limit. Raises Refused at once where the declared length is over it.

    A declared length needs no counting: the server never passes more than it says. Whoever looks at a page sends little.
    """
    if call.principal is not None and call.principal.embedded is not None:
        bytes_max = min(bytes_max, EMBEDDED_BYTES_MAX)
    declared = headers.get(b"content-length")
    if declared is not None:
        if not declared.isdigit():
            raise INVALID_REQUEST("Content-Length is not a number.", param="Content-Length")
        if int(declared) > bytes_max:
            raise _too_large(bytes_max)
        return receive
    if b"transfer-encoding" not in headers and call.method in ("GET", "HEAD"):
        return receive
    return _Counted(receive, call, bytes_max)


class _Counted:
    """A receive that counts. The refusal is also noted on the call, for frameworks turn an exception while reading into their own."""

    __slots__ = ("_call", "_left", "_max", "_receive")

    def __init__(self, receive: Receive, call: Call, bytes_max: int) -> None:
        self._receive = receive
        self._call = call
        self._max = bytes_max
        self._left = bytes_max

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self._call.refused = _too_large(self._max)
            raise self._call.refused
        return message


async def whole(receive: Receive) -> bytes:
    """Return the whole body, which `limited` has bounded. Raises ClientDisconnect where it is cut short."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives a body which was read, and then what follows it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def body_cut_short() -> Refused:
    """Return the refusal of a call whose client went away before it had sent all of its body."""
    return INVALID_REQUEST("The body ended before it was whole.")


def _too_large(bytes_max: int) -> Refused:
    return BODY_TOO_LARGE(f"A body may have {bytes_max} bytes.")
