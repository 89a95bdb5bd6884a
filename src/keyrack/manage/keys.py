"""Keys: find, make, edit, rotate and revoke them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint
from keyrack.manage import integrations, plans, revealing
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.integrations import INTEGRATION_ROTATED
from keyrack.manage.key_bounds import checked_ranges, refuse_lock_out, refuse_past
from keyrack.model.events import EventType
from keyrack.model.integrations import Integration
from keyrack.model.keys import OVERLAP_SECONDS_MAX, EndReason, Key
from keyrack.model.limits import Bucket, Limit
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.permissions import Rights
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, RATE_LIMITED, Refused
from keyrack.model.times import iso
from keyrack.store import credential_uses
from keyrack.store import integrations as integration_rows
from keyrack.store import keys as rows
from keyrack.store.ids import new_id

KEY_CREATED = EventType("key.created", description="A key was made.")
KEY_UPDATED = EventType("key.updated", description="A key was renamed, bounded, pinned to a version, disabled or enabled.")
KEY_ROTATED = EventType("key.rotated", description="A key was replaced by its successor.")
KEY_REVOKED = EventType("key.revoked", description="A key was ended for good.")
# Keys are not limited in number, so the rate bounds what one workspace can fill the store with (DESIGN §8).
KEYS_MADE = Limit("keys_made", quota=100, window_seconds=1, burst=2000)


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as one line of the page: with the integration whose rights it proves, also a deleted one, and its last use (ms)."""

    key: Key
    integration: Integration
    last_used_at: int | None = None
    last_used_from: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key and its secret, which leaves here once. The repr hides it."""

    key: Key
    integration: Integration
    secret: Secret


async def get(desk: Desk, actor: Principal, key_id: str) -> Listed:
    """Return a key, ended or not. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("read keys")
    async with desk.store.reading() as c:
        key = await rows.get(c, actor.workspace.id, key_id)
        found = await integration_rows.named(c, actor.workspace.id, [key.integration_id])
    return (await _listed(desk, actor.workspace.id, [key], found))[0]


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    integration_id: str | None = None,
    mode: Mode | None = None,
    ended: bool | None = None,
    search: str | None = None,
    since: int | None = None,
    known_to: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Listed]:
    """Return keys in an order; `ended` chooses those that somebody ended, or the others. Raises Refused 403 without org-level Admin.

    `search` is part of a name, or what a prefix begins with; `since` and `updated_after` are the times (ms) from which on they were made
    and changed; `known_to` is the owner id of who made them (rotating one makes it) or was shown their secret again.
    """
    actor.require_admin("list keys")
    async with desk.store.reading() as c:
        keys = await rows.page(
            c,
            actor.workspace.id,
            now=desk.now(),
            limit=limit,
            after=after,
            integration_id=integration_id,
            mode=mode,
            ended=ended,
            search=search,
            since=since,
            known_to=known_to,
            order=order,
            updated_after=updated_after,
        )
        found = await integration_rows.named(c, actor.workspace.id, {key.integration_id for key in keys})
    return await _listed(desk, actor.workspace.id, keys, found)


async def count_accepted(desk: Desk, actor: Principal, *, known_to: str | None = None) -> int:
    """Return how many keys, of all or of those known to somebody, are accepted now, where the API is on. Raises Refused 403."""
    actor.require_admin("count keys")
    async with desk.store.reading() as c:
        return await rows.count_accepted(c, actor.workspace.id, desk.now(), known_to)


