"""Recipients: endpoints with all that decides whether they get anything at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from keyrack.model.deliveries import State, Why
from keyrack.model.endpoints import Endpoint
from keyrack.model.events import Event, EventType, may_read
from keyrack.model.permissions import Category, Masks
from keyrack.model.principals import Mode
from keyrack.model.workspaces import Workspace


class Verdict(NamedTuple):
    """What becomes of a delivery at this moment: it is sent (`PENDING`), held, or skipped for a reason."""

    state: State
    why: Why | None = None


GO = Verdict(State.PENDING)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An endpoint as it stands. `masks` are the rights by which it is told: its integration's, or an org-level Admin's.

    `derived_from` are all ids whose change ends this value's truth (CONSISTENCY §2). `has_api` says that the plan gives API access.
    """

    endpoint: Endpoint
    workspace: Workspace
    masks: Masks
    has_api: bool
    is_gone: bool
    derived_from: frozenset[str]

    @property
    def standing(self) -> Verdict:
        """What becomes of anything that is on its way to it."""
        if self.is_gone:
            return Verdict(State.SKIPPED, Why.ENDPOINT_DELETED)
        if self.endpoint.disabled_at is not None:
            return Verdict(State.SKIPPED, Why.ENDPOINT_DISABLED)
        return GO if self.api_is_on else Verdict(State.HELD)

    @property
    def api_is_on(self) -> bool:
        """Whether anything of its workspace goes out at all."""
        return self.has_api and self.workspace.api_enabled

    def verdict(self, event: Event, kinds: Mapping[str, EventType], categories: Mapping[str, Category]) -> Verdict:
        """What becomes of one event on its way to it."""
        if event.mode is not self.endpoint.mode:
            return Verdict(State.SKIPPED, Why.TEST_MODE)
        if not may_read(event, kinds, categories, self.masks):
            return Verdict(State.SKIPPED, Why.NOT_PERMITTED)
        return self.standing

    def hears_of(self, event: Event) -> bool:
        """Whether its filter lets an event pass; a test endpoint hears of nothing live, a live one of what a test would have sent it.

        Of itself it hears nothing: of its making it would before its receiver can have the secret. One of an app hears of no other thing.
        """
        if event.object_id == self.endpoint.id:
            return False
        if self.endpoint.app_id not in (None, event.object_id):
            return False
        return self.endpoint.wants(event.type) and (event.mode is Mode.TEST or self.endpoint.mode is Mode.LIVE)
