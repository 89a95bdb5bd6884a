"""Messages into Slack, by its official client: with a bot token, or through an incoming webhook.

Slack knows no idempotency key: a message whose answer was lost is posted again.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from keyrack.model.connector_calls import Answer, Verdict
from keyrack.work.connectors import CALL_SECONDS_MAX, THREADS_MAX, Account, Outgoing, seconds_in
from keyrack.work.connectors.deadlines import HTTPConnection, HTTPSConnection, within

Result = TypeVar("Result")
_CONNECT = "connect it again"
_ADD = "add the app to the channel, or choose another one"
_DEAD = {
    **dict.fromkeys(("invalid_auth", "not_authed", "invalid_token"), f"Slack does not know this token: {_CONNECT}."),
    **dict.fromkeys(("token_revoked", "token_expired"), f"The token has ended: {_CONNECT}."),
    **dict.fromkeys(("account_inactive", "no_team", "team_disabled", "user_not_found"), f"The Slack workspace or app is gone: {_CONNECT}."),
    **dict.fromkeys(("no_service", "no_active_hooks", "no_service_id"), f"The incoming webhook is gone: {_CONNECT}."),
    **dict.fromkeys(
        ("missing_scope", "no_permission", "not_allowed_token_type"), "The app lacks the scope chat:write: add it, and install it again."
    ),
    **dict.fromkeys(("channel_not_found", "not_in_channel"), f"The app cannot see the channel: {_ADD}."),
    **dict.fromkeys(("is_archived", "channel_is_archived"), "The channel is archived: choose another one."),
    **dict.fromkeys(
        ("restricted_action", "action_prohibited", "posting_to_general_channel_denied", "access_denied", "ekm_access_denied"),
        "Your Slack workspace forbids the app to post there: ask its admins, or choose another channel.",
    ),
}
"""What no call gets past until somebody mends the connector."""

_FOR_NOW = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error", "team_added_to_org"}
_TOO_MANY = {"ratelimited", "rate_limited"}
_CODE = re.compile(r"[a-z0-9_]{1,60}")
_NOTHING_SAID = {"no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"}
_INSIDE = "_perform_http_request_internal", "_perform_urllib_http_request_internal"

if not hasattr(WebhookClient, _INSIDE[0]) or not hasattr(WebClient, _INSIDE[1]):
    # The classes below would wait for answers that drip.
    raise ImportError("this version of slack_sdk sends in another way")


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> Any:
        return self.do_open(HTTPConnection, req)


class _Secured(HTTPSHandler):
    def https_open(self, req: Request) -> Any:
        return self.do_open(HTTPSConnection, req)


class _WebClient(WebClient):
    """Slack's client for methods, over connections that end by the deadline."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        status, headers, body = _exchanged(url, req, self.proxy, self.timeout)
        return {"status": status, "headers": headers, "body": body}


class _WebhookClient(WebhookClient):
    """Slack's client for incoming webhooks, over the same connections."""

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        status, headers, body = _exchanged(url, req, self.proxy, self.timeout)
        return WebhookResponse(url=url, status_code=status, body=body, headers=headers)


