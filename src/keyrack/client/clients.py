"""`Client` blocks until a call is answered, `AsyncClient` is awaited; everything else about them is the same."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import httpx

from keyrack.client.access import AccessOf
from keyrack.client.answers import Answer
from keyrack.client.apps import Apps
from keyrack.client.attempts import Rules
from keyrack.client.connectors import Connectors
from keyrack.client.embed_keys import EmbedKeys
from keyrack.client.endpoints import Deliveries, Endpoints, EventTypes
from keyrack.client.events import Events
from keyrack.client.grants import Grants
from keyrack.client.integrations import Integrations
from keyrack.client.invitations import Invitations
from keyrack.client.keys import Keys
from keyrack.client.members import Members
from keyrack.client.operations import Listing, Operation, Page, Part, S, page_of
from keyrack.client.request_logs import RequestLogs
from keyrack.client.requests import Request, Site, path_of, request_of, visible
from keyrack.client.send import AsyncSender, Bearer, Settings, SyncSender
from keyrack.client.spaces import Spaces
from keyrack.client.tokens import Tokens
from keyrack.client.workspaces import Own

USER_AGENT = f"keyrack-python/{version('keyrack')} python/{platform.python_version()} httpx/{httpx.__version__}"


class Resource(Part[S]):
    """A host's own objects by their noun: `client.resource("customers")`, or `client.resource("customers", "245", "contacts")`."""

    def __init__(self, sender: S, *segments: str | int) -> None:
        super().__init__(sender)
        self._segments = segments
        path_of(*segments)

    def list(self, **filters: Any) -> Listing[S, dict[str, Any]]:
        """List them: the parameters are the list's own, and `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, _listed(path_of(*self._segments), filters))

    @Operation
    def get(self, id: str | int, /) -> Request[Answer]:
        """Get one."""
        return request_of("GET", path_of(*self._segments, id), _itself)

    @Operation
    def create(self, /, *, idempotency_key: str | None = None, **fields: Any) -> Request[Answer]:
        """Create one with these fields."""
        return request_of("POST", path_of(*self._segments), _itself, body=fields, idempotency_key=idempotency_key)

    @Operation
    def update(self, id: str | int, /, *, idempotency_key: str | None = None, **fields: Any) -> Request[Answer]:
        """Change these fields of one."""
        return request_of("PATCH", path_of(*self._segments, id), _itself, body=fields, idempotency_key=idempotency_key)

    @Operation
    def delete(self, id: str | int, /, *, idempotency_key: str | None = None) -> Request[Answer]:
        """Delete one."""
        return request_of("DELETE", path_of(*self._segments, id), _itself, idempotency_key=idempotency_key)


class Calls(Own[S]):
    """What both clients can do. A path is one of the API (`/customers`), or the whole one (`/api/v1/customers`)."""

    def __init__(self, sender: S) -> None:
        super().__init__(sender)
        self.keys = Keys(sender)
        self.integrations = Integrations(sender)
        self.tokens = Tokens(sender)
        self.embed_keys = EmbedKeys(sender)
        self.apps = Apps(sender)
        self.grants = Grants(sender)
        self.access = AccessOf(sender)
        self.members = Members(sender)
        self.invitations = Invitations(sender)
        self.spaces = Spaces(sender)
        self.events = Events(sender)
        self.event_types = EventTypes(sender)
        self.endpoints = Endpoints(sender)
        self.deliveries = Deliveries(sender)
        self.connectors = Connectors(sender)
        self.logs = RequestLogs(sender)

    def resource(self, *segments: str | int) -> Resource[S]:
        """Return the host's own objects of a noun: `client.resource("customers").create(name="Aurora Outfitters")`."""
        return Resource(self._sender, *segments)

    def list(self, path: str, /, **filters: Any) -> Listing[S, dict[str, Any]]:
        """List what is at a path, over all pages: `for customer in client.list("/customers", status="active")`."""
        return Listing(self._sender, _listed(path, filters))

    @Operation
    def get(self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Request[Answer]:
        """Get what is at a path."""
        return request_of("GET", path, _itself, query=params, headers=headers)

    @Operation
    def post(
        self,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request[Answer]:
        """Send JSON to a path, once, whatever becomes of the connection."""
        return request_of("POST", path, _itself, body=json, query=params, idempotency_key=idempotency_key, headers=headers)

    @Operation
    def patch(
        self,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request[Answer]:
        """Change fields of what is at a path."""
        return request_of("PATCH", path, _itself, body=json, query=params, idempotency_key=idempotency_key, headers=headers)

    @Operation
    def put(
        self,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request[Answer]:
        """Say what is at a path."""
        return request_of("PUT", path, _itself, body=json, query=params, idempotency_key=idempotency_key, headers=headers)

    @Operation
    def delete(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request[Answer]:
        """Delete what is at a path."""
        return request_of("DELETE", path, _itself, query=params, idempotency_key=idempotency_key, headers=headers)


class Client(Calls[SyncSender]):
    """Calls an API that Keyrack guards, and blocks until it answers. Threads may share one.

    `base_url` is the host's address. `api_version` is sent with each call, else what the key is pinned to counts. A call that fails for a
    while is sent again, `max_retries` times at most, and not once `total_timeout` seconds are over; an attempt waits at most `timeout`
    seconds for its connection, and as long for its answer.
    `http_client` brings proxies or certificates of its own, and is closed by whoever made it.
    Raises ValueError for an address, a credential or a bound that cannot be.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str,
        api_version: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 4,
        total_timeout: float = 120.0,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._settings = _settings(api_key, base_url, api_version, Rules(timeout, max_retries, total_timeout))
        super().__init__(SyncSender(self._settings, http_client))

    def __repr__(self) -> str:
        return f"Client(base_url={self._settings.site.origin!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._sender.close()


class AsyncClient(Calls[AsyncSender]):
    """Calls an API that Keyrack guards, and is awaited. Tasks of one event loop may share one. Its parameters are those of `Client`."""

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str,
        api_version: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 4,
        total_timeout: float = 120.0,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._settings = _settings(api_key, base_url, api_version, Rules(timeout, max_retries, total_timeout))
        super().__init__(AsyncSender(self._settings, http_client))

    def __repr__(self) -> str:
        return f"AsyncClient(base_url={self._settings.site.origin!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._sender.close()


def _settings(api_key: str, base_url: str, api_version: str | None, rules: Rules) -> Settings:
    headers = {"accept": "application/json", "user-agent": USER_AGENT}
    if api_version is not None:
        if not visible(api_version):
            raise ValueError("api_version is one of the API's dates: 2026-11-21")
        headers["api-version"] = api_version
    return Settings(Site(base_url), Bearer(api_key), rules, headers)


def _itself(answer: Answer) -> Answer:
    return answer


def _listed(path: str, filters: Mapping[str, Any]) -> Request[Page[dict[str, Any]]]:
    return request_of("GET", path, page_of(lambda one, _: one), query=filters)
