"""Keys as rows. Those of ended keys stay: calls with them are logged under their name."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, insert, not_, or_, select, update

from keyrack.model.keys import EndReason, Key
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Mode
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.paging import keyset
from keyrack.store.tables import events, keys

_REVEALED = "key.revealed"


async def get(c: Connection, workspace_id: str, key_id: str) -> Key:
    """Return a key, ended or not. Raises Refused `not_found`."""
    row = await c.first(select(keys).where(keys.c.workspace_id == workspace_id, keys.c.id == key_id))
    if row is None:
        raise NOT_FOUND("There is no such key.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    now: int,
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
) -> list[Key]:
    """Return keys in an order; `ended` chooses those that somebody ended by `now`, or the others.

    `search` is part of a name, or what a prefix begins with; `since` is the time from which on they were made, `known_to` who made them
    or was shown their secret again: the owner id of whoever may have a copy.
    """
    found = select(keys).where(keys.c.workspace_id == workspace_id)
    if integration_id is not None:
        found = found.where(keys.c.integration_id == integration_id)
    if mode is not None:
        found = found.where(keys.c.mode == mode.value)
    if ended is not None:
        found = found.where(_ended(now) if ended else not_(_ended(now)))
    if search:
        found = found.where(or_(keys.c.name.icontains(search, autoescape=True), keys.c.prefix.startswith(search, autoescape=True)))
    if since is not None:
        found = found.where(keys.c.created_at >= since)
    if known_to is not None:
        found = found.where(_known_to(workspace_id, [known_to]))
    paged = keyset(found, keys.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def expiring(c: Connection, workspace_id: str, now: int, *, until: int, limit: int) -> list[Key]:
    """Return keys that go on until they expire, by a time to come: soonest first."""
    found = select(keys).where(
        keys.c.workspace_id == workspace_id, keys.c.expires_at > now, keys.c.expires_at <= until, keys.c.ends_at.is_(None)
    )
    return [read(row) for row in await c.all(found.order_by(keys.c.expires_at, keys.c.id).limit(limit))]


async def of_integrations(
    c: Connection, workspace_id: str, integration_ids: Collection[str], *, now: int, each: int
) -> dict[str, tuple[list[Key], int]]:
    """Return keys of these integrations (a page of them), at most so many of each, and how many of each have not ended by `now`.

    Those that have not ended come first, the newest before the others.
    """
    ended = case((_ended(now), 1), else_=0)
    own = keys.c.integration_id
    place = func.row_number().over(partition_by=own, order_by=(ended, keys.c.created_at.desc(), keys.c.id.desc())).label("place")
    present = func.sum(1 - ended).over(partition_by=own).label("present")
    placed = select(keys, place, present).where(keys.c.workspace_id == workspace_id, own.in_(integration_ids)).subquery()
    chosen = select(placed.c.id, placed.c.place, placed.c.present).where(placed.c.place <= each).subquery()
    joined = select(keys, chosen.c.present).join(chosen, chosen.c.id == keys.c.id).where(keys.c.workspace_id == workspace_id)
    found: dict[str, tuple[list[Key], int]] = {}
    for row in await c.all(joined.order_by(own, chosen.c.place)):
        key = read(row)
        found.setdefault(key.integration_id, ([], int(row.present)))[0].append(key)
    return found


async def count_of_integration(c: Connection, workspace_id: str, integration_id: str, now: int) -> int:
    """Return how many keys of an integration will go on working: neither ended, nor ending, nor expired."""
    lasting = and_(keys.c.ends_at.is_(None), or_(keys.c.expires_at.is_(None), keys.c.expires_at > now))
    own = and_(keys.c.workspace_id == workspace_id, keys.c.integration_id == integration_id)
    row = await c.first(select(func.count().label("keys")).select_from(keys).where(own, lasting))
    return int(row.keys) if row else 0


async def count_accepted(c: Connection, workspace_id: str, now: int, known_to: str | None = None) -> int:
    """Return how many keys, of all or of those known to somebody, prove a caller now: neither ended, nor expired, nor disabled."""
    live = _accepted(now) if known_to is None else and_(_accepted(now), _known_to(workspace_id, [known_to]))
    row = await c.first(select(func.count().label("keys")).select_from(keys).where(keys.c.workspace_id == workspace_id, live))
    return int(row.keys) if row else 0


async def accepted_of(
    c: Connection, workspace_id: str, now: int, *, known_to: Collection[str], beside: Collection[str], limit: int
) -> tuple[list[Key], int]:
    """Return keys that prove a caller now and are known to any of these, the newest first, and how many there are in all.

    `known_to` are owner ids, as in `page`; keys of the integrations `beside` are left out.
    """
    known = and_(_known_to(workspace_id, known_to), keys.c.integration_id.not_in(beside))
    theirs = and_(keys.c.workspace_id == workspace_id, _accepted(now), known)
    row = await c.first(select(func.count().label("keys")).select_from(keys).where(theirs))
    found = await c.all(select(keys).where(theirs).order_by(keys.c.created_at.desc(), keys.c.id.desc()).limit(limit))
    return [read(one) for one in found], int(row.keys) if row else 0


async def end_of_integration(
    c: Connection,
    workspace_id: str,
    integration_id: str,
    *,
    at: int,
    by: str,
    reason: EndReason,
    mode: Mode | None = None,
    successor_id: str | None = None,
) -> int:
    """End every key of an integration that has not ended by `at` (those of one mode, or all), and return how many.

    However many they are, a cache forgets them by the integration's id.
    """
    own = and_(keys.c.workspace_id == workspace_id, keys.c.integration_id == integration_id, not_(_ended(at)))
    if mode is not None:
        own = and_(own, keys.c.mode == mode.value)
    if successor_id is not None:
        own = and_(own, keys.c.id != successor_id)
    ended = {"ends_at": at, "ended_by": by, "end_reason": reason.value, "successor_id": successor_id, "updated_at": at, "sealed": None}
    return await c.execute(update(keys).where(own).values(**ended))


async def rename(c: Connection, workspace_id: str, integration_id: str, old_name: str, name: str, at: int) -> int:
    """Rename the keys of an integration that have the old name and have not ended by `at`, and return how many. Touch the integration."""
    own = and_(keys.c.workspace_id == workspace_id, keys.c.integration_id == integration_id, not_(_ended(at)), keys.c.name == old_name)
    return await c.execute(update(keys).where(own).values(name=name, updated_at=at))


async def sealed(c: Connection, workspace_id: str, key_id: str) -> bytes | None:
    """Return the sealed copy of a key's secret, or None where there is none. Raises Refused `not_found`."""
    row = await c.first(select(keys.c.sealed).where(keys.c.workspace_id == workspace_id, keys.c.id == key_id))
    if row is None:
        raise NOT_FOUND("There is no such key.")
    return bytes(row.sealed) if row.sealed is not None else None


