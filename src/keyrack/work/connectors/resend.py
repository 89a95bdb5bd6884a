"""Mail through Resend, by its official client. An idempotency key makes a repetition the same mail, for a day."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import requests
import urllib3.connection
from requests.adapters import HTTPAdapter
from resend.exceptions import ResendError, raise_for_code_and_type
from resend.request import Request

from keyrack.model.connector_calls import Answer, Verdict
from keyrack.work.connectors import CALL_SECONDS_MAX, THREADS_MAX, Account, Outgoing, seconds_in
from keyrack.work.connectors.deadlines import Response, within

QUOTA_PAUSE_SECONDS = 3600
_QUOTAS = {
    "daily_quota_exceeded": "The daily quota of your Resend plan is used up.",
    "monthly_quota_exceeded": "The monthly quota of your Resend plan is used up.",
}
_HEADERS = "_Request__get_headers"

if not hasattr(Request, _HEADERS):
    # The class below would send with whatever key the process has set for itself.
    raise ImportError("this version of resend builds its headers in another way")


class _Call(Request[dict[str, Any]]):
    """A call of Resend's client with an account of its own: the client itself knows one key and one address for the whole process."""

    def __init__(self, account: Account, path: str, params: dict[str, Any], verb: Any, options: dict[str, Any] | None = None) -> None:
        super().__init__(path, params, verb, options)
        self._account = account

    def perform(self) -> dict[str, Any]:
        """Make the call. Raises ResendError."""
        return super().perform() or {}

    def make_request(self, url: str) -> dict[str, Any] | list[Any]:
        """Make the call, where the operator says that Resend is, and not by the HTTP client that the process may have set for itself."""
        url = f"{self._account.urls['resend'].rstrip('/')}{self.path}"
        try:
            with _session() as session:
                answered = session.request(self.verb, url, headers=getattr(self, _HEADERS)(), json=self.params, timeout=CALL_SECONDS_MAX)
        except (requests.RequestException, OSError) as error:
            raise ResendError(code=500, message="", error_type="HttpClientError", suggested_action="") from error
        self._response_headers, self._response_status_code = dict(answered.headers), answered.status_code
        with suppress(ValueError):
            if "application/json" in answered.headers.get("content-type", ""):
                said: dict[str, Any] | list[Any] = answered.json()
                return said
        code = answered.status_code if answered.status_code >= 400 else 500
        return raise_for_code_and_type(code, "application_error", "The answer is not in JSON.", self._response_headers)

    def _Request__get_headers(self) -> dict[str, str]:  # noqa: N802 - the name that the client's own class gives it
        headers: dict[str, str] = getattr(super(), _HEADERS)()
        return {**headers, "Authorization": f"Bearer {self._account.settings['api_key']}"}


class _PlainConnection(urllib3.connection.HTTPConnection):
    response_class = Response


class _SecuredConnection(urllib3.connection.HTTPSConnection):
    response_class = Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecuredPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecuredConnection


_POOLS = {"http": _PlainPool, "https": _SecuredPool}


class _Adapter(HTTPAdapter):
    """Connections whose answers have come by the deadline."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Client:
    """Resend's client, in threads: its asynchronous one loads all certificates for each call, which holds up every other."""

    def __init__(self, call_seconds_max: float = CALL_SECONDS_MAX) -> None:
        self._seconds = call_seconds_max
        self._threads = ThreadPoolExecutor(THREADS_MAX, "keyrack-resend")

    async def send(self, account: Account, outgoing: Outgoing) -> Answer:
        """Send a mail."""
        call = _Call(account, "/emails", dict(outgoing.request), "post", {"idempotency_key": outgoing.key})
        try:
            sent = await self._perform(call)
        except ResendError as error:
            return _judged(error)
        return Answer(Verdict.SENT, 200, None, "Sent.", str(sent.get("id")))

    async def check(self, account: Account) -> Answer:
        """Ask Resend for the domains, and whether that of the sender is verified."""
        try:
            listed = await self._perform(_Call(account, "/domains", {}, "get"))
        except ResendError as error:
            if error.error_type == "restricted_api_key":
                return Answer(
                    Verdict.SENT,
                    200,
                    None,
                    "Resend knows the key. It may only send, so whether the domain is verified shows with the first mail.",
                )
            return _judged(error)
        domain = account.settings["from"].rpartition("@")[2].rstrip("> ").lower()
        states = {str(one.get("name", "")).lower(): str(one.get("status", "")) for one in listed.get("data") or []}
        if states.get(domain) == "verified":
            return Answer(Verdict.SENT, 200, None, f"Resend knows the key, and has verified {domain}.")
        return Answer(
            Verdict.REFUSED,
            200,
            "domain_not_verified",
            f"Resend knows the key, but has not verified {domain}: no mail goes out from there.",
        )

    async def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _perform(self, call: _Call) -> dict[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, within, self._seconds, call.perform)


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in _POOLS:
        session.mount(f"{scheme}://", _Adapter())
    return session


def _judged(error: ResendError) -> Answer:
    """Return what Resend's no means."""
    status, code = _number(error.code), error.error_type
    headers: Mapping[str, str] = error.headers
    if code == "HttpClientError":
        return Answer(Verdict.AGAIN, None, "unreachable", "Resend could not be reached.")
    if status == 429:
        pause = max(seconds_in(headers), QUOTA_PAUSE_SECONDS) if code in _QUOTAS else seconds_in(headers)
        return Answer(Verdict.LATER, status, code, _QUOTAS.get(code, "Too many mails at once."), retry_after_seconds=pause)
    if status in (401, 403):
        told = error.message[:300] if code == "validation_error" else "Resend does not take this key: connect it again."
        return Answer(Verdict.RECONNECT, status, code, told)
    if status >= 500 or code == "concurrent_idempotent_requests":
        return Answer(Verdict.AGAIN, status, code, f"Resend is out of order (status {status}).")
    return Answer(Verdict.REFUSED, status, code, f"Resend refused this mail: {error.message[:300]}")


def _number(code: str | int) -> int:
    return int(code) if str(code).isdigit() else 500