async def create(
    desk: Desk,
    actor: Principal,
    *,
    name: str,
    mode: Mode = Mode.LIVE,
    integration_id: str | None = None,
    rights: Rights | None = None,
    expires_at: int | None = None,
    ip_ranges: Sequence[str] = (),
) -> Issued:
    """Make a key. Without an integration one of the same name is made, with `rights` or the brand's default ones.

    Raises Refused: 403 without org-level Admin, for more rights than the maker has, for a live key made with a test key, or
    `plan_upgrade_required`; 404 for an unknown integration; 409 for rights of an integration that exists, or a second key where the brand
    gives each integration one; 400 for a mode, time or range that cannot be.
    """
    actor.require_admin("create keys")
    refuse_haste(desk, actor)
    _check_mode(desk, actor, mode)
    ranges = checked_ranges(ip_ranges)
    async with change(desk, actor) as c:
        if integration_id is None:
            integration = await integrations.add(desk, c, actor, name, rights if rights is not None else desk.brand.default_rights)
        else:
            integration = await integration_rows.get(c.connection, actor.workspace.id, integration_id)
            if rights is not None:
                raise _rights_of_others(integration)
            await _refuse_second_key(desk, c, integration)
        refuse_past(expires_at, c.now)
        issued = await issue(desk, c, actor, integration, name=name, mode=mode, expires_at=expires_at, ip_ranges=ranges)
    return issued


async def issue(
    desk: Desk,
    c: Change,
    actor: Principal,
    integration: Integration,
    *,
    name: str,
    mode: Mode,
    expires_at: int | None = None,
    ip_ranges: tuple[str, ...] = (),
    api_version: str | None = None,
) -> Issued:
    """Add a key to an integration inside a change under way. It is pinned to this version of the API, or to the newest.

    Raises Refused 403 `plan_upgrade_required`.
    """
    await plans.require_api(desk, c)
    secret = mint(desk.brand.prefix(mode))
    key = Key(
        id=new_id(),
        workspace_id=actor.workspace.id,
        integration_id=integration.id,
        name=name,
        mode=mode,
        prefix=secret.shown_prefix,
        digest=digest(secret.text.encode()),
        created_at=c.now,
        updated_at=c.now,
        made_by=actor.owner_id,
        made_by_name=actor.credential_name,
        expires_at=expires_at,
        ip_ranges=ip_ranges,
        api_version=api_version or desk.versions.newest,
    )
    sealed = await revealing.sealed(desk, c, key.id, secret)
    key = replace(key, revealable=sealed is not None)
    await rows.add(c.connection, key, sealed)
    c.record(KEY_CREATED, key.id, shown(key))
    return Issued(key, integration, secret)


async def revoke(desk: Desk, actor: Principal, key_id: str) -> Key:
    """End a key for good. When this returns, it is refused everywhere; so it is when it had ended before. Raises Refused 403, 404."""
    actor.require_admin("revoke keys")
    async with change(desk, actor) as c:
        key = await rows.get(c.connection, actor.workspace.id, key_id)
        if key.ended(c.now):
            c.found_done()
        else:
            key = await end(c, actor, key, c.now, EndReason.REVOKED)
            c.record(KEY_REVOKED, key.id, shown(key))
    return key


async def rotate(desk: Desk, actor: Principal, key_id: str, overlap_seconds: int = 0) -> Issued:
    """Replace a key by a successor with the same name, mode, bounds and API version. The old one ends now, or when the overlap is over.

    Raises Refused: 403, 404; 409 where the key has ended or expired; 400 for an overlap outside 0 to 604,800 seconds.
    """
    actor.require_admin("rotate keys")
    refuse_haste(desk, actor)
    if not 0 <= overlap_seconds <= OVERLAP_SECONDS_MAX:
        raise INVALID_REQUEST(f"overlap_seconds is 0 to {OVERLAP_SECONDS_MAX} (7 days).", param="overlap_seconds")
    async with change(desk, actor) as c:
        key = await rows.get(c.connection, actor.workspace.id, key_id)
        if key.state(c.now) in ("ended", "expired", "ending"):
            raise CONFLICT(f"This key has {'a successor already' if key.successor_id else key.state(c.now)}: create a new key.")
        _check_mode(desk, actor, key.mode)
        integration = await integration_rows.get(c.connection, actor.workspace.id, key.integration_id)
        issued = await issue(desk, c, actor, integration, mode=key.mode, **_bounds(desk, key), expires_at=key.expires_at)
        ended = await end(c, actor, key, c.now + overlap_seconds * 1000, EndReason.ROTATED, issued.key.id)
        c.record(KEY_ROTATED, key.id, shown(ended))
    return issued


