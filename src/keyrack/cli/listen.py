"""`keyrack listen`: a workspace's events on a developer's machine, each sent to a local address as a webhook would be."""

import getpass
import json
import os
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from secrets import token_bytes
from typing import Annotated, Any, NamedTuple

import httpx
import typer

from keyrack import client
from keyrack.cli.failures import Failed
from keyrack.cli.options import Json
from keyrack.cli.printing import print_json, print_lines
from keyrack.client import AuthenticationError, Client, KeyrackError, NoAnswerError, NotFoundError, PermissionDeniedError, StatusError
from keyrack.client.events import Following
from keyrack.manage.event_types import own
from keyrack.model import webhooks
from keyrack.model.endpoints import EVERYTHING, passes
from keyrack.model.events import Actor, Event
from keyrack.model.principals import Kind, Mode
from keyrack.model.versions import Versions

SECRET_BYTES = 32
ANSWER_SECONDS_MAX = 30.0
PAUSES_SECONDS = (0.0, 0.5, 1.0, 2.0)
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 0.5, 30.0
REFUSED_FOR_GOOD = frozenset({400, 401, 403, 404, 410})
KEY_VARIABLE, SECRET_VARIABLE = "KEYRACK_KEY", "KEYRACK_WEBHOOK_SECRET"


def listen(
    forward_to: Annotated[
        str | None, typer.Option("--forward-to", metavar="URL", help="Where each event is sent, like http://localhost:3000/hooks.")
    ] = None,
    url: Annotated[
        str, typer.Option("--url", envvar="KEYRACK_URL", help="The address of the product whose events these are.")
    ] = "http://127.0.0.1:8000",
    wanted: Annotated[
        list[str] | None, typer.Option("--events", help="Only this type, or customer.* for all of a kind; may be given several times.")
    ] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="ID", help="Go on behind the event with this id.  [default: now]")] = None,
    shows: Annotated[bool, typer.Option("--print", help="Print what each event says.")] = False,
    as_json: Json = False,
) -> None:
    """Send a workspace's events to an address on this machine, as its webhooks would be.

    The key is read from KEYRACK_KEY, or asked for: a live one hears of live calls, a test key of test calls, as far as it may read them.
    Each event goes out once, signed like a delivery, with the secret in KEYRACK_WEBHOOK_SECRET or one made for this run. Ctrl-C ends it.
    """
    if forward_to is None and not shows:
        raise Failed("Say where events go, like --forward-to http://localhost:3000/hooks, or see them with --print.")
    show = _Show(as_json, shows)
    with _client(url) as calls, httpx.Client(timeout=ANSWER_SECONDS_MAX, trust_env=False, follow_redirects=False) as http:
        identity = _explained(calls.me, url)
        if wanted:
            _check(wanted, _explained(lambda: {one.name for one in calls.event_types.list()}, url))
        forward = None if forward_to is None else _Forward(http, forward_to, show)
        show.begin(identity, url, forward)
        try:
            for event in _events(calls.events.follow(after=after), url, show):
                if event.mode == identity.mode and any(passes(one, event.type) for one in wanted or [EVERYTHING]):
                    sent = _as_sent(event, identity.org_id)
                    show.event(event, sent, forward.send(event.id, sent) if forward is not None else None)
                after = event.id
        except KeyboardInterrupt:
            show.end(after)


class _Forward:
    """Sends events to one address, signed."""

    def __init__(self, http: httpx.Client, url: str, show: "_Show") -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise Failed(f"{url!r} is no address to send to: write one like http://localhost:3000/hooks.")
        self.url = url
        self.made = SECRET_VARIABLE not in os.environ
        self.secret = (
            f"{client.webhooks.PREFIX}{b64encode(token_bytes(SECRET_BYTES)).decode()}" if self.made else os.environ[SECRET_VARIABLE]
        )
        try:
            client.webhooks.sign(b"", "", 0, self.secret)
        except ValueError as error:
            raise Failed(f"{SECRET_VARIABLE}: {error}.") from None
        self._http = http
        self._show = show

    def send(self, event_id: str, body: bytes) -> "_Sent":
        """Send one event. Where nobody listens, it is tried again for a moment: programs under development are restarted."""
        for pause in PAUSES_SECONDS:
            time.sleep(pause)
            try:
                return self._attempt(event_id, body)
            except httpx.ConnectError:
                continue
            except httpx.HTTPError as error:
                return _Sent(error=f"{type(error).__name__}: {error}")
        return _Sent(error=f"nobody listens at {self.url}")

    def _attempt(self, event_id: str, body: bytes) -> "_Sent":
        now = int(time.time())
        signature = client.webhooks.sign(body, event_id, now, self.secret)
        headers = {
            "content-type": "application/json",
            "user-agent": webhooks.user_agent("Keyrack-Listen"),
            webhooks.ID: event_id,
            webhooks.TIMESTAMP: str(now),
            webhooks.SIGNATURE: signature,
        }
        began = time.monotonic()
        answer = self._http.post(self.url, content=body, headers=headers)
        return _Sent(answer.status_code, round((time.monotonic() - began) * 1000))


class _Sent(NamedTuple):
    """What came of sending an event: a status and how long it took, or why there is none."""

    status: int | None = None
    duration_ms: int | None = None
    error: str | None = None

    def __str__(self) -> str:
        return f"{self.status}  {self.duration_ms} ms" if self.error is None else f"not sent: {self.error}"


