"""The two senders. All that differs between `Client` and `AsyncClient` is here: how to wait, and how to read from a connection."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from keyrack.client.answers import Answer, answer_of
from keyrack.client.attempts import Attempt, Outcome, Rules, attempts
from keyrack.client.errors import KeyrackError, NoAnswerError, TimedOutError, UnreadableAnswerError
from keyrack.client.requests import Request, Site, visible

T = TypeVar("T")
ANSWER_BYTES_MAX = 64 * 1024 * 1024


class Bearer(httpx.Auth):
    """Sends a credential, which is nowhere else: in no repr, and in no variable that a report of an error would show."""

    def __init__(self, api_key: str) -> None:
        if not isinstance(api_key, str) or not visible(api_key):
            raise ValueError("api_key is one word of visible ASCII characters, as it was copied")
        self.__api_key = api_key

    def __repr__(self) -> str:
        return "Bearer(…)"

    def auth_flow(self, request: httpx.Request) -> Any:
        """Put the credential on a call."""
        request.headers["Authorization"] = f"Bearer {self.__api_key}"
        yield request


@dataclass(frozen=True)
class Settings:
    """What every call of a client has in common. `headers` go onto each of them."""

    site: Site
    bearer: Bearer
    rules: Rules
    headers: Mapping[str, str]

    def prepared(self, request: Request[T]) -> dict[str, Any]:
        """Return what httpx sends, but for its timeout."""
        return {
            "method": request.method,
            "url": self.site.url(request.path, request.query),
            "headers": {**self.headers, **request.headers},
            "content": request.content,
        }


class SyncSender:
    """Sends calls, and blocks until they are answered."""

    def __init__(self, settings: Settings, http: httpx.Client | None) -> None:
        self._settings = settings
        self._http = http or httpx.Client()
        self._is_ours = http is None

    def run(self, request: Request[T]) -> T:
        """Send a call until it has succeeded, and return what its answer says. Raises KeyrackError."""
        prepared = self._settings.prepared(request)
        going = attempts(self._settings.rules, time.monotonic, random.random)
        outcome: Outcome = None
        while True:
            try:
                step = going.send(outcome)
            except StopIteration as over:
                return request.read(over.value)
            if isinstance(step, Attempt):
                outcome = self._attempt(prepared, step)
            else:
                time.sleep(step.seconds)
                outcome = None

    def close(self) -> None:
        """Close the connections that the client has opened itself."""
        if self._is_ours:
            self._http.close()

    def _attempt(self, prepared: dict[str, Any], step: Attempt) -> Outcome:
        body = _Body(step.seconds)
        built = _built(self._http, prepared, step)
        try:
            answered = self._http.send(built, auth=self._settings.bearer, stream=True, follow_redirects=False)
            try:
                for chunk in answered.iter_bytes():
                    body.add(chunk)
            finally:
                answered.close()
        except (httpx.RequestError, KeyrackError) as error:
            return _failed(error)
        return body.answer(answered)


class AsyncSender:
    """Sends calls, and lets others run until they are answered."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient | None) -> None:
        self._settings = settings
        self._http = http or httpx.AsyncClient()
        self._is_ours = http is None

    async def run(self, request: Request[T]) -> T:
        """Send a call until it has succeeded, and return what its answer says. Raises KeyrackError."""
        prepared = self._settings.prepared(request)
        going = attempts(self._settings.rules, time.monotonic, random.random)
        outcome: Outcome = None
        while True:
            try:
                step = going.send(outcome)
            except StopIteration as over:
                return request.read(over.value)
            if isinstance(step, Attempt):
                outcome = await self._attempt(prepared, step)
            else:
                await asyncio.sleep(step.seconds)
                outcome = None

    async def close(self) -> None:
        """Close the connections that the client has opened itself."""
        if self._is_ours:
            await self._http.aclose()

    async def _attempt(self, prepared: dict[str, Any], step: Attempt) -> Outcome:
        body = _Body(step.seconds)
        built = _built(self._http, prepared, step)
        try:
            async with asyncio.timeout(step.seconds):
                answered = await self._http.send(built, auth=self._settings.bearer, stream=True, follow_redirects=False)
                try:
                    async for chunk in answered.aiter_bytes():
                        body.add(chunk)
                finally:
                    await answered.aclose()
        except (httpx.RequestError, KeyrackError, TimeoutError) as error:
            return _failed(error)
        return body.answer(answered)


def _built(http: httpx.Client | httpx.AsyncClient, prepared: dict[str, Any], step: Attempt) -> httpx.Request:
    """Return what is sent. Raises ValueError for a path that no URL has."""
    try:
        return http.build_request(**prepared, timeout=step.seconds)
    except httpx.InvalidURL as error:
        raise ValueError(f"not a URL: {error}") from None


class _Body:
    """Gathers one answer's bytes, up to a size and for a time: httpx's own timeout is for each read alone."""

    def __init__(self, seconds: float) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    def add(self, chunk: bytes) -> None:
        """Take some bytes. Raises KeyrackError beyond the bounds."""
        self._parts.append(chunk)
        self._size += len(chunk)
        if self._size > ANSWER_BYTES_MAX:
            raise UnreadableAnswerError(f"The answer has more than {ANSWER_BYTES_MAX} bytes.")
        if time.monotonic() > self._ends:
            raise TimedOutError(f"The answer was not whole within {self._seconds:g} s.")

    def answer(self, answered: httpx.Response) -> Answer:
        """Return the answer that is whole now."""
        headers: dict[str, str] = {}
        for name, value in answered.headers.multi_items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return answer_of(answered.status_code, headers, b"".join(self._parts))


def _failed(error: httpx.RequestError | KeyrackError | TimeoutError) -> KeyrackError:
    """Return what a failure means."""
    if isinstance(error, KeyrackError):
        return error
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        failed: KeyrackError = TimedOutError(f"No answer in time ({type(error).__name__}).")
    elif isinstance(error, httpx.DecodingError):
        failed = UnreadableAnswerError("The answer's compression is broken.")
    elif isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)):
        # Its own text would repeat the header that cannot be sent.
        return NoAnswerError("The call cannot be sent as it is: a header holds what it may not.", retryable=False)
    else:
        failed = NoAnswerError(f"No answer: {type(error).__name__}: {error}")
    failed.__cause__ = error
    return failed
