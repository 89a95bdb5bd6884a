"""Client ID Metadata Documents as they were last fetched: what apps say of themselves at the https address that is their client id.

They are fetched through the guarded client, and believed for a while. Nothing that failed is remembered.
"""

import re
from collections import OrderedDict
from collections.abc import Collection
from typing import Any, Protocol

import msgspec

from keyrack.model.client_metadata import Described, MetadataRefused, host_of, of_document
from keyrack.model.outgoing_calls import Answered, NotSent, Outgoing

FETCH_SECONDS_MAX = 5.0
BYTES_MAX = 10 * 1024
KEPT_MAX = 500
KEPT_SECONDS, KEPT_SECONDS_MIN, KEPT_SECONDS_MAX = 600, 60, 3600
"""How long a document is believed that does not say it, and within which bounds it may."""
_AGE = re.compile(r"(?:^|[,\s])max-age=\"?([0-9]{1,9})")
_JSON = re.compile(r"application/(?:[a-z0-9!#$&^_.-]+\+)?json")


class Send(Protocol):
    """Sends a call to an address that somebody else gave, guarded. Raises NotSent."""

    async def __call__(self, outgoing: Outgoing, *, timeout_seconds: float, answer_bytes_max: int) -> Answered:
        """Send it, and read at most so many bytes of its answer."""


class ClientDocuments:
    """The documents by their addresses. `send` fetches them; without it there are none."""

    def __init__(self, send: Send | None = None) -> None:
        self._send = send
        self._kept: OrderedDict[str, tuple[int, Described]] = OrderedDict()

    @property
    def are_read(self) -> bool:
        """Whether apps may be known by documents here."""
        return self._send is not None

    def find(self, url: str, now: int) -> Described | None:
        """Return what a document said when it was last fetched, where it is still believed (`now` is ms since the epoch)."""
        until, described = self._kept.get(url, (0, None))
        return described if now < until else None

    async def fetch(self, url: str, now: int, known: Collection[str]) -> Described:
        """Fetch a document and return what it says; `known` are all scopes.

        Raises MetadataRefused where it does not come, or describes no app. Why an address is not reached is not told: it may be ours.
        """
        if self._send is None:
            raise MetadataRefused("Apps are registered by an admin here: a client id is no address.")
        call = Outgoing("GET", url, (("Accept", "application/json"), ("User-Agent", "Keyrack")))
        try:
            answer = await self._send(call, timeout_seconds=FETCH_SECONDS_MAX, answer_bytes_max=BYTES_MAX)
        except NotSent:
            raise MetadataRefused(f"The app's document at {host_of(url)} cannot be fetched.") from None
        described = of_document(url, _members(answer), known)
        self._kept[url] = (now + _kept_seconds(answer) * 1000, described)
        self._kept.move_to_end(url)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return described


def _members(answer: Answered) -> dict[str, Any]:
    headers = dict(answer.headers)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or not _JSON.fullmatch(kind) or headers.get("content-encoding", "identity").lower() != "identity":
        # Redirects are not followed: who may lead on from there is nobody who is known.
        raise MetadataRefused("The app's document is not answered with 200 and as application/json.")
    if answer.truncated:
        raise MetadataRefused(f"The app's document has more than {BYTES_MAX} bytes.")
    try:
        members: dict[str, Any] = msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise MetadataRefused("The app's document is no JSON object.") from None
    return members


def _kept_seconds(answer: Answered) -> int:
    control = ",".join(value.lower() for name, value in answer.headers if name == "cache-control")
    if "no-store" in control or "no-cache" in control:
        return KEPT_SECONDS_MIN
    age = _AGE.search(control)
    return min(max(int(age[1]), KEPT_SECONDS_MIN), KEPT_SECONDS_MAX) if age else KEPT_SECONDS
