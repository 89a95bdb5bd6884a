"""Sending an outgoing call: the one client for every address that a customer gave.

The order, all of it within one timeout: read the URL, resolve its host once, check every address, connect to one of those, begin TLS, ask
whether the call is still wanted, send, read the answer up to a size. Redirects are answers like any other, nothing is decompressed, no
proxy, cookie or password file is known here, and each call has a connection of its own.

A host that resolves to any address that may not be reached is refused as a whole: such a name is an attack or a mistake, and neither should
work now and then. (A resolver that adds NAT64 addresses needs its network in `outgoing_networks`.)
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import cached_property
from itertools import chain, zip_longest

import certifi
import h11

from keyrack.model.addresses import Address, Destination, Network, destination, is_allowed, plain, refused_address
from keyrack.model.outgoing_calls import OWN_HEADERS, Answered, NotSent, NotSentCode, Outgoing
from keyrack.work.connections import Connection
from keyrack.work.resolver import Resolver

HEAD_BYTES_MAX = 32 * 1024
HEADER_COUNT_MAX = 100
BODY_PARTS_MAX = 1_000
ADDRESSES_MAX = 64
ADDRESSES_TRIED_MAX = 4

Resolve = Callable[[str], Awaitable[Sequence[Address]]]
"""Returns every address of a host, the best first; raises OSError where there is none."""

BeforeFirstByte = Callable[[], Awaitable[None]]


class GuardedClient:
    """Sends calls to public addresses, and to those in the networks that the operator allows, where it may be http, too.

    `resolve` answers for the operating system, and `ssl_context` says which certificates are accepted (default: those that the operating
    system trusts).
    """

    def __init__(
        self, allowed: Collection[Network] = (), *, resolve: Resolve | None = None, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._allowed = allowed
        self._resolve = Resolver().resolve if resolve is None else resolve
        self._given_context = ssl_context

    async def send(
        self, outgoing: Outgoing, *, timeout_seconds: float, answer_bytes_max: int, before_first_byte: BeforeFirstByte | None = None
    ) -> Answered:
        """Send one call and return its answer, of whose body at most `answer_bytes_max` bytes are read.

        `before_first_byte` is awaited when the connection stands, right before the call begins: if it raises, nothing was sent, and that
        comes out. Raises NotSent where no whole answer came within `timeout_seconds`, ValueError for headers that cannot be sent.
        """
        course = _Course()
        limit = asyncio.timeout(timeout_seconds)
        try:
            async with limit:
                return await self._send(course, outgoing, answer_bytes_max, before_first_byte, limit)
        except TimeoutError:
            if not limit.expired():
                raise
            detail = f"No whole answer within {timeout_seconds:g} s: that was spent waiting for {course.waits_for}."
            raise NotSent(NotSentCode.TIMEOUT, detail, course.duration_ms, course.sent) from None
        except NotSent as fault:
            fault.duration_ms, fault.sent = course.duration_ms, course.sent
            raise

    async def _send(
        self, course: "_Course", outgoing: Outgoing, bytes_max: int, before_first_byte: BeforeFirstByte | None, limit: asyncio.Timeout
    ) -> Answered:
        goal = self._goal(outgoing.url)
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
        request = _request(http, goal, outgoing)
        addresses = await self._checked_addresses(goal)
        connection, address = await _connect(course, goal, addresses, limit)
        try:
            if goal.scheme == "https":
                await self._secure(course, goal, connection)
            if before_first_byte is not None:
                await before_first_byte()
            # No await stands between what the hook found and the first byte.
            course.sent, course.waits_for = True, "the answer"
            connection.begin(request)
            head, body, truncated = await _Reader(http, connection, course).read(bytes_max)
        finally:
            await connection.close()
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
        return Answered(head.status_code, headers, body, truncated, course.duration_ms, str(address))

    def _goal(self, url: str) -> Destination:
        try:
            return destination(url, self._allowed)
        except ValueError as refused:
            raise NotSent(NotSentCode.ADDRESS_REFUSED, str(refused)) from None

    async def _checked_addresses(self, goal: Destination) -> list[Address]:
        """Return where the call may connect to. Nothing is resolved after this."""
        if goal.address is not None:
            return [plain(goal.address)]
        try:
            found = [plain(address) for address in await self._resolve(goal.host)]
        except OSError:
            found = []
        if not 0 < len(found) <= ADDRESSES_MAX:
            why = f"has more than {ADDRESSES_MAX} addresses" if found else "has no address, or its name servers do not answer"
            raise NotSent(NotSentCode.UNRESOLVED, f"{goal.host} {why}.")
        for address in found:
            reason = refused_address(address, self._allowed)
            if reason is None and goal.scheme == "http" and not is_allowed(address, self._allowed):
                reason = "Only https:// is called."
            if reason is not None:
                raise NotSent(NotSentCode.ADDRESS_REFUSED, f"{goal.host} is not called. {reason}")
        return found

    async def _secure(self, course: "_Course", goal: Destination, connection: Connection) -> None:
        course.waits_for = "TLS"
        try:
            await connection.secure(self._context, goal.host)
        except ssl.SSLCertVerificationError as error:
            why = f"The certificate of {goal.host} is not accepted: {error.verify_message}."
            raise NotSent(NotSentCode.TLS_FAILED, why) from None
        except OSError as error:
            raise NotSent(NotSentCode.TLS_FAILED, f"TLS with {goal.host} failed: {_words(error)}.") from None

    @cached_property
    def _context(self) -> ssl.SSLContext:
        if self._given_context is not None:
            return self._given_context
        places = ssl.get_default_verify_paths()
        # Some systems, and slim images, have no certificates of their own.
        context = ssl.create_default_context(cafile=None if places.cafile or places.capath else certifi.where())
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        return context


class _Course:
    """How far a call has come: what it waits for, and whether any of it may have reached the receiver."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self.waits_for = "the addresses of its host"
        self.sent = False

    @property
    def duration_ms(self) -> int:
        return round((self._loop.time() - self._began) * 1000)


