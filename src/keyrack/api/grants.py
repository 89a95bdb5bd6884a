"""Grants over HTTP: the apps that members have let act for them."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from keyrack.api.app_examples import GRANT
from keyrack.api.dependencies import ANYBODY, PLAIN, Actor, Desk
from keyrack.api.fields import Id, ObjectView, Partner, PathId, Search, Time
from keyrack.api.lists import Page, SortedQuery, TheLists
from keyrack.manage import grants
from keyrack.manage.grants import Listed
from keyrack.model.grants import EndReason
from keyrack.model.refused import saying

router = APIRouter(prefix="/grants")


class GrantQuery(SortedQuery):
    """The filters of the list of grants: those that go on, unless `ended` asks for the others. `search` is part of a name or an email."""

    member_id: Id | None = None
    app_id: Id | None = None
    partner: Partner | None = None
    former: bool | None = None
    ended: bool = False
    search: Search | None = None


class GrantView(ObjectView):
    """What a member lets an app do, as far as they may do it themselves at that moment."""

    EXAMPLE: ClassVar = GRANT

    object: Literal["grant"] = "grant"
    app_id: Annotated[str, Field(description="The app.")]
    app_name: Annotated[str, Field(description="The app's name.")]
    member_id: str
    member_name: str
    member_email: str
    scopes: Annotated[tuple[str, ...], Field(description="What the member let it do, and it still asks for.")]
    state: Literal["active", "ended"]
    last_used_at: Time | None
    last_used_from: str | None
    ended_at: Time | None
    ended_by: str | None
    end_reason: EndReason | None
    created_at: Time
    updated_at: Time


@router.get("", dependencies=[ANYBODY])
async def list_grants(query: Annotated[GrantQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[GrantView]:
    """List what the calling member lets apps do, or for an org-level Admin what all do, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(grants.get, desk, actor), lambda one: query.order.place(one.grant))
    asked = query.filters() | {"updated_after": query.updated_after}
    found = await grants.page(desk, actor, limit=query.limit + 1, after=after, order=query.order, **asked)
    return lists.page(query, found, view, lambda one: query.order.place(one.grant))


@router.get("/{grant_id}", dependencies=[ANYBODY, PLAIN])
async def get_grant(grant_id: PathId, actor: Actor, desk: Desk) -> GrantView:
    """Get a grant, also an ended one."""
    return view(await grants.get(desk, actor, grant_id))


@router.delete("/{grant_id}", status_code=204, dependencies=[ANYBODY, PLAIN], openapi_extra=saying())
async def revoke_grant(grant_id: PathId, actor: Actor, desk: Desk) -> None:
    """End a grant for good: the app acts for its member no more, and is told so."""
    await grants.revoke(desk, actor, grant_id)


def view(listed: Listed) -> GrantView:
    """Return a grant as it is on the wire."""
    held, grant = listed.held, listed.grant
    same = ("id", "app_id", "member_id", "ended_at", "ended_by", "end_reason", "created_at", "updated_at")
    return GrantView(
        **{name: getattr(grant, name) for name in same},
        app_name=held.app.name,
        member_name=held.name,
        member_email=held.email,
        scopes=held.scopes,
        state=held.state,
        last_used_at=listed.last_used_at,
        last_used_from=listed.last_used_from,
    )
