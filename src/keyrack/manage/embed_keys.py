"""Embed keys: make, edit, replace and delete them. They are public, so each is shown to every admin at any time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from keyrack.crypto.digest import digest
from keyrack.crypto.format import mint_public
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.keys import refuse_haste
from keyrack.model.embed_keys import CALLS, CALLS_MAX, ORIGINS_MAX, Embeddable, EmbedKey, EndReason, origin_of
from keyrack.model.events import EventType
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, INVALID_REQUEST, NOT_FOUND
from keyrack.store import credential_uses
from keyrack.store import embed_keys as rows
from keyrack.store.ids import new_id

EMBED_KEY_CREATED = EventType("embed_key.created", description="An embed key was made.")
EMBED_KEY_UPDATED = EventType(
    "embed_key.updated", description="An embed key was renamed, bounded to other pages or calls, or switched off or on."
)
EMBED_KEY_REPLACED = EventType("embed_key.replaced", description="An embed key was ended, and its successor made.")
EMBED_KEY_DELETED = EventType("embed_key.deleted", description="An embed key was ended for good.")


@dataclass(frozen=True, slots=True)
class Listed:
    """An embed key as one line of the page. `about` is what people call its object, None where that is not there any more; `last_used_at`
    (ms) is the last call with the key, or with a visit that it opened.
    """

    key: EmbedKey
    about: str | None
    last_used_at: int | None = None

    @property
    def state(self) -> str:
        """The one word the list shows: active, disabled, orphaned or ended. An orphaned key has lost its object, and reaches nothing."""
        return "orphaned" if self.about is None and not self.key.has_ended else self.key.state


async def get(desk: Desk, actor: Principal, key_id: str) -> EmbedKey:
    """Return an embed key, ended or not. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("see embed keys")
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, key_id)


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, order: Order = NEWEST, **filters: Any
) -> list[EmbedKey]:
    """Return embed keys in an order, by `object_type`, `object_id`, `ended`, `search` and `updated_after` as the store takes them.

    Raises Refused 403 without org-level Admin.
    """
    actor.require_admin("see embed keys")
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, after=after, order=order, **filters)


async def listed(desk: Desk, actor: Principal, found: Sequence[EmbedKey]) -> list[Listed]:
    """Return embed keys of the actor's workspace with what people call their objects at this moment, and their last uses."""
    abouts: dict[tuple[str, str], str | None] = {}
    for key in found:
        kind, of = desk.embeds.get(key.object_type), (key.object_type, key.object_id)
        if of not in abouts:
            abouts[of] = None if kind is None else await kind.find(actor.workspace.id, key.object_id)
    async with desk.store.reading_traffic() as c:
        uses = await credential_uses.of(c, actor.workspace.id, [key.id for key in found])
    return [Listed(key, abouts[key.object_type, key.object_id], uses[key.id].used_at if key.id in uses else None) for key in found]


async def create(
    desk: Desk,
    actor: Principal,
    *,
    name: str,
    object_type: str,
    object_id: str,
    origins: Sequence[str],
    calls_per_minute: int = CALLS,
) -> EmbedKey:
    """Make an embed key for one object of the host's, on pages of these origins.

    Raises Refused: 403 without org-level Admin; 404 for an object that there is not; 400 for a kind that nobody embeds, or an origin that
    is none.
    """
    actor.require_admin("make embed keys")
    refuse_haste(desk, actor)
    chosen = _checked({"origins": origins, "calls_per_minute": calls_per_minute})
    if await embeddable(desk, object_type).find(actor.workspace.id, object_id) is None:
        raise NOT_FOUND(f"There is no such {object_type}.", param="object_id")
    async with change(desk, actor) as c:
        key = _new(desk, c, actor, name=name, object_type=object_type, object_id=object_id, **chosen)
        await rows.add(c.connection, key)
        c.record(EMBED_KEY_CREATED, key.id, shown(key))
    return key


async def edit(desk: Desk, actor: Principal, key_id: str, **fields: Any) -> EmbedKey:
    """Change an embed key's `name`, `origins`, `calls_per_minute` or `enabled`, and nothing else; what is not named stays.

    When this returns, no call is accepted from a page that it took away, nor any while the key is switched off: also of visits that were
    opened before. Raises Refused as `create` does; 409 where the key has ended.
    """
    actor.require_admin("edit embed keys")
    chosen = _checked(fields)
    async with change(desk, actor) as c:
        key = await _lasting(c, actor, key_id)
        enabled = chosen.pop("enabled", key.disabled_at is None)
        edited = replace(key, **chosen, disabled_at=None if enabled else key.disabled_at or c.now)
        if edited == key:
            c.found_done()
            return key
        edited = replace(edited, updated_at=c.now)
        await rows.save(c.connection, edited)
        c.touch(edited.id)
        c.record(EMBED_KEY_UPDATED, edited.id, shown(edited))
    return edited