async def _connect(course: _Course, goal: Destination, addresses: list[Address], limit: asyncio.Timeout) -> tuple[Connection, Address]:
    """Connect to the first address that takes the connection. Each has its share of the time that is left."""
    course.waits_for = "a connection"
    tried = _in_turn(addresses)[:ADDRESSES_TRIED_MAX]
    why = ""
    for left, address in zip(range(len(tried), 0, -1), tried, strict=True):
        now, end = asyncio.get_running_loop().time(), limit.when()
        try:
            async with asyncio.timeout(None if left == 1 or end is None else (end - now) / left):
                return await Connection.to(address, goal.port), address
        except OSError as error:
            why = _words(error)
    raise NotSent(NotSentCode.CONNECT_FAILED, f"{goal.authority} does not take the connection: {why}.")


def _in_turn(addresses: list[Address]) -> list[Address]:
    """IPv6 and IPv4 by turns, beginning with the best: where one of the two leads nowhere, the other comes soon."""
    first = [address for address in addresses if address.version == addresses[0].version]
    others = [address for address in addresses if address.version != addresses[0].version]
    return [address for address in chain.from_iterable(zip_longest(first, others)) if address is not None]


def _request(http: h11.Connection, goal: Destination, outgoing: Outgoing) -> bytes:
    """Return the whole request as it goes over the wire."""
    if any(name.lower() in OWN_HEADERS for name, _ in outgoing.headers):
        raise ValueError("this call sets a header that is the client's own")
    headers = [("Host", goal.authority), *outgoing.headers, ("Accept-Encoding", "identity"), ("Connection", "close")]
    if outgoing.body or outgoing.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(outgoing.body))))
    try:
        request = h11.Request(method=outgoing.method, target=goal.path, headers=headers)
    except (h11.LocalProtocolError, UnicodeError):
        # Not chained: their words quote the header.
        raise ValueError("this call has a header that cannot be sent") from None
    return b"".join((http.send(request), http.send(h11.Data(outgoing.body)), http.send(h11.EndOfMessage())))


class _Reader:
    """Reads one answer, within bounds for everything that a receiver can make long."""

    def __init__(self, http: h11.Connection, connection: Connection, course: _Course) -> None:
        self._http = http
        self._connection = connection
        self._course = course
        self._bytes = 0
        self._ended = False

    async def read(self, bytes_max: int) -> tuple[h11.Response, bytes, bool]:
        """Return the head, the body, and whether there was more of it."""
        head = await self._head()
        self._course.waits_for = "the end of the answer"
        body, parts = bytearray(), 0
        while isinstance(event := await self._next(), h11.Data):
            body += event.data
            parts += 1
            if len(body) > bytes_max or parts > BODY_PARTS_MAX:
                return head, bytes(body[:bytes_max]), True
        return head, bytes(body), False

    async def _head(self) -> h11.Response:
        # There may be interim answers before it: they have heads, too.
        while self._bytes <= HEAD_BYTES_MAX:
            event = await self._next()
            if isinstance(event, h11.Response) and len(event.headers) <= HEADER_COUNT_MAX:
                return event
            if not isinstance(event, h11.InformationalResponse):
                break
        raise NotSent(NotSentCode.MALFORMED_ANSWER, "The answer's head is too long.")

    async def _next(self) -> object:
        while True:
            try:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return event
                data = await self._connection.read()
            except h11.RemoteProtocolError:
                if not self._ended:
                    raise NotSent(
                        NotSentCode.MALFORMED_ANSWER, "What came back is no answer in HTTP/1.1, or its head is too long."
                    ) from None
                raise NotSent(NotSentCode.BROKEN_OFF, "The receiver ended the connection before its answer was whole.") from None
            except OSError as error:
                raise NotSent(NotSentCode.BROKEN_OFF, f"The connection broke off: {_words(error)}.") from None
            self._bytes += len(data)
            self._ended = not data
            self._http.receive_data(data)


def _words(error: OSError) -> str:
    """Say what went wrong, in the operating system's or in OpenSSL's words, without the address and whatever else an error quotes."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unknown").replace("_", " ").lower()
    return os.strerror(error.errno).lower() if error.errno else "it took too long"
