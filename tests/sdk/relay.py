"""Stands between a client and a server, writes down what passes, and does to answers what networks do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

SECONDS_MAX = 30

# What is done to an answer: nothing; the connection is cut before, or within it; or the call never reaches the server.
PASS, CUT, CUT_WITHIN, CUT_BEFORE = "pass", "cut", "cut within", "cut before"


@dataclass(frozen=True)
class Instead:
    """Answers in the server's place, as something between the two would."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Passed:
    """A call that came through."""

    method: str
    target: str
    headers: dict[str, str]
    status: int | None


class Relay:
    """A server in front of another one. `plan` says what becomes of the next calls, in their order; after it they pass."""

    def __init__(self, upstream: str) -> None:
        self.plan: list[str | Instead] = []
        self.passed: list[Passed] = []
        self._upstream = upstream
        self._http = httpx.Client(base_url=upstream, timeout=SECONDS_MAX)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the client reaches it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def sent(self, name: str) -> list[str | None]:
        """The value of a header in each call."""
        return [one.headers.get(name) for one in self.passed]

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join(SECONDS_MAX)
        self._server.server_close()
        self._http.close()

    def _handler(relay) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has its own self
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = SECONDS_MAX

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                """Serve any call."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fate = relay.plan.pop(0) if relay.plan else PASS
                headers = {name.lower(): value for name, value in self.headers.items()}
                if fate == CUT_BEFORE or isinstance(fate, Instead):
                    relay.passed.append(Passed(self.command, self.path, headers, None))
                    self.close_connection = True
                    if isinstance(fate, Instead):
                        self._answer(fate.status, fate.headers, fate.body, len(fate.body))
                    return
                kept = {name: value for name, value in headers.items() if name not in ("host", "connection")}
                answer = relay._http.request(self.command, self.path, headers=kept, content=body)
                relay.passed.append(Passed(self.command, self.path, headers, answer.status_code))
                if fate == CUT:
                    self.close_connection = True
                    return
                told = dict(answer.headers)
                told.pop("content-length", None)
                whole = len(answer.content)
                self.close_connection = fate == CUT_WITHIN
                self._answer(answer.status_code, told, answer.content[: whole // 2 if fate == CUT_WITHIN else whole], whole)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - as the server calls them

            def _answer(self, status: int, headers: dict[str, str], body: bytes, length: int) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

        return Handler


@contextmanager
def relaying(upstream: str) -> Iterator[Relay]:
    """Stand in front of a server for the length of a block."""
    relay = Relay(upstream)
    try:
        yield relay
    finally:
        relay.close()


@contextmanager
def stalling_server(beginning: bytes | None) -> Iterator[str]:
    """Serve nothing for the length of a block: stay silent, or begin an answer and go on byte by byte without an end."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(beginning or b"")
            while not over.wait(0.02):
                connection.sendall(b" " if beginning else b"")

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                threads.append(threading.Thread(target=drip, args=(listener.accept()[0],)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        for thread in threads:
            thread.join(SECONDS_MAX)
        listener.close()
