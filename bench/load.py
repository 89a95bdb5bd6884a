"""A closed loop of HTTP requests over keep-alive connections: each connection sends its next request when it has its answer.

One thread on epoll, requests made beforehand: it has to be several times faster than any server measured with it.
"""

import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

HEADERS = {"host": "127.0.0.1:8000", "user-agent": "acme-sync/2.1 (linux)", "accept": "application/json"}
"""What a small program sends with every request, beside its credential."""

ANSWER_BYTES_MAX = 65536
SILENCE_SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Load:
    """What came of it: how many answers in how many seconds."""

    answers: int
    seconds: float


class AnswerNotExpected(Exception):
    """A server answered something else than was asked of it: whatever was measured, it was not that."""


def requests(path: str, secrets: Sequence[str]) -> list[bytes]:
    """Return one GET for each secret."""
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in HEADERS.items()), "authorization: Bearer "]
    head = "\r\n".join(lines)
    return [f"{head}{secret}\r\n\r\n".encode() for secret in secrets]


class Generator:
    """Connections to a server on this machine, and the requests that they send in turn. `body` is what every answer ends with."""

    def __init__(self, port: int, connections: int, messages: Sequence[bytes], body: bytes) -> None:
        self._messages: Iterator[bytes] = cycle(messages)
        self._body = body
        self._sockets = {each.fileno(): each for each in (_connect(port) for _ in range(connections))}
        self._partial: dict[int, bytes] = {}
        self._epoll = select.epoll()
        for number in self._sockets:
            self._epoll.register(number, select.EPOLLIN)

    def run(self, seconds: float) -> Load:
        """Send for so long, then wait for the last answers, which count."""
        answers = 0
        started = time.perf_counter()
        end = started + seconds
        for each in self._sockets.values():
            each.send(next(self._messages))
        while time.perf_counter() < end:
            answers += self._turn(len(self._sockets))
        answers += self._drain()
        return Load(answers, time.perf_counter() - started)

    def close(self) -> None:
        """Close all connections."""
        self._epoll.close()
        for each in self._sockets.values():
            each.close()

    def _turn(self, running: int) -> int:
        """Take what has arrived, and send the next request wherever an answer is complete."""
        sockets, messages, body = self._sockets, self._messages, self._body
        ready = self._epoll.poll(SILENCE_SECONDS_MAX, running)
        if not ready:
            raise AnswerNotExpected(f"no answer within {SILENCE_SECONDS_MAX} s")
        answers = 0
        for number, _ in ready:
            each = sockets[number]
            answer = each.recv(ANSWER_BYTES_MAX)
            if not (answer.endswith(body) and answer.startswith(b"HTTP/1.1 200")):
                answer = self._partial.pop(number, b"") + answer
                if not self._is_complete(number, answer):
                    continue
            answers += 1
            each.send(next(messages))
        return answers

    def _is_complete(self, number: int, answer: bytes) -> bool:
        if not answer.startswith(b"HTTP/1.1 200"):
            raise AnswerNotExpected(answer[:500].decode("latin-1") or "the server closed the connection")
        if answer.endswith(self._body):
            return True
        self._partial[number] = answer
        return False

    def _drain(self) -> int:
        answers = 0
        waiting = set(self._sockets)
        while waiting:
            ready = self._epoll.poll(SILENCE_SECONDS_MAX)
            if not ready:
                raise AnswerNotExpected(f"no last answer within {SILENCE_SECONDS_MAX} s")
            for number, _ in ready:
                answer = self._partial.pop(number, b"") + self._sockets[number].recv(ANSWER_BYTES_MAX)
                if self._is_complete(number, answer):
                    answers += 1
                    waiting.discard(number)
        return answers


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS_MAX)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
