"""Keys over HTTP. Their secret is in the answers that create and rotate them, and nowhere else."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, Field, StrictBool, StrictInt, StringConstraints

from keyrack.api.dependencies import ADMIN, NEVER_STORED, PLAIN, Actor, Desk
from keyrack.api.examples import ISSUED_KEY, KEY, NEW_KEY
from keyrack.api.fields import WHOLE, Body, Id, Name, ObjectView, PathId, Permissions, Search, Time, TimeGiven, rights_of
from keyrack.api.lists import NamedQuery, Page, TheLists
from keyrack.manage import keys, rights
from keyrack.manage.key_bounds import IP_RANGES_MAX
from keyrack.manage.keys import Issued, Listed
from keyrack.model.keys import OVERLAP_SECONDS_MAX, EndReason
from keyrack.model.permissions import OrgAccess
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, NOT_FOUND, OUTCOME_UNKNOWN, SHOWN_ONCE, STORE_UNAVAILABLE, Refused, saying

router = APIRouter(prefix="/keys")

IpRanges = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=64)]], Field(max_length=IP_RANGES_MAX)]

ApiVersion = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class NewKey(Body):
    """A key to create. Without an integration it gets one of the same name, with `permissions`, or else the brand's default ones."""

    EXAMPLE: ClassVar = NEW_KEY

    name: Name
    mode: Mode = Mode.LIVE
    integration_id: Id | None = None
    permissions: Permissions | MISSING = MISSING
    expires_at: TimeGiven | None = None
    ip_ranges: IpRanges = Field(default_factory=list)


class KeyChanges(Body):
    """The fields of a key that change. `permissions` are its integration's: they can be named where it has this key alone."""

    EXAMPLE: ClassVar = {"name": "prod-server", "ip_ranges": ["203.0.113.0/24"]}

    name: Name | MISSING = MISSING
    permissions: Permissions | MISSING = MISSING
    expires_at: TimeGiven | MISSING | None = MISSING
    ip_ranges: IpRanges | MISSING = MISSING
    enabled: StrictBool | MISSING = MISSING
    api_version: ApiVersion | MISSING = MISSING


class Rotation(Body):
    """How a key is rotated: it goes on working beside its successor for the overlap, in seconds; 0 ends it at once."""

    EXAMPLE: ClassVar = {"overlap_seconds": 3600}

    overlap_seconds: Annotated[StrictInt, Field(ge=0, le=OVERLAP_SECONDS_MAX), WHOLE] = 0


class KeyQuery(NamedQuery):
    """The filters of the list of keys: those that go on, unless `ended` asks for the others.

    `search` is part of a name, or what a prefix begins with; `known_to` finds what a member who left may have a copy of.
    """

    known_to: Id | None = None
    integration_id: Id | None = None
    mode: Mode | None = None
    ended: bool = False
    search: Search | None = None


class KeyView(ObjectView):
    """A key. `permissions` and `org_access` are its integration's."""

    EXAMPLE: ClassVar = KEY

    object: Literal["key"] = "key"
    name: str
    prefix: str
    mode: Mode
    state: Literal["active", "disabled", "ending", "expired", "ended"]
    enabled: bool
    integration_id: str
    integration_name: str
    org_access: OrgAccess
    permissions: dict[str, Literal["read", "write"]]
    ip_ranges: tuple[str, ...]
    api_version: str
    expires_at: Time | None
    last_used_at: Time | None
    last_used_from: str | None
    ends_at: Time | None
    ended_by: str | None
    end_reason: EndReason | None
    successor_id: str | None
    made_by: str
    made_by_name: str
    created_at: Time
    updated_at: Time


class IssuedKeyView(KeyView):
    """A new key, with its secret: shown here, this once."""

    EXAMPLE: ClassVar = ISSUED_KEY

    secret: str


