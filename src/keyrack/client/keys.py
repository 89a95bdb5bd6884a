"""Keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET

from keyrack.client.objects import Object, Perhaps, Permissions, Time, changed, got, listed, made, reader
from keyrack.client.operations import Listing, Operation, Part, S
from keyrack.client.requests import Request, path_of, request_of


class Key(Object, frozen=True, kw_only=True):
    """A key. Its rights are its integration's."""

    id: str
    name: str
    prefix: str
    mode: str
    state: str
    enabled: bool
    integration_id: str
    integration_name: str
    org_access: str
    permissions: dict[str, str]
    ip_ranges: list[str]
    api_version: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None
    ends_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    successor_id: str | None
    made_by: str
    made_by_name: str
    created_at: datetime
    updated_at: datetime


class IssuedKey(Key, frozen=True, kw_only=True):
    """A new key, with its secret: shown this once, and left out of the repr."""

    secret: str


class Keys(Part[S]):
    """Keys. Their secret is in what `create` and `rotate` return, and nowhere else; of a retry that comes after, AlreadyDoneError tells."""

    def list(self, **filters: Any) -> Listing[S, Key]:
        """List keys: `integration_id`, `mode`, `ended`, `search`, `sort`, `updated_after`, `limit`, `cursor`, `starting_after`."""
        return Listing(self._sender, listed(Key, "keys", **filters))

    @Operation
    def get(self, key_id: str) -> Request[Key]:
        """Get a key, also an ended one."""
        return got(Key, "keys", key_id)

    @Operation
    def create(
        self,
        *,
        name: str,
        mode: str = "live",
        integration_id: str | None = None,
        permissions: Perhaps[Permissions] = UNSET,
        expires_at: Time | None = None,
        ip_ranges: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> Request[IssuedKey]:
        """Create a key, and with it an integration unless one is named."""
        return made(
            IssuedKey,
            "keys",
            name=name,
            mode=mode,
            integration_id=integration_id,
            permissions=permissions,
            expires_at=expires_at,
            ip_ranges=ip_ranges,
            idempotency_key=idempotency_key,
        )

    @Operation
    def update(
        self,
        key_id: str,
        *,
        name: Perhaps[str] = UNSET,
        permissions: Perhaps[Permissions] = UNSET,
        expires_at: Perhaps[Time | None] = UNSET,
        ip_ranges: Perhaps[Sequence[str]] = UNSET,
        enabled: Perhaps[bool] = UNSET,
        api_version: Perhaps[str] = UNSET,
    ) -> Request[Key]:
        """Change fields of a key; what is not named stays as it is."""
        return changed(
            Key,
            "keys",
            key_id,
            name=name,
            permissions=permissions,
            expires_at=expires_at,
            ip_ranges=ip_ranges,
            enabled=enabled,
            api_version=api_version,
        )

    @Operation
    def revoke(self, key_id: str) -> Request[Key]:
        """End a key for good. When this returns, no call with it is accepted any more."""
        return request_of("DELETE", path_of("keys", key_id), reader(Key))

    @Operation
    def rotate(self, key_id: str, *, overlap_seconds: int = 0, idempotency_key: str | None = None) -> Request[IssuedKey]:
        """Replace a key: it goes on working beside its successor, which is returned, for the overlap."""
        return made(IssuedKey, "keys", key_id, "rotate", overlap_seconds=overlap_seconds, idempotency_key=idempotency_key)
