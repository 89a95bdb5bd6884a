"""Events: changes by someone, never lost. Activity feed, audit and webhooks are readers of the same row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyrack.model.principals import Kind, Mode, Principal


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of change, `noun.verb` (`customer.created`). `schema` is the pydantic model or dataclass that its `data` follows."""

    name: str
    schema: type | None = None
    description: str = ""

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
