"""Embed keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, changed, deleted, got, listed, made
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request


class EmbedKey(Object, frozen=True, kw_only=True):
    """An embed key. `key` is what stands in the page: it is no secret. An orphaned one has lost its object, and reaches nothing."""

    id: str
    name: str
    key: str
    object_type: str
    object_id: str
    origins: list[str]
    calls_per_minute: int
    state: str
    enabled: bool
    last_used_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    successor_id: str | None
    made_by: str
    made_by_name: str
    created_at: datetime
    updated_at: datetime


class EmbedKeys(Part[S]):
    """Embed keys: public keys for pages of others, each bound to one object and to origins."""

    def list(self, **filters: Any) -> Listing[S, EmbedKey]:
        """List embed keys: `object_type`, `object_id`, `ended`, `search`, `sort`, `updated_after`, and those of each list."""
        return Listing(self._sender, listed(EmbedKey, "embed-keys", **filters))

    @Operation
    def get(self, embed_key_id: str) -> Request[EmbedKey]:
        """Get an embed key, also an ended one."""
        return got(EmbedKey, "embed-keys", embed_key_id)

    @Operation
    def create(
        self,
        *,
        name: str,
        object_type: str,
        object_id: str,
        origins: Sequence[str],
        calls_per_minute: Perhaps[int] = UNSET,
        idempotency_key: str | None = None,
    ) -> Request[EmbedKey]:
        """Make an embed key for one object, on pages of these origins."""
        fields = {
            "name": name,
            "object_type": object_type,
            "object_id": object_id,
            "origins": origins,
            "calls_per_minute": calls_per_minute,
        }
        return made(EmbedKey, "embed-keys", idempotency_key=idempotency_key, **fields)

    @Operation
    def update(
        self,
        embed_key_id: str,
        *,
        name: Perhaps[str] = UNSET,
        origins: Perhaps[Sequence[str]] = UNSET,
        calls_per_minute: Perhaps[int] = UNSET,
        enabled: Perhaps[bool] = UNSET,
    ) -> Request[EmbedKey]:
        """Change what is given, and nothing else. With `enabled=False` it is refused everywhere when this returns."""
        fields = {"name": name, "origins": origins, "calls_per_minute": calls_per_minute, "enabled": enabled}
        return changed(EmbedKey, "embed-keys", embed_key_id, **fields)

    @Operation
    def replace(self, embed_key_id: str, *, idempotency_key: str | None = None) -> Request[EmbedKey]:
        """End an embed key, and get its successor."""
        return made(EmbedKey, "embed-keys", embed_key_id, "replace", idempotency_key=idempotency_key)

    @Operation
    def delete(self, embed_key_id: str) -> Request[None]:
        """End an embed key for good. When this returns, no call with it is accepted any more."""
        return deleted("embed-keys", embed_key_id)
