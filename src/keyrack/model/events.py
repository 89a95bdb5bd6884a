"""Events: changes by someone, never lost. Activity feed, audit and webhooks are readers of the same row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyrack.model.permissions import FULL_WRITE, Category, Level, Masks, OrgAccess, Rights, need
from keyrack.model.principals import Kind, Mode, Principal


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of change, `noun.verb` (`customer.created`). `schema` is the pydantic model or dataclass that its `data` follows.

    `category` is the kind of the host's data that it tells of: who may read that may be told. Where that lies in spaces, `space_id` in the
    event's data says in which. Without a category, only those who manage the workspace are told.
    """

    name: str
    schema: type | None = None
    description: str = ""
    category: str | None = None

    def __post_init__(self) -> None:
        parts = self.name.split(".")
        if len(parts) < 2 or not all(part.replace("_", "").isalnum() for part in parts):
            raise ValueError(f"{self.name!r} is not an event type: write noun.verb, like customer.created")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change, with the name they had at that moment."""

    kind: Kind
    id: str
    name: str
    integration_id: str | None = None
    member_id: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Actor":
        """Return the principal as events remember it."""
        return cls(principal.kind, principal.credential_id, principal.credential_name, principal.integration_id, principal.member_id)


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `position` is its place in the order, given once it is committed; `created_at` is ms since the epoch."""

    id: str
    workspace_id: str
    type: str
    object_type: str
    object_id: str
    actor: Actor
    mode: Mode
    created_at: int
    data: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Readable:
    """The events that somebody may read in the list: those of `types`; those of types `in_spaces` that lie in one of `spaces`; and with
    `others` all whose types speak of no data of the host's, so are neither of `types`, nor `in_spaces`, nor `closed`.
    """

    types: frozenset[str]
    in_spaces: frozenset[str]
    spaces: frozenset[str]
    closed: frozenset[str]
    others: bool

    @property
    def all(self) -> bool:
        """Whether no event is left out."""
        return self.others and not self.closed and not self.in_spaces

    def holds(self, event: Event) -> bool:
        """Whether an event is one of them."""
        if event.type in self.in_spaces:
            return event.data.get("space_id") in self.spaces
        return event.type in self.types or (self.others and event.type not in self.closed)


def readable(kinds: Mapping[str, EventType], categories: Mapping[str, Category], masks: Masks) -> Readable:
    """Return which events somebody with these rights may read in the list: those that they may be told of, by `may_read`.

    Whoever may write in every category reads there what happens to the workspace itself, too.
    """
    types, in_spaces, closed = set(), set(), set()
    for kind in kinds.values():
        category = _category(kind, categories)
        if category is None:
            continue
        if category.in_spaces:
            in_spaces.add(kind.name)
        elif masks.allow(need(f"{category.name}:read", categories)):
            types.add(kind.name)
        else:
            closed.add(kind.name)
    return Readable(frozenset(types), frozenset(in_spaces), frozenset(masks.spaces), frozenset(closed), masks.allow(FULL_WRITE))


def may_read(event: Event, kinds: Mapping[str, EventType], categories: Mapping[str, Category], masks: Masks) -> bool:
    """Whether somebody with these rights may be told of an event: whoever may read what it speaks of, or manages the workspace.

    What lies in spaces is told to those alone who have a role in that space, whatever else they may do (DESIGN §5).
    """
    category = _category(kinds.get(event.type), categories)
    if category is None:
        return masks.allow(need("org_admin", categories))
    if category.in_spaces:
        role = masks.spaces.get(str(event.data.get("space_id")))
        return role is not None and role.level >= Level.READ
    return masks.allow(need(f"{category.name}:read", categories))


def tells(kind: EventType, categories: Mapping[str, Category], rights: Rights) -> bool:
    """Whether somebody with these rights may be told of any events of a type, by the rule of `may_read`."""
    category = _category(kind, categories)
    if category is None:
        return rights.org_access is OrgAccess.ADMIN
    if category.in_spaces:
        return rights.has_all or bool(rights.spaces)
    return rights.level(category) >= Level.READ


def needed_for(kind: EventType, categories: Mapping[str, Category]) -> str:
    """Say what somebody needs to be told of events of a type."""
    category = _category(kind, categories)
    if category is None:
        return "org-level Admin"
    return "a role in a space" if category.in_spaces else f"{category.name}:read"


def _category(kind: EventType | None, categories: Mapping[str, Category]) -> Category | None:
    """The category of which events of a type tell; None: they tell of the workspace itself."""
    return None if kind is None or kind.category is None else categories.get(kind.category)