async def delete_sealed(c: Connection, workspace_id: str) -> int:
    """Destroy every sealed copy of a workspace's keys, and return how many there were."""
    theirs = and_(keys.c.workspace_id == workspace_id, keys.c.sealed.is_not(None))
    return await c.execute(update(keys).where(theirs).values(sealed=None))


async def add(c: Connection, key: Key, sealed: bytes | None = None) -> None:
    """Add a key, with the sealed copy of its secret where its workspace reveals secrets."""
    await c.execute(insert(keys).values(id=key.id, workspace_id=key.workspace_id, sealed=sealed, **_columns(key)))


async def save(c: Connection, key: Key) -> None:
    """Write a key's new state; one that ends, now or later, loses its sealed copy. Raises Refused `not_found`."""
    own = (keys.c.workspace_id == key.workspace_id) & (keys.c.id == key.id)
    destroyed = {} if key.ends_at is None else {"sealed": None}
    if not await c.execute(update(keys).where(own).values(**_columns(key), **destroyed)):
        raise NOT_FOUND("There is no such key.")


def read(row: Row[Any]) -> Key:
    """Return the key in a row that holds all columns of its table."""
    of = row._mapping
    reason = of[keys.c.end_reason]
    return Key(
        id=of[keys.c.id],
        workspace_id=of[keys.c.workspace_id],
        integration_id=of[keys.c.integration_id],
        name=of[keys.c.name],
        mode=Mode(of[keys.c.mode]),
        prefix=of[keys.c.prefix],
        digest=of[keys.c.digest],
        created_at=of[keys.c.created_at],
        updated_at=of[keys.c.updated_at],
        made_by=of[keys.c.made_by],
        made_by_name=of[keys.c.made_by_name],
        expires_at=of[keys.c.expires_at],
        ip_ranges=tuple(of[keys.c.ip_ranges]),
        disabled_at=of[keys.c.disabled_at],
        ends_at=of[keys.c.ends_at],
        ended_by=of[keys.c.ended_by],
        end_reason=EndReason(reason) if reason else None,
        successor_id=of[keys.c.successor_id],
        revealable=of[keys.c.sealed] is not None,
        api_version=of[keys.c.api_version],
    )


def _ended(now: int) -> ColumnElement[bool]:
    return and_(keys.c.ends_at.is_not(None), keys.c.ends_at <= now)


def _accepted(now: int) -> ColumnElement[bool]:
    return and_(not_(_ended(now)), or_(keys.c.expires_at.is_(None), keys.c.expires_at > now), keys.c.disabled_at.is_(None))


def _known_to(workspace_id: str, owner_ids: Collection[str]) -> ColumnElement[bool]:
    shown = select(events.c.object_id).where(
        events.c.workspace_id == workspace_id,
        events.c.object_type == "key",
        events.c.type == _REVEALED,
        events.c.actor_member_id.in_(owner_ids),
    )
    return or_(keys.c.made_by.in_(owner_ids), keys.c.id.in_(shown))


def _columns(key: Key) -> dict[str, Any]:
    return {
        "integration_id": key.integration_id,
        "name": key.name,
        "mode": key.mode.value,
        "prefix": key.prefix,
        "digest": key.digest,
        "created_at": key.created_at,
        "updated_at": key.updated_at,
        "made_by": key.made_by,
        "made_by_name": key.made_by_name,
        "expires_at": key.expires_at,
        "ip_ranges": list(key.ip_ranges),
        "disabled_at": key.disabled_at,
        "ends_at": key.ends_at,
        "ended_by": key.ended_by,
        "end_reason": key.end_reason.value if key.end_reason else None,
        "successor_id": key.successor_id,
        "api_version": key.api_version,
    }
