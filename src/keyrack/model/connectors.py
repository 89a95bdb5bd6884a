"""Connectors: accounts at vendors (Slack, Resend, Stripe) that a workspace has connected, to which some of its events go as calls."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from keyrack.model.events import Event, EventType
from keyrack.model.permissions import Category

CONNECTORS_MAX = 20
"""How many a workspace has at most: each event is looked at once for each of them."""

TAIL_LENGTH = 4
TAIL_OF_LENGTH_MIN = 16
"""Of a secret that is shorter, no letter is shown."""

Content = TypeVar("Content")
Compose = Callable[[Event], Content | Awaitable[Content | None] | None]
"""Says what an event becomes, or None where it becomes nothing. An async function may ask the host's own database."""


class DisableReason(StrEnum):
    """Why a connector is disabled: somebody chose to, or the vendor takes its credentials no more, so somebody must connect it again."""

    CHOSEN = "chosen"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector. Times are milliseconds since the epoch.

    `settings` are what may be shown of how it is set; its secrets are in `sealed`, which opens for this connector alone, and `tails` are
    their last letters. `events` are the types that become calls. `problem` says in words what the vendor has against it.
    """

    id: str
    workspace_id: str
    vendor: str
    name: str
    events: tuple[str, ...]
    settings: Mapping[str, str]
    tails: Mapping[str, str]
    created_at: int
    updated_at: int
    made_by: str
    made_by_name: str
    sealed: bytes | None = field(default=None, repr=False)
    disabled_at: int | None = None
    disable_reason: DisableReason | None = None
    problem: str | None = None
    deleted_at: int | None = None
    deleted_by: str | None = None

    @property
    def state(self) -> str:
        """The one word the list shows: active, disabled, reconnect (somebody must connect it again) or deleted."""
        if self.deleted_at is not None:
            return "deleted"
        if self.disable_reason is DisableReason.RECONNECT:
            return "reconnect"
        return "active" if self.disabled_at is None else "disabled"

    def wants(self, event_type: str) -> bool:
        """Whether events of a type become calls."""
        return event_type in self.events


@dataclass(frozen=True, slots=True)
class VendorField:
    """Something that an admin fills in to connect an account. One that is `secret` is sealed, and never shown again."""

    name: str
    label: str
    help: str
    example: str = ""
    secret: bool = False
    required: bool = True


class SettingsProblem(ValueError):
    """What is wrong with how a connector is set: `param` is the field, the text is for the person who filled it in."""

    def __init__(self, param: str, told: str) -> None:
        super().__init__(told)
        self.param = param


@dataclass(frozen=True)
class Vendor(ABC):
    """A vendor, and what a host's events become there. Each vendor is a class of its own in `vendors.py`.

    `name` is its name in the API and that of its module in `keyrack.work.connectors`, `title` what people call it, `summary` what it does
    in a line. `fields` are asked of who connects an account; those in `address` go along with each call. With `keeps_links` the vendor
    holds a copy of the object that an event tells of, under an id of its own.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    fields: ClassVar[Sequence[VendorField]]
    address: ClassVar[Sequence[str]] = ()
    keeps_links: ClassVar[bool] = False

    @abstractmethod
    def composers(self) -> Mapping[EventType, Compose[Any]]:
        """What each event becomes."""

    @abstractmethod
    def check(self, settings: Mapping[str, str], urls: Mapping[str, str]) -> None:
        """Check how a connector is set, before anybody asks the vendor. `urls` are where vendors are. Raises SettingsProblem."""

    @abstractmethod
    def request(self, content: Any) -> dict[str, Any]:
        """Return what is sent, as JSON, from what the host has made of an event. No secret is in it: it is kept, and shown."""

    def addressed(self, request: Mapping[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
        """Return what is sent with the address that the connector has now: somebody may have mended it since the last attempt."""
        own = {name: settings[name] for name in self.address if settings.get(name)}
        return {**own, **{name: value for name, value in request.items() if name not in self.address}}

    def merged(self, settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
        """Return how a connector is set after a change of some settings; an empty text takes one away."""
        return {name: value for name, value in {**settings, **given}.items() if value}

    @property
    def events(self) -> tuple[str, ...]:
        """The types of events that become something here."""
        return tuple(kind.name for kind in self.composers())

    def compose(self, event: Event) -> Any:
        """Return what an event becomes, or what is to be awaited for it; None for nothing."""
        return next((compose(event) for kind, compose in self.composers().items() if kind.name == event.type), None)


def tail(secret: str) -> str:
    """Return what is shown of a secret: its last letters, so that people can tell two of them apart."""
    return f"…{secret[-TAIL_LENGTH:]}" if len(secret) >= TAIL_OF_LENGTH_MIN else "…"


def check_vendors(vendors: Sequence[Vendor], kinds: Mapping[str, EventType], categories: Mapping[str, Category]) -> None:
    """Raise ValueError for a vendor that stands twice, or an event that was not declared or tells of what lies in spaces.

    What lies in spaces is told to those alone who have a role there, and a connector has none (DESIGN §5).
    """
    names = [vendor.name for vendor in vendors]
    for vendor in vendors:
        if names.count(vendor.name) > 1:
            raise ValueError(f"{vendor.title} stands twice in connectors: declare it once, with all its events")
        for kind in vendor.composers():
            if kinds.get(kind.name) is not kind:
                raise ValueError(f"{kind.name!r} was not declared: add it to Keyrack(events=[…])")
            category = categories.get(kind.category or "")
            if category is not None and category.in_spaces:
                raise ValueError(f"{kind.name!r} tells of what lies in spaces, and nobody is told of that who has no role there")
