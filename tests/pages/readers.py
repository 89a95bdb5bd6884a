"""Somebody who follows a help page to the letter, against a demo that runs in a process of its own."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.cli.programs import Program, running

CUID = r"c[a-z0-9]{24}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
Json = dict[str, Any]


class Reader:
    """A reader with the keys that the demo printed. `calls` are all calls made so far, with their answers."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.printed = program.first_line()
        self.url: str = self.printed["url"]
        self.live_key: str = self.printed["live_key"]
        self.admin_key: str = self.printed["admin_key"]
        self.calls: list[httpx.Response] = []
        self.http = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30)

    def call(self, method: str, path: str, key: str | None = None, body: Json | None = None) -> httpx.Response:
        """Make a call as the page's curl makes it, with a key put in."""
        return self.call_with(method, path, {"Authorization": f"Bearer {key}"} if key is not None else {}, body)

    def call_with(self, method: str, path: str, headers: dict[str, str], body: Json | None = None) -> httpx.Response:
        """Make a call with headers of the reader's own."""
        answer = self.http.request(method, path, headers=headers, json=body)
        self.calls.append(answer)
        return answer

    def done(self, method: str, path: str, key: str, body: Json | None = None) -> Json:
        """Make a call that succeeds, and return what it answers."""
        answer = self.call(method, path, key, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        document: Json = answer.json() if answer.content else {}
        return document

    def refused(self, status: int, code: str, answer: httpx.Response) -> str:
        """Prove that a call was refused in this way, and return what it was told."""
        assert (status, code) == (answer.status_code, answer.json()["code"]), answer.text
        told: str = answer.json()["detail"]
        return told

    def data(self, path: str, key: str) -> list[Json]:
        """Return what a list holds."""
        found: list[Json] = self.done("GET", path, key)["data"]
        return found


@contextmanager
def reading(folder: Path, brand: str) -> Iterator[Reader]:
    """Run a demo under a brand, and give somebody who follows its page. It must end without a fault of its own."""
    with running(folder, "demo", "--brand", brand, "--port", "0", "--data", "data", "--json") as program:
        reader = Reader(program)
        with reader.http:
            yield reader
        assert 0 == program.stop()
    assert "" == program.err


def agrees(shown: Json, answered: Json) -> None:
    """Prove that an answer has every field that the page shows: of its type and value, or a text of the shape given as a pattern."""
    for name, expected in shown.items():
        found = answered.get(name)
        if isinstance(expected, re.Pattern):
            assert isinstance(found, str), f"{name}: {found!r}"
            assert expected.fullmatch(found), f"{name}: {found!r}"
        else:
            assert (type(expected), expected) == (type(found), found), name


def holding(text: str, calls: list[httpx.Response]) -> list[str]:
    """Return which calls were answered with this text in the body or a header."""
    whole = [f"{call.text}{json.dumps(dict(call.headers))}" for call in calls]
    return [f"{call.request.method} {call.request.url.path}" for call, answer in zip(calls, whole, strict=True) if text in answer]