class _Show:
    """Says what happens: lines for people, or one object for each event."""

    def __init__(self, as_json: bool, shows: bool) -> None:
        self._as_json = as_json
        self._shows = shows

    def begin(self, identity: client.Identity, url: str, forward: _Forward | None) -> None:
        """Say whose events these are, where they go, and by which secret the receiver knows them."""
        if self._as_json:
            said: dict[str, Any] = {"workspace": identity.org_slug, "mode": identity.mode}
            print_json(said if forward is None else {**said, "forward_to": forward.url, "secret": forward.secret if forward.made else None})
            return
        lines = [f"Listening to what {identity.mode} calls do in {identity.org_slug} at {url}, with the key {identity.key_name}."]
        if forward is not None:
            lines.append(f"Each event goes to {forward.url}, signed with the secret in {SECRET_VARIABLE}.")
            if forward.made:
                # On a line of its own, as people copy it.
                lines[-1] = f"Each event goes to {forward.url}, signed with a secret made for this run:"
                lines.append(forward.secret)
        if identity.org_access == "none" and not identity.permissions and not identity.spaces:
            lines.append("This key may read nothing, so nothing will come: give its integration permissions.")
        print_lines(*lines, "Ctrl-C ends this.", "")

    def event(self, event: client.Event, body: bytes, sent: _Sent | None) -> None:
        """Say what became of an event."""
        if self._as_json:
            said = {"type": event.type, "id": event.id, **(sent or _Sent())._asdict()}
            print_json({**said, "event": json.loads(body)} if self._shows else said)
            return
        print_lines(f"{event.type:<24}  {event.id}" + (f"  {sent}" if sent is not None else ""))
        if self._shows:
            print_lines(*json.dumps(json.loads(body), indent=2, ensure_ascii=False).splitlines(), "")

    def wait(self, why: KeyrackError, seconds: float) -> None:
        """Say that the connection is lost. Standard error: it is no event."""
        typer.echo(f"keyrack: {why} Going on in {seconds:g} s.", err=True)

    def end(self, after: str | None) -> None:
        """Say how to go on."""
        if not self._as_json:
            print_lines("", "Stopped." if after is None else f"Stopped. To miss nothing the next time: --after {after}")


def _client(url: str) -> Client:
    key = os.environ.get(KEY_VARIABLE)
    if key is None:
        if not sys.stdin.isatty():
            raise Failed(f"Put a key into the variable {KEY_VARIABLE}. It does not belong on the command line, which others can read.")
        key = getpass.getpass("Key: ")
    try:
        return Client(key.strip(), base_url=url, max_retries=0)
    except ValueError as error:
        raise Failed(f"{error}.") from None


def _check(wanted: list[str], told: set[str]) -> None:
    """Raise Failed for types that no event has: they would be waited for in vain. `told` are those that endpoints of this key hear of."""
    unknown = [one for one in wanted if not any(passes(one, kind) for kind in told | own().keys())]
    if unknown:
        raise Failed(f"--events {unknown[0]}: nothing is called so. Choose from {', '.join(sorted(told))}; or all of a kind, like key.*.")


def _explained(call: Any, url: str) -> Any:
    try:
        return call()
    except KeyrackError as error:
        raise Failed(_why(error, url)) from None


def _events(following: Following[Any], url: str, show: _Show) -> Iterator[client.Event]:
    """Yield events without an end; where the connection is lost, go on behind the last one as soon as there is one again."""
    failures = 0
    while True:
        try:
            for event in following:
                failures = 0
                yield event
        except KeyrackError as error:
            if isinstance(error, StatusError) and error.status in REFUSED_FOR_GOOD and not error.retryable:
                raise Failed(_why(error, url)) from None
            asked = error.retry_after_seconds if isinstance(error, StatusError) else None
            seconds = asked or min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS * 2**failures)
            failures += 1
            show.wait(error, seconds)
            time.sleep(seconds)


def _why(error: KeyrackError, url: str) -> str:
    """Return what an answer means for whoever started this."""
    told = error.detail if isinstance(error, StatusError) and error.detail else str(error)
    if isinstance(error, AuthenticationError):
        return f"The key is not accepted: {told} Put another one into {KEY_VARIABLE}."
    if isinstance(error, PermissionDeniedError):
        return f"The key is good, and lacks a right: {told}"
    if isinstance(error, NotFoundError):
        return f"{url} has no such API: name the product's own address with --url, without a path. ({told})"
    if isinstance(error, NoAnswerError):
        return f"Nobody answers at {url}: is the product running there? ({told.removeprefix('No answer: ')})"
    if isinstance(error, StatusError) and error.param == "starting_after":
        return "--after names no event of this workspace: leave it out to begin with what comes next."
    return f"{url} does not answer as it should: {told}"


def _as_sent(event: client.Event, workspace_id: str) -> bytes:
    """Return the bytes that an endpoint at the newest version would be sent. Raises Failed for an event of a newer product."""
    who = event.actor
    try:
        told = Event(
            id=event.id,
            workspace_id=workspace_id,
            type=event.type,
            object_type=event.object_type,
            object_id=event.object_id,
            actor=Actor(Kind(who.kind), who.id, who.name, who.integration_id, who.member_id),
            mode=Mode(event.mode),
            created_at=round(event.created_at.timestamp() * 1000),
            data=event.data,
            request_id=event.request_id,
        )
    except ValueError as error:
        raise Failed(f"This version of Keyrack is too old for the events there: {error}.") from None
    return webhooks.body(told, Versions(), None)