async def rotate_all(desk: Desk, actor: Principal, integration_id: str, mode: Mode = Mode.LIVE) -> Issued:
    """End all keys of an integration in one mode at once, and make one in their place, called and bounded like the newest of them.

    Raises Refused: 403, also for a live key asked with a test key; 404; 400 for a mode that the brand has not.
    """
    actor.require_admin("rotate keys")
    refuse_haste(desk, actor)
    _check_mode(desk, actor, mode)
    async with change(desk, actor) as c:
        integration = await integration_rows.get(c.connection, actor.workspace.id, integration_id)
        issued = await issue(desk, c, actor, integration, mode=mode, **await _bounds_of_newest(desk, c, integration, mode))
        ended = await rows.end_of_integration(
            c.connection,
            actor.workspace.id,
            integration.id,
            at=c.now,
            by=actor.credential_name,
            reason=EndReason.ROTATED,
            mode=mode,
            successor_id=issued.key.id,
        )
        c.touch(integration.id)
        c.record(INTEGRATION_ROTATED, integration.id, {**integrations.shown(integration), "key_id": issued.key.id, "keys_ended": ended})
    return issued


async def edit(desk: Desk, actor: Principal, key_id: str, **fields: Any) -> Key:
    """Change a key's `name`, `expires_at`, `ip_ranges`, `enabled` or `api_version`, and nothing else; what is not named stays.

    Where the key is the only one of its integration, the two are one line to whoever reads the page: then `permissions` may be named too
    and a new name is the integration's as well, if they shared the old one.

    Raises Refused: 403, 404; 409 where the key has ended, or for permissions of an integration with several keys; 400 for a time, range,
    category or version that cannot be.
    """
    actor.require_admin("edit keys")
    async with change(desk, actor) as c:
        key = await rows.get(c.connection, actor.workspace.id, key_id)
        if key.ended(c.now):
            raise CONFLICT("This key has ended; an ended key cannot be changed.")
        await _edit_integration(desk, c, actor, key, fields)
        edited = _edited(desk, key, fields, c.now)
        refuse_lock_out(actor, key, edited.ip_ranges if "ip_ranges" in fields else ())
        if edited == key:
            c.found_done()
        else:
            key = replace(edited, updated_at=c.now)
            await rows.save(c.connection, key)
            c.touch(key.id)
            c.record(KEY_UPDATED, key.id, shown(key))
    return key


def making(workspace_id: str) -> Bucket:
    """Return the bucket that each new key of a workspace is taken from."""
    return Bucket(KEYS_MADE, blake2b(f"{KEYS_MADE.name}\0{workspace_id}".encode(), digest_size=16).digest())


def refuse_haste(desk: Desk, actor: Principal) -> None:
    """Raise Refused 429 where the workspace makes keys and tokens too fast. Asked before the store is."""
    taken = desk.counters.take((making(actor.workspace.id),), 1)
    if not taken.allowed:
        raise RATE_LIMITED(
            f"A workspace makes {KEYS_MADE.quota} keys and tokens a second; another one can be made in {taken.retry_after_seconds} s.",
            headers={"Retry-After": str(taken.retry_after_seconds)},
        )


