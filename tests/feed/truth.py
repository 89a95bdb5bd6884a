"""What holds, read plainly: a second, slow opinion on what each key may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from keyrack.model.keys import Key
from keyrack.model.permissions import Level

ADDRESS = "192.0.2.7"
ELSEWHERE = "198.51.100.0/24"


@dataclass(frozen=True)
class Verdict:
    """What a call was let do with customers, and the ids of the spaces it was let into. Nothing at all where it was refused."""

    level: Level = Level.NONE
    spaces: frozenset[str] = frozenset()
    accepted: bool = False


REFUSED = Verdict()


@dataclass(frozen=True)
class KeyTruth:
    """A key, as those know it who changed it."""

    id: str
    secret: str = field(repr=False)
    integration: str
    enabled: bool = True
    ended: bool = False
    elsewhere: bool = False
    expires_at: int | None = None
    ends_at: int | None = None

    @classmethod
    def of(cls, key: Key, secret: str, integration: str) -> "KeyTruth":
        """A key as it was made."""
        return cls(key.id, secret, integration, elsewhere=bool(key.ip_ranges), expires_at=key.expires_at)

    def works(self, now: int) -> bool:
        """Whether the key proves its integration at this time."""
        over = [at for at in (self.expires_at, self.ends_at) if at is not None and at <= now]
        return self.enabled and not self.ended and not self.elsewhere and not over


@dataclass(frozen=True)
class IntegrationTruth:
    """An integration. `all` is the wildcard, which reaches every space."""

    id: str
    level: Level = Level.NONE
    all: bool = False
    spaces: frozenset[str] = frozenset()
    deleted: bool = False


@dataclass(frozen=True)
class Truth:
    """All that holds at one moment. Names of keys, integrations and spaces are the story's own; spaces map to their ids."""

    keys: Mapping[str, KeyTruth] = field(default_factory=dict)
    integrations: Mapping[str, IntegrationTruth] = field(default_factory=dict)
    spaces: Mapping[str, str] = field(default_factory=dict)
    api_enabled: bool = True
    plan_has_api: bool = True

    def verdict(self, name: str, now: int) -> Verdict:
        """What a call with a key may do."""
        key = self.keys[name]
        integration = self.integrations[key.integration]
        if not (self.api_enabled and self.plan_has_api and key.works(now)) or integration.deleted:
            return REFUSED
        reached = {space_id for space, space_id in self.spaces.items() if integration.all or space in integration.spaces}
        return Verdict(Level.WRITE if integration.all else integration.level, frozenset(reached), accepted=True)

    def with_key(self, name: str, **fields: Any) -> "Truth":
        """The same, but for a key."""
        return replace(self, keys={**self.keys, name: replace(self.keys[name], **fields)})

    def with_integration(self, name: str, **fields: Any) -> "Truth":
        """The same, but for an integration."""
        return replace(self, integrations={**self.integrations, name: replace(self.integrations[name], **fields)})

    def keys_of(self, integration: str) -> list[str]:
        """The names of an integration's keys."""
        return [name for name, key in self.keys.items() if key.integration == integration]