class Client:
    """Slack's client, in threads: its asynchronous one needs an HTTP library of its own, and waits no better."""

    def __init__(self, call_seconds_max: float = CALL_SECONDS_MAX) -> None:
        self._seconds = call_seconds_max
        self._threads = ThreadPoolExecutor(THREADS_MAX, "keyrack-slack")
        # The library would log incoming webhooks, which are secrets, and quote what was sent.
        self._logger = logging.getLogger("keyrack.slack")
        self._logger.setLevel(logging.CRITICAL + 1)

    async def send(self, account: Account, outgoing: Outgoing) -> Answer:
        """Post a message."""
        if hook := account.settings.get("webhook_url"):
            return await self._in_thread(lambda: self._through_webhook(hook, outgoing.request))
        return await self._in_thread(lambda: self._with_token(account, outgoing.request))

    async def check(self, account: Account) -> Answer:
        """Ask Slack whose token it is; an incoming webhook is asked to post nothing, which a dead one refuses for another reason."""
        if hook := account.settings.get("webhook_url"):
            answer = await self._in_thread(lambda: self._through_webhook(hook, {"text": ""}))
            alive = answer.verdict is Verdict.SENT or answer.code in _NOTHING_SAID
            return Answer(Verdict.SENT, answer.status, None, "Slack knows the incoming webhook.") if alive else answer
        return await self._in_thread(lambda: self._identity(account))

    async def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, within, self._seconds, work)

    def _with_token(self, account: Account, message: Mapping[str, Any]) -> Answer:
        try:
            posted = self._client(account).chat_postMessage(**message)
        except SlackApiError as error:
            return _refused(error)
        return Answer(Verdict.SENT, posted.status_code, None, "Posted.", str(posted.get("ts")))

    def _identity(self, account: Account) -> Answer:
        try:
            known = self._client(account).auth_test()
        except SlackApiError as error:
            return _refused(error)
        who = f"Slack knows the token as {known.get('user')} in {known.get('team')}."
        told = f"{who} Whether it may post into the channel shows with the first message."
        return Answer(Verdict.SENT, known.status_code, None, told)

    def _through_webhook(self, url: str, message: Mapping[str, Any]) -> Answer:
        client = _WebhookClient(url, logger=self._logger, retry_handlers=[])
        answer = client.send_dict(dict(message))
        if answer.status_code == 200 and answer.body == "ok":
            return Answer(Verdict.SENT, 200, None, "Posted.")
        return _judged(answer.status_code, answer.body.strip()[:60], answer.headers)

    def _client(self, account: Account) -> WebClient:
        # No retries by itself: after a lost answer it would post twice within one attempt.
        return _WebClient(
            account.settings.get("token"),
            base_url=account.urls["slack"],
            logger=self._logger,
            retry_handlers=[],
        )


def _exchanged(url: str, request: Request, proxy: str | None, timeout: int) -> tuple[int, Any, str]:
    """Return status, headers and body of an answer. Raises HTTPError where it is no success, OSError where none came."""
    if not url.lower().startswith("http"):
        raise ValueError("this is no address that Slack can have")
    proxies = [ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
    with build_opener(_Plain, _Secured, *proxies).open(request, timeout=timeout) as answered:
        return answered.status, answered.headers, answered.read().decode(answered.headers.get_content_charset() or "utf-8")


def _refused(error: SlackApiError) -> Answer:
    answer = error.response
    return _judged(answer.status_code, str(answer.get("error", "")), answer.headers)


def _judged(status: int, code: str, headers: Mapping[str, Any]) -> Answer:
    """Return what Slack's no means. A code stands in the body, also under status 200."""
    if status == 429 or code in _TOO_MANY:
        return Answer(Verdict.LATER, status, "ratelimited", "Too many messages at once.", retry_after_seconds=seconds_in(headers))
    if code in _DEAD:
        return Answer(Verdict.RECONNECT, status, code, _DEAD[code])
    if status >= 500 or code in _FOR_NOW:
        return Answer(Verdict.AGAIN, status, code if code in _FOR_NOW else None, f"Slack is out of order (status {status}).")
    if status in (401, 403, 404, 410):
        return Answer(Verdict.RECONNECT, status, code, f"Slack takes nothing from here any more (status {status}): {_CONNECT}.")
    if not _CODE.fullmatch(code):
        # A page of a proxy on the way, or of a Slack that is being mended: nobody has looked at the message.
        return Answer(Verdict.AGAIN, status, None, f"Slack gave an answer that says nothing (status {status}).")
    return Answer(Verdict.REFUSED, status, code, f"Slack refused this message: {code.replace('_', ' ')}.")