def shown(key: Key) -> dict[str, Any]:
    """What events tell of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "mode": key.mode.value,
        "integration_id": key.integration_id,
        "expires_at": None if key.expires_at is None else iso(key.expires_at),
        "ends_at": None if key.ends_at is None else iso(key.ends_at),
        "enabled": key.disabled_at is None,
        "successor_id": key.successor_id,
        "api_version": key.api_version,
    }


async def end(c: Change, actor: Principal, key: Key, at: int, reason: EndReason, successor_id: str | None = None) -> Key:
    """End a key at a time (ms) inside a change under way, which also records what happened."""
    ended = replace(key.end(by=actor.credential_name, at=at, reason=reason, successor_id=successor_id), updated_at=c.now)
    await rows.save(c.connection, ended)
    c.touch(key.id)
    return ended


async def _edit_integration(desk: Desk, c: Change, actor: Principal, key: Key, fields: Mapping[str, Any]) -> None:
    """Edit the integration of a key that is its only one, where the page shows the two as one line."""
    integration = await integration_rows.get(c.connection, key.workspace_id, key.integration_id)
    shared = {name: fields[name] for name in ("permissions",) if name in fields}
    if integration.name == key.name and "name" in fields:
        shared["name"] = fields["name"]
    if not shared:
        return
    lasting = await rows.count_of_integration(c.connection, key.workspace_id, key.integration_id, c.now)
    if lasting <= key.lasts(c.now):
        await integrations.apply(desk, c, actor, integration, shared)
    elif "permissions" in shared:
        raise _rights_of_others(integration)


def _rights_of_others(integration: Integration) -> Refused:
    return CONFLICT(
        f"Permissions belong to the integration {integration.name!r}, for all its keys: edit them there.",
        param="permissions",
        extra={"integration_id": integration.id},
    )


def _edited(desk: Desk, key: Key, fields: Mapping[str, Any], now: int) -> Key:
    fields = {name: value for name, value in fields.items() if name != "permissions"}
    if "expires_at" in fields:
        refuse_past(fields["expires_at"], now)
    if "ip_ranges" in fields:
        fields["ip_ranges"] = checked_ranges(fields["ip_ranges"])
    if "api_version" in fields:
        fields["api_version"] = desk.versions.pinnable(fields["api_version"], now)
    enabled = fields.pop("enabled", None)
    if enabled is not None:
        fields["disabled_at"] = None if enabled else (key.disabled_at or now)
    return replace(key, **fields)


def _check_mode(desk: Desk, actor: Principal, mode: Mode) -> None:
    if mode not in desk.brand.modes:
        raise INVALID_REQUEST(f"{desk.brand.name} has no {mode.value} keys.", param="mode")
    if actor.mode is Mode.TEST and mode is Mode.LIVE:
        raise INSUFFICIENT_PERMISSION("A test key makes and rotates only test keys.")


async def _refuse_second_key(desk: Desk, c: Change, integration: Integration) -> None:
    if desk.brand.several_keys:
        return
    if await rows.count_of_integration(c.connection, integration.workspace_id, integration.id, c.now):
        raise CONFLICT(f"The integration {integration.name!r} has a key: rotate that one.", extra={"integration_id": integration.id})


def _bounds(desk: Desk, key: Key) -> dict[str, Any]:
    """The name, address ranges and API version that a successor takes over."""
    return {"name": key.name, "ip_ranges": key.ip_ranges, "api_version": desk.versions.of_pin(key.api_version)}


async def _bounds_of_newest(desk: Desk, c: Change, integration: Integration, mode: Mode) -> dict[str, Any]:
    """What a successor takes over of the newest: replacing a key must not open what it had closed."""
    newest = await rows.page(
        c.connection, integration.workspace_id, now=c.now, limit=1, integration_id=integration.id, mode=mode, ended=False
    )
    if not newest:
        return {"name": integration.name}
    key = newest[0]
    expired = key.expires_at is not None and key.expires_at <= c.now
    return _bounds(desk, key) | {"expires_at": None if expired else key.expires_at}


async def _listed(desk: Desk, workspace_id: str, keys: Sequence[Key], found: Mapping[str, Integration]) -> list[Listed]:
    async with desk.store.reading_traffic() as c:
        uses = await credential_uses.of(c, workspace_id, [key.id for key in keys])
    listed = []
    for key in keys:
        use = uses.get(key.id)
        at, address = (use.used_at, use.ip_address) if use is not None else (None, None)
        served = replace(key, api_version=desk.versions.of_pin(key.api_version))
        listed.append(Listed(served, found[key.integration_id], at, address))
    return listed