async def replace_key(desk: Desk, actor: Principal, key_id: str) -> EmbedKey:
    """End an embed key, and return its successor for the same object and pages: when this returns, the old one and its visits are refused.

    Raises Refused 403, 404; 409 where the key has ended.
    """
    actor.require_admin("replace embed keys")
    refuse_haste(desk, actor)
    async with change(desk, actor) as c:
        key = await _lasting(c, actor, key_id)
        same = ("name", "object_type", "object_id", "origins", "calls_per_minute", "disabled_at")
        successor = _new(desk, c, actor, **{name: getattr(key, name) for name in same})
        await rows.add(c.connection, successor)
        ended = key.end(by=actor.credential_name, at=c.now, reason=EndReason.REPLACED, successor_id=successor.id)
        await rows.save(c.connection, ended)
        c.touch(key.id)
        c.record(EMBED_KEY_CREATED, successor.id, shown(successor))
        c.record(EMBED_KEY_REPLACED, key.id, shown(ended))
    return successor


async def delete(desk: Desk, actor: Principal, key_id: str) -> EmbedKey:
    """End an embed key for good: when this returns, it and its visits are refused everywhere; so it is when it had ended before.

    Raises Refused 403, 404.
    """
    actor.require_admin("delete embed keys")
    async with change(desk, actor) as c:
        key = await rows.get(c.connection, actor.workspace.id, key_id)
        if key.has_ended:
            c.found_done()
            return key
        ended = key.end(by=actor.credential_name, at=c.now, reason=EndReason.DELETED)
        await rows.save(c.connection, ended)
        c.touch(key.id)
        c.record(EMBED_KEY_DELETED, key.id, shown(ended))
    return ended


def embeddable(desk: Desk, object_type: str) -> Embeddable:
    """Return what the host says of a kind of object. Raises Refused 400 for one that nobody embeds."""
    found = desk.embeds.get(object_type)
    if found is None:
        known = ", ".join(sorted(desk.embeds)) or "nothing"
        raise INVALID_REQUEST(f"What pages of others embed here: {known}.", param="object_type")
    return found


def shown(key: EmbedKey) -> dict[str, Any]:
    """What events tell of an embed key."""
    same = ("id", "name", "object_type", "object_id", "calls_per_minute", "successor_id")
    return {
        **{name: getattr(key, name) for name in same},
        "key": key.text,
        "origins": list(key.origins),
        "enabled": key.disabled_at is None,
        "end_reason": key.end_reason.value if key.end_reason else None,
    }


async def _lasting(c: Change, actor: Principal, key_id: str) -> EmbedKey:
    key = await rows.get(c.connection, actor.workspace.id, key_id)
    if key.has_ended:
        raise CONFLICT("This embed key has ended; an ended key cannot be changed.")
    return key


def _new(desk: Desk, c: Change, actor: Principal, **fields: Any) -> EmbedKey:
    text = mint_public(desk.brand.embed_prefix)
    made: dict[str, Any] = {"created_at": c.now, "updated_at": c.now, "made_by": actor.owner_id, "made_by_name": actor.credential_name}
    return EmbedKey(id=new_id(), workspace_id=actor.workspace.id, text=text, digest=digest(text.encode()), **made, **fields)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """Return these fields as they are stored. Raises Refused 400."""
    checked = dict(fields)
    if "origins" in fields:
        try:
            origins = tuple(dict.fromkeys(origin_of(text) for text in fields["origins"]))
        except ValueError as error:
            raise INVALID_REQUEST(f"{error}.", param="origins") from None
        if not 1 <= len(origins) <= ORIGINS_MAX:
            raise INVALID_REQUEST(f"An embed key works on pages of 1 to {ORIGINS_MAX} origins.", param="origins")
        checked["origins"] = origins
    if not 1 <= fields.get("calls_per_minute", CALLS) <= CALLS_MAX:
        raise INVALID_REQUEST(f"A visitor may make 1 to {CALLS_MAX} calls in a minute.", param="calls_per_minute")
    return checked
