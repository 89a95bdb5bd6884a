"""Portal links over HTTP: a host asks for one with its key, and sends its user's browser there."""

from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Request
from pydantic import Field, StrictInt, StringConstraints

from keyrack.api.dependencies import ADMIN, NEVER_STORED, PLAIN, Actor, Desk, TheAssembly
from keyrack.api.examples import PORTAL_LINK
from keyrack.api.fields import WHOLE, Body, Id, Time, TimeGiven, View
from keyrack.manage import mail, portal_links
from keyrack.manage.portal_links import VALID_SECONDS_MAX
from keyrack.model.refusals import CONFLICT, NOT_FOUND, SHOWN_ONCE, saying

router = APIRouter(prefix="/portal-links")


class NewPortalLink(Body):
    """A link to make. `auth_time` is when the host saw the member prove who they are; `origin` is where the console stands in a frame."""

    EXAMPLE: ClassVar = {"member_id": PORTAL_LINK["member_id"]}

    member_id: Id
    auth_time: TimeGiven | None = None
    origin: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    valid_seconds: Annotated[StrictInt, Field(ge=1, le=VALID_SECONDS_MAX), WHOLE] = VALID_SECONDS_MAX


class PortalLinkView(View):
    """A new link: shown here, this once. It has no id, for nothing else can be done with it than following it."""

    EXAMPLE: ClassVar = PORTAL_LINK

    object: Literal["portal_link"] = "portal_link"
    member_id: str
    origin: str | None
    url: str
    created_at: Time
    expires_at: Time


@router.post("", status_code=201, dependencies=[ADMIN, PLAIN, NEVER_STORED], openapi_extra=saying(NOT_FOUND, CONFLICT, SHOWN_ONCE))
async def create_portal_link(body: NewPortalLink, request: Request, actor: Actor, desk: Desk, assembly: TheAssembly) -> PortalLinkView:
    """Create a link that opens the console for a member, once."""
    made = await portal_links.create(desk, actor, **body.values())
    url = mail.link_url(assembly.problems.base_url(request.scope), mail.PORTAL_PATH, made.secret)
    same = ("member_id", "origin", "created_at", "expires_at")
    return PortalLinkView(url=url, **{name: getattr(made.link, name) for name in same})
