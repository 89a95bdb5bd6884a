"""Embed keys over HTTP. They are public: each answer shows the key itself."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, Field, StrictBool, StrictInt, StringConstraints

from keyrack.api.dependencies import ADMIN, PLAIN, Actor, Desk
from keyrack.api.examples import EMBED_KEY, NEW_EMBED_KEY
from keyrack.api.fields import WHOLE, Body, Id, Name, ObjectView, PathId, Search, Time
from keyrack.api.lists import NamedQuery, Page, TheLists
from keyrack.manage import embed_keys
from keyrack.manage.embed_keys import Listed
from keyrack.model.embed_keys import CALLS, CALLS_MAX, ORIGIN_LENGTH_MAX, ORIGINS_MAX, EmbedKey, EndReason

router = APIRouter(prefix="/embed-keys")

ObjectType = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Origins = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=ORIGIN_LENGTH_MAX)]], Field(min_length=1, max_length=ORIGINS_MAX)
]
OF_TYPE = "The kind of the object that the page embeds."
OF_OBJECT = "The object that the page embeds, and the only one that the key reaches."
CallsPerMinute = Annotated[StrictInt, Field(ge=1, le=CALLS_MAX), WHOLE]


class NewEmbedKey(Body):
    """An embed key to make, for one object."""

    EXAMPLE: ClassVar = NEW_EMBED_KEY

    name: Name
    object_type: Annotated[ObjectType, Field(description=OF_TYPE)]
    object_id: Annotated[Id, Field(description=OF_OBJECT)]
    origins: Origins
    calls_per_minute: CallsPerMinute = CALLS


class EmbedKeyChanges(Body):
    """The fields of an embed key that change."""

    EXAMPLE: ClassVar = {"origins": ["https://www.example.com", "https://shop.example.com"]}

    name: Name | MISSING = MISSING
    origins: Origins | MISSING = MISSING
    calls_per_minute: CallsPerMinute | MISSING = MISSING
    enabled: StrictBool | MISSING = MISSING


class EmbedKeyQuery(NamedQuery):
    """The filters of the list of embed keys: those that go on, unless `ended` asks for the others.

    `search` is part of a name, or what a key begins with.
    """

    object_type: ObjectType | None = None
    object_id: Id | None = None
    ended: bool = False
    search: Search | None = None


class EmbedKeyView(ObjectView):
    """An embed key. `key` is what stands in the page: it is no secret. An `orphaned` one has lost its object, and reaches nothing."""

    EXAMPLE: ClassVar = EMBED_KEY

    object: Literal["embed_key"] = "embed_key"
    name: str
    key: str
    object_type: Annotated[str, Field(description=OF_TYPE)]
    object_id: Annotated[str, Field(description=OF_OBJECT)]
    origins: tuple[str, ...]
    calls_per_minute: int
    state: Literal["active", "disabled", "orphaned", "ended"]
    enabled: bool
    last_used_at: Time | None
    ended_at: Time | None
    ended_by: str | None
    end_reason: EndReason | None
    successor_id: str | None
    made_by: str
    made_by_name: str
    created_at: Time
    updated_at: Time


@router.get("", dependencies=[ADMIN])
async def list_embed_keys(query: Annotated[EmbedKeyQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[EmbedKeyView]:
    """List embed keys, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(embed_keys.get, desk, actor))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    found = await embed_keys.page(desk, actor, limit=query.limit + 1, after=after, **asked)
    return lists.page(query, await embed_keys.listed(desk, actor, found), view, lambda one: query.order.place(one.key))


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN])
async def create_embed_key(body: NewEmbedKey, actor: Actor, desk: Desk) -> EmbedKeyView:
    """Make an embed key. It works on pages of the origins that are named here, and on no other."""
    fields = {name: getattr(body, name) for name in ("name", "object_type", "object_id", "origins", "calls_per_minute")}
    return await _shown(desk, actor, await embed_keys.create(desk, actor, **fields))


@router.get("/{embed_key_id}", dependencies=[ADMIN, PLAIN])
async def get_embed_key(embed_key_id: PathId, actor: Actor, desk: Desk) -> EmbedKeyView:
    """Get an embed key, also an ended one."""
    return await _shown(desk, actor, await embed_keys.get(desk, actor, embed_key_id))


@router.patch("/{embed_key_id}", dependencies=[ADMIN, PLAIN])
async def update_embed_key(embed_key_id: PathId, body: EmbedKeyChanges, actor: Actor, desk: Desk) -> EmbedKeyView:
    """Change an embed key's name, origins or calls, or switch it off or on. Visits that it opened follow at once."""
    return await _shown(desk, actor, await embed_keys.edit(desk, actor, embed_key_id, **body.values()))


@router.post("/{embed_key_id}/replace", status_code=201, dependencies=[ADMIN, PLAIN])
async def replace_embed_key(embed_key_id: PathId, actor: Actor, desk: Desk) -> EmbedKeyView:
    """End an embed key with the visits that it opened, and answer its successor."""
    return await _shown(desk, actor, await embed_keys.replace_key(desk, actor, embed_key_id))


@router.delete("/{embed_key_id}", status_code=204, dependencies=[ADMIN, PLAIN])
async def delete_embed_key(embed_key_id: PathId, actor: Actor, desk: Desk) -> None:
    """End an embed key for good, with the visits that it opened."""
    await embed_keys.delete(desk, actor, embed_key_id)


def view(one: Listed) -> EmbedKeyView:
    """Return an embed key as it is on the wire."""
    key = one.key
    same = ("id", "name", "object_type", "object_id", "origins", "calls_per_minute", "ended_at", "ended_by", "end_reason")
    more = ("successor_id", "made_by", "made_by_name", "created_at", "updated_at")
    now = {"key": key.text, "state": one.state, "enabled": key.disabled_at is None, "last_used_at": one.last_used_at}
    return EmbedKeyView(**{name: getattr(key, name) for name in (*same, *more)}, **now)


async def _shown(desk: Desk, actor: Actor, key: EmbedKey) -> EmbedKeyView:
    return view((await embed_keys.listed(desk, actor, [key]))[0])
