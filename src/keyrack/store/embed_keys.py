"""Embed keys as rows. Those that ended stay."""

from typing import Any

from sqlalchemy import Row, insert, or_, select, update

from keyrack.model.embed_keys import EmbedKey, EndReason
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.embed_key_tables import embed_keys
from keyrack.store.paging import keyset

_SAME = ("name", "object_type", "object_id", "text", "digest", "calls_per_minute", "created_at", "updated_at", "made_by", "made_by_name")
_COLUMNS = (*_SAME, "disabled_at", "ended_at", "ended_by", "successor_id")


async def get(c: Connection, workspace_id: str, key_id: str) -> EmbedKey:
    """Return an embed key, ended or not. Raises Refused `not_found`."""
    row = await c.first(select(embed_keys).where(embed_keys.c.workspace_id == workspace_id, embed_keys.c.id == key_id))
    if row is None:
        raise NOT_FOUND("There is no such embed key.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    ended: bool | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[EmbedKey]:
    """Return embed keys in an order; `ended` chooses those that ended, or the others; `search` is part of a name, or a key's beginning."""
    found = select(embed_keys).where(embed_keys.c.workspace_id == workspace_id)
    if object_type is not None:
        found = found.where(embed_keys.c.object_type == object_type)
    if object_id is not None:
        found = found.where(embed_keys.c.object_id == object_id)
    if ended is not None:
        found = found.where(embed_keys.c.ended_at.is_not(None) if ended else embed_keys.c.ended_at.is_(None))
    if search:
        found = found.where(
            or_(embed_keys.c.name.icontains(search, autoescape=True), embed_keys.c.text.startswith(search, autoescape=True))
        )
    paged = keyset(found, embed_keys.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def add(c: Connection, key: EmbedKey) -> None:
    """Add an embed key."""
    await c.execute(insert(embed_keys).values(id=key.id, workspace_id=key.workspace_id, **_values(key)))


async def save(c: Connection, key: EmbedKey) -> None:
    """Save what changed of an embed key. Touch it."""
    own = (embed_keys.c.workspace_id == key.workspace_id, embed_keys.c.id == key.id)
    await c.execute(update(embed_keys).where(*own).values(**_values(key)))


def read(row: Row[Any]) -> EmbedKey:
    """Return the embed key in a row that holds all columns of its table."""
    of = row._mapping
    reason = of[embed_keys.c.end_reason]
    return EmbedKey(
        id=of[embed_keys.c.id],
        workspace_id=of[embed_keys.c.workspace_id],
        origins=tuple(of[embed_keys.c.origins]),
        end_reason=EndReason(reason) if reason else None,
        **{name: of[embed_keys.c[name]] for name in _COLUMNS},
    )


def _values(key: EmbedKey) -> dict[str, Any]:
    special = {"origins": list(key.origins), "end_reason": key.end_reason.value if key.end_reason else None}
    return {**special, **{name: getattr(key, name) for name in _COLUMNS}}
