"""The desk: what every function in this layer needs to do its work."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from keyrack.crypto.passwords import Passwords
from keyrack.crypto.seal import Sealer
from keyrack.crypto.sign import Signer
from keyrack.manage.client_documents import ClientDocuments
from keyrack.manage.github_keys import GithubKeys
from keyrack.model.addresses import Network
from keyrack.model.brands import Brand
from keyrack.model.connectors import Vendor
from keyrack.model.embed_keys import Embeddable
from keyrack.model.events import EventType
from keyrack.model.limits import Bucket, Budget, Taken
from keyrack.model.measures import Tally
from keyrack.model.meters import Meter
from keyrack.model.permissions import Category
from keyrack.model.plans import Plan
from keyrack.model.versions import Versions
from keyrack.store.database import Store


class Settling(Protocol):
    """What says when nobody can believe the old state any more (CONSISTENCY §1, §3, §4)."""

    async def settle(self, revision: int) -> None:
        """Return when nobody can believe what held before this revision."""

    async def begin_again(self) -> object:
        """Return when the server that answers has proved that no other has replaced it. Raises Refused where it cannot."""


class Counting(Protocol):
    """Counts exactly, over every process that shares the counters."""

    def take(self, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket, or from none."""


class Budgets(Protocol):
    """What is left of the limits of workspaces, wherever it is counted: on this machine, or on several."""

    async def take(self, workspace_id: str, buckets: tuple[Bucket, ...], cost: int) -> Taken:
        """Take `cost` from every bucket of a workspace, or from none."""

    async def look(self, workspace_id: str, buckets: tuple[Bucket, ...]) -> tuple[Budget, ...]:
        """Return what is left of each bucket of a workspace."""


Trace = Callable[[str], AbstractContextManager[dict[str, Any]]]
"""Follows a piece of work by its name; what is put into the dict is told of it."""


def untraced(_name: str) -> AbstractContextManager[dict[str, Any]]:
    """Follow nothing."""
    return nullcontext({})


@dataclass(frozen=True)
class OpenId:
    """The OpenID provider through which people sign in, and this host as its client. The repr hides the secret."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str


@dataclass(frozen=True)
class Outside:
    """What the operator set about the world outside: where this host is, whether it sends mail, which origins may frame the console, who
    else proves people, which `networks` that are not public may be called, and where the vendors are that workspaces connect.
    """

    base_url: str | None = None
    sends_mail: bool = False
    portal_origins: tuple[str, ...] = ()
    openid: OpenId | None = None
    networks: tuple[Network, ...] = ()
    vendor_urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Desk:
    """The parts that changes and queries are made with.

    `now` gives ms since the epoch; `cursors` signs the places in lists; `counters` bound how fast a workspace makes keys and how often
    somebody tries to sign in; `budgets` are those of workspaces' plans and of the host's `meters`; `event_types` are the host's own and
    ours; `sealers` seal secrets that may be revealed (`key`), what endpoints sign with (`endpoint`) and mail that waits (`mail`).
    `tally` counts how long changes wait; `trace` follows them, where the operator wants that. `versions` are those of the host's
    API, to which keys are pinned. `vendors` are those that workspaces can connect accounts of.
    `github_keys` prove what GitHub says of leaked keys. `embeds` are the kinds of the host's objects that pages of others embed.
    `client_documents` are those by which apps are known that nobody registered.
    """

    store: Store
    feed: Settling
    brand: Brand
    categories: Mapping[str, Category]
    plans: Mapping[str, Plan]
    cursors: Signer
    counters: Counting
    budgets: Budgets
    now: Callable[[], int]
    meters: Mapping[str, Meter] = field(default_factory=dict)
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    sealers: Mapping[str, Sealer] = field(default_factory=dict)
    passwords: Passwords = field(default_factory=Passwords)
    outside: Outside = field(default_factory=Outside)
    tally: Tally = field(default_factory=Tally)
    trace: Trace = untraced
    versions: Versions = field(default_factory=Versions)
    vendors: Mapping[str, Vendor] = field(default_factory=dict)
    github_keys: GithubKeys = field(default_factory=GithubKeys)
    client_documents: ClientDocuments = field(default_factory=ClientDocuments)
    embeds: Mapping[str, Embeddable] = field(default_factory=dict)