@router.get("", dependencies=[ADMIN])
async def list_keys(query: Annotated[KeyQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[KeyView]:
    """List keys, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(keys.get, desk, actor), lambda one: query.order.place(one.key))
    asked = query.filters() | {"order": query.order, "updated_after": query.updated_after}
    found = await keys.page(desk, actor, limit=query.limit + 1, after=after, **asked)
    now = desk.now()
    return lists.page(query, found, lambda one: view(one, now), lambda one: query.order.place(one.key))


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(NOT_FOUND, CONFLICT, SHOWN_ONCE))
async def create_key(body: NewKey, actor: Actor, desk: Desk) -> IssuedKeyView:
    """Create a key."""
    given = body.values()
    chosen = rights_of(given) if "permissions" in given else None
    issued = await keys.create(
        desk,
        actor,
        name=body.name,
        mode=body.mode,
        integration_id=body.integration_id,
        rights=chosen,
        expires_at=body.expires_at,
        ip_ranges=body.ip_ranges,
    )
    return view_issued(issued, desk.now())


@router.get("/{key_id}", dependencies=[ADMIN, PLAIN])
async def get_key(key_id: PathId, actor: Actor, desk: Desk) -> KeyView:
    """Get a key, also an ended one."""
    return view(await keys.get(desk, actor, key_id), desk.now())


@router.patch("/{key_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying(CONFLICT))
async def update_key(key_id: PathId, body: KeyChanges, actor: Actor, desk: Desk) -> KeyView:
    """Change fields of a key, and of its integration where the two are one."""
    await keys.edit(desk, actor, key_id, **body.values())
    return await _changed(desk, actor, key_id)


@router.delete("/{key_id}", dependencies=[ADMIN, PLAIN], openapi_extra=saying())
async def revoke_key(key_id: PathId, actor: Actor, desk: Desk) -> KeyView:
    """End a key for good."""
    await keys.revoke(desk, actor, key_id)
    return await _changed(desk, actor, key_id)


@router.post("/{key_id}/rotate", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(CONFLICT, SHOWN_ONCE))
async def rotate_key(key_id: PathId, actor: Actor, desk: Desk, body: Rotation | None = None) -> IssuedKeyView:
    """Replace a key by its successor, which is answered."""
    issued = await keys.rotate(desk, actor, key_id, (body or Rotation()).overlap_seconds)
    return view_issued(issued, desk.now())


async def _changed(desk: Desk, actor: Actor, key_id: str) -> KeyView:
    try:
        return view(await keys.get(desk, actor, key_id), desk.now())
    except Refused as refused:
        if refused.refusal is STORE_UNAVAILABLE:
            # That would say that nothing has changed.
            raise OUTCOME_UNKNOWN("The key was changed, but the store went away before the answer was read.") from refused
        raise


def view(listed: Listed, now: int) -> KeyView:
    """Return a key as it is on the wire."""
    return KeyView(**_shown(listed, now))


def view_issued(issued: Issued, now: int) -> IssuedKeyView:
    """Return a new key as it is on the wire, with its secret."""
    return IssuedKeyView(**_shown(Listed(issued.key, issued.integration), now), secret=issued.secret.text)


def _shown(listed: Listed, now: int) -> dict[str, object]:
    key, integration = listed.key, listed.integration
    held = rights.shown(integration.rights)
    same = (
        "id",
        "name",
        "prefix",
        "mode",
        "integration_id",
        "ip_ranges",
        "api_version",
        "expires_at",
        "ends_at",
        "ended_by",
        "end_reason",
        "successor_id",
    )
    return {
        **{name: getattr(key, name) for name in (*same, "made_by", "made_by_name", "created_at", "updated_at")},
        "state": key.state(now),
        "enabled": key.disabled_at is None,
        "integration_name": integration.name,
        "org_access": held["org_access"],
        "permissions": held["permissions"],
        "last_used_at": listed.last_used_at,
        "last_used_from": listed.last_used_from,
    }
