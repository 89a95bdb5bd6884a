"""The public keys with which GitHub signs what its secret scanning has found."""

import asyncio
from asyncio import timeout

import httpx
import msgspec
import structlog

from keyrack.model.leaks import GITHUB_KEYS_URL
from keyrack.model.refusals import STORE_UNAVAILABLE

log = structlog.get_logger("keyrack")
KEPT_SECONDS = 3600
FETCH_SECONDS_MAX = 10.0
AGAIN_SECONDS = 60
BYTES_MAX = 64 * 1024
KEYS_MAX = 50


class _Key(msgspec.Struct):
    key_identifier: str
    key: str


class _Keys(msgspec.Struct):
    public_keys: list[_Key]


class GithubKeys:
    """The keys as they were last fetched from `url`, by their identifiers: they are believed for an hour.

    Whoever fetches holds `fetching`: who came at the same time finds what was fetched.
    """

    def __init__(self, url: str = GITHUB_KEYS_URL) -> None:
        self.fetching = asyncio.Lock()
        self._url = url
        self._keys: dict[str, str] = {}
        self._fetched_at = 0

    def find(self, identifier: str, now: int) -> str | None:
        """Return a key as PEM, or None where it is not known, or all of them are too old (`now` is ms since the epoch)."""
        return self._keys.get(identifier) if 0 <= now - self._fetched_at < KEPT_SECONDS * 1000 else None

    async def fetch(self, now: int) -> None:
        """Fetch the keys anew. Raises Refused `store_unavailable` where they do not come, whole and in time."""
        try:
            async with timeout(FETCH_SECONDS_MAX):
                found = msgspec.json.decode(await self._read(), type=_Keys).public_keys[:KEYS_MAX]
        except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError, UnicodeError) as error:
            log.warning("github_keys_unavailable", error=type(error).__name__)
            told = "The public keys of GitHub's secret scanning cannot be fetched at this moment."
            raise STORE_UNAVAILABLE(told, headers={"Retry-After": str(AGAIN_SECONDS)}) from None
        self._keys = {one.key_identifier: one.key for one in found}
        self._fetched_at = now

    async def _read(self) -> bytes:
        body = b""
        async with (
            httpx.AsyncClient(timeout=FETCH_SECONDS_MAX, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", self._url, headers={"Accept": "application/json"}) as answer,
        ):
            answer.raise_for_status()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > BYTES_MAX:
                    raise httpx.DecodingError("the answer is too long")
        return body
