"""Access over HTTP: all that one person, or one partner, could call with, ended in one call."""

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from keyrack.api.app_examples import ACCESS, KNOWN_KEY, REVOCATION
from keyrack.api.dependencies import ADMIN, PLAIN, Actor, Desk
from keyrack.api.described import name_filters
from keyrack.api.fields import Body, Id, ObjectView, Partner, Time, View
from keyrack.manage import access
from keyrack.manage.access import Access
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, INVALID_REQUEST, NOT_FOUND
from keyrack.model.refused import saying

router = APIRouter(prefix="/access")


class Whose(BaseModel):
    """Whose access it is: one member's, or one partner's."""

    model_config = ConfigDict(extra="forbid")

    member_id: Id | None = None
    partner: Partner | None = None


name_filters(Whose)


class Revocation(Body):
    """Whose access ends: one member's, or one partner's."""

    EXAMPLE: ClassVar = REVOCATION

    member_id: Id | None = None
    partner: Partner | None = None
    for_good: Annotated[StrictBool, Field(description="Whether they lose the right to use the API, too: so that they make no others.")] = (
        True
    )


class KnownKeyView(ObjectView):
    """A key that somebody made, or was shown."""

    EXAMPLE: ClassVar = KNOWN_KEY

    object: Literal["key_reference"] = "key_reference"
    name: str
    prefix: str
    mode: Mode
    integration_id: str
    made_by: str
    made_by_name: str
    created_at: Time


class AccessView(View):
    """What somebody could call the API with. After a revocation: what there was."""

    EXAMPLE: ClassVar = ACCESS

    object: Literal["access"] = "access"
    member_id: str | None
    partner: str | None
    members: Annotated[list[str], Field(description="The members, by their ids.")]
    integrations: Annotated[list[str], Field(description="The partner's integrations, by their ids.")]
    tokens: Annotated[int, Field(description="How many personal tokens they hold.")]
    grants: Annotated[int, Field(description="How many grants: apps that act for them, and those for the partner's own apps.")]
    keys: Annotated[int, Field(description="How many keys the partner's integrations have.")]
    known_keys: Annotated[int, Field(description="How many other keys they made, or were shown: these go on.")]
    known: Annotated[list[KnownKeyView], Field(description="The newest of those, at most 100: rotate or revoke them.")]


@router.get("", dependencies=[ADMIN], openapi_extra=saying(NOT_FOUND, CONFLICT))
async def get_access(query: Annotated[Whose, Query()], actor: Actor, desk: Desk) -> AccessView:
    """Get what one member or one partner could call the API with. Name one of the two."""
    whose = _one(query.member_id, query.partner)
    return _view(whose, await access.of(desk, actor, **whose))


@router.post("/revoke", dependencies=[ADMIN, PLAIN], openapi_extra=saying(NOT_FOUND, CONFLICT))
async def revoke_access(body: Revocation, actor: Actor, desk: Desk) -> AccessView:
    """End all that one member or one partner could call the API with, at once: tokens, grants, and the keys of a partner's integrations.

    The answer says what there was. `known` are keys that may have been copied, and go on.
    """
    whose = _one(body.member_id, body.partner)
    return _view(whose, await access.revoke(desk, actor, **whose, for_good=body.for_good))


def _one(member_id: str | None, partner: str | None) -> dict[str, Any]:
    if bool(member_id) == bool(partner):
        raise INVALID_REQUEST("Name a member_id or a partner, and not both.", param="partner" if member_id else "member_id")
    return {"member_id": member_id or None, "partner": partner or None}


def _view(whose: dict[str, Any], found: Access) -> AccessView:
    same = [name for name in KnownKeyView.model_fields if name != "object"]
    return AccessView(
        **whose,
        members=[one.id for one in found.members],
        integrations=[one.id for one in found.integrations],
        tokens=len(found.tokens),
        grants=len(found.grants),
        keys=found.keys,
        known_keys=found.known_keys,
        known=[KnownKeyView(**{name: getattr(key, name) for name in same}) for key in found.known],
    )
