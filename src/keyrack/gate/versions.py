"""Calls at older versions of the API: what is sent and answered is turned between their shapes and the newest, around the handler.

At the newest version nothing is turned, and the handler is called as it is. What is turned is held in memory, so it is bounded: request
bodies by their own limit, answers by ANSWER_BYTES_MAX. Only JSON is turned: streams of events or lines, files and pages stay as they are.
"""

import json
import re
from collections.abc import Callable
from email.utils import formatdate
from math import isfinite
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyrack.gate.bodies import again, whole
from keyrack.gate.problems import Problems
from keyrack.gate.table import Route
from keyrack.model.calls import Call
from keyrack.model.refusals import INTERNAL_ERROR, INVALID_REQUEST, VERSION_ENDED, Refused
from keyrack.model.versions import Ending, Passage, Versions

Headers = list[tuple[bytes, bytes]]

HEADER = b"api-version"
ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""How large an answer may be that is turned for an older version."""
_JSON = re.compile(rb"application/(json|[\w.-]+\+json)\s*(;.*)?", re.IGNORECASE)
_BODILESS = (204, 304)
_UNREADABLE = object()
_ADDRESS = re.compile(rb"<([^>]*)>")


class VersionGate:
    """Chooses the version of each call, and stands between an older one and the handler. `header` names the newest version."""

    def __init__(self, versions: Versions, problems: Problems, now: Callable[[], int]) -> None:
        self._versions = versions
        self._problems = problems
        self._now = now
        self._newest = versions.newest
        self._ending = versions.operations_ending
        self._leaving = frozenset(name.partition(" ")[2] for name in self._ending)
        self.header = (HEADER, versions.newest.encode())

    def app(self, route: Route, call: Call, headers: dict[bytes, bytes], scope: Scope, out: Headers) -> ASGIApp:
        """Return what serves a call: the route's own app, or one that turns between its version and the newest.

        The header `Api-Version` counts, else what the credential is pinned to, else the newest. `out` are the headers of the answer, which
        name the newest so far. Raises Refused 400 `unknown_version`, 410 `version_ended`.
        """
        asked = headers.get(HEADER)
        pin = None if call.principal is None else call.principal.api_version
        if asked is None and (pin is None or pin == self._newest) and route.operation.template not in self._leaving:
            return route.app
        if asked is not None:
            version = self._versions.named(asked.decode("latin-1").strip(), "Api-Version")
        else:
            version = self._newest if pin is None else self._versions.of_pin(pin)
        operation = f"{'GET' if call.method == 'HEAD' else call.method} {route.operation.template}"
        out[out.index(self.header)] = (HEADER, version.encode())
        ending = self._versions.endings[version].sooner(self._ending.get(operation, Ending()))
        if ending.deprecated_at is not None:
            out += self._announce(ending, scope)
        if ending.sunset_at is not None and ending.sunset_at <= self._now():
            raise VERSION_ENDED(f"{operation} at the version {version} has ended.", extra={"versions": list(self._versions.dates)})
        passage = self._versions.passage(version, operation)
        return _Turned(passage, call, route.app) if passage.turns_bodies or passage.turns_answers else route.app

    def _announce(self, ending: Ending, scope: Scope) -> Headers:
        """Return the headers that tell of a deprecation (RFC 9745 §2) and of an end (RFC 8594 §3)."""
        page = f"<{self._problems.base_url(scope)}/docs/changelog>; ".encode()
        told = [
            (b"deprecation", f"@{(ending.deprecated_at or 0) // 1000}".encode()),
            (b"link", page + b'rel="deprecation"; type="text/html"'),
        ]
        if ending.sunset_at is not None:
            told.append((b"sunset", formatdate(ending.sunset_at // 1000, usegmt=True).encode()))
            told.append((b"link", page + b'rel="sunset"; type="text/html"'))
        return told


class _Turned:
    """A route's app as callers at an older version see it."""

    __slots__ = ("_app", "_call", "_passage")

    def __init__(self, passage: Passage, call: Call, app: ASGIApp) -> None:
        self._passage = passage
        self._call = call
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What is compressed, or a part of something, could not be turned.
        scope = {**scope, "headers": [header for header in scope["headers"] if header[0] not in (b"accept-encoding", b"range")]}
        if self._passage.turns_bodies:
            scope["query_string"] = self._passage.query(scope["query_string"].decode("latin-1")).encode("latin-1")
            receive = await self._turn_body(scope, receive)
        answered = _Answered(self._passage, self._call, send)
        try:
            await self._app(scope, receive, answered.send)
        except Refused as refused:
            raise self._passage.refusal(refused) from refused
        finally:
            answered.retell()

    async def _turn_body(self, scope: Scope, receive: Receive) -> Receive:
        """Make the body one of the newest version. Raises Refused for what the older version had not."""
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        if not _JSON.fullmatch(kind):
            return receive
        body = await whole(receive)
        found = _read(body) if body else None
        if found is _UNREADABLE:
            # A handler may read more than JSON, like NaN; and what was not turned must not be taken for what it is not.
            raise _no_json()
        if isinstance(found, dict):
            try:
                body = _written(self._passage.body(found))
            except RecursionError:
                raise _no_json() from None
            kept = [header for header in scope["headers"] if header[0] not in (b"content-length", b"transfer-encoding")]
            scope["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        return again(body, receive)


class _Answered:
    """The answer of the newest version on its way to an older caller. JSON is held until it is whole."""

    __slots__ = ("_call", "_held", "_parts", "_passage", "_retold", "_send", "_size")

    def __init__(self, passage: Passage, call: Call, send: Send) -> None:
        self._passage = passage
        self._call = call
        self._send = send
        self._held: Message | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._retold: Refused | None = None

    def retell(self) -> None:
        """Let what the host refused speak of older names: once."""
        refused = self._call.refused
        if refused is not None and refused is not self._retold:
            self._call.refused = self._retold = self._passage.refusal(refused)

    async def send(self, message: Message) -> None:
        """Pass one message of the app on, turned where it is JSON."""
        kind = message["type"]
        if kind == "http.response.start":
            self.retell()
            message = {**message, "headers": [self._turned_header(*header) for header in message.get("headers", ())]}
            if self._turns(message):
                self._held = message
                return
        elif self._held is not None:
            self._parts.append(message.get("body", b""))
            self._size += len(self._parts[-1])
            if self._size > ANSWER_BYTES_MAX or kind != "http.response.body":
                self._refuse("The answer is too large, or of a form that cannot be given at an older version of the API.")
            elif message.get("more_body", False):
                return
            await self._release(self._held)
            return
        await self._send(message)

    def _refuse(self, detail: str) -> None:
        self._call.refused = self._retold = INTERNAL_ERROR(detail)

    def _turns(self, start: Message) -> bool:
        headers = dict(start["headers"])
        if self._call.method == "HEAD" and self._passage.turns_answers:
            # What the length would be, nobody knows before the body is turned.
            start["headers"] = [header for header in start["headers"] if header[0] != b"content-length"]
            return False
        if start["status"] >= 400 or start["status"] in _BODILESS or not self._passage.turns_answers or self._call.refused is not None:
            return False
        is_json = _JSON.fullmatch(headers.get(b"content-type", b"")) is not None
        if is_json and b"content-encoding" in headers:
            self._refuse("The answer is compressed, though nobody asked for that: it cannot be given at an older version of the API.")
            return False
        return is_json

    async def _release(self, start: Message) -> None:
        self._held = None
        body = b"".join(self._parts)
        if self._call.refused is None:
            body = self._turned(body)
        kept = [header for header in start["headers"] if header[0] != b"content-length"]
        await self._send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _turned(self, body: bytes) -> bytes:
        found = _read(body)
        if found is _UNREADABLE:
            return body
        turned = self._passage.answer(found)
        if isinstance(turned, dict) and isinstance(turned.get("next_url"), str):
            turned = {**turned, "next_url": self._passage.url(turned["next_url"])}
        return _written(turned)

    def _turned_header(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name.lower() != b"link":
            return name.lower(), value
        return b"link", _ADDRESS.sub(lambda found: b"<" + self._passage.url(found[1].decode("latin-1")).encode("latin-1") + b">", value)


def _no_json() -> Refused:
    detail = "The body is not valid JSON."
    error = {"code": "json_invalid", "param": None, "pointer": "#", "detail": detail, "fix": "Send a JSON object."}
    return INVALID_REQUEST(detail, errors=[error])


def _read(body: bytes) -> Any:
    """Return the JSON in a body, or _UNREADABLE where none is (RFC 8259: no NaN, and here no number that is too large to be one)."""
    try:
        return json.loads(body, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _written(document: Any) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half a character, which only an escape can be.
        return json.dumps(document, separators=(",", ":")).encode()


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number
