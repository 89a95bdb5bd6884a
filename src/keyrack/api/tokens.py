"""Personal tokens over HTTP. A member's default token makes others, and its successor; the secret is in those answers, and nowhere else."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import MISSING, StrictBool

from keyrack.api.dependencies import ANYBODY, NEVER_STORED, PLAIN, Actor, Desk
from keyrack.api.examples import ISSUED_TOKEN, NEW_TOKEN, TOKEN
from keyrack.api.fields import Body, Id, Name, Partner, PathId, Permissions, RightsView, Search, SpaceRoles, Time, TimeGiven, rights_of
from keyrack.api.lists import NamedQuery, Page, TheLists
from keyrack.manage import rights, tokens
from keyrack.manage.tokens import Issued, Listed
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.refusals import CONFLICT, SHOWN_ONCE, saying
from keyrack.model.tokens import EndReason

router = APIRouter(prefix="/tokens")


class NewToken(Body):
    """A named token to make for the calling member. It reaches what is named here, as far as the member has it, and nothing else."""

    EXAMPLE: ClassVar = NEW_TOKEN

    name: Name
    org_access: OrgAccess | MISSING = MISSING
    permissions: Permissions | MISSING = MISSING
    spaces: SpaceRoles | MISSING = MISSING
    expires_at: TimeGiven | None = None


class Generation(Body):
    """How the default token is generated: with the end of the named ones, unless it is said otherwise."""

    EXAMPLE: ClassVar = {"end_named": True}

    end_named: StrictBool = True


class TokenQuery(NamedQuery):
    """The filters of the list of tokens: those that go on, unless `ended` asks for the others."""

    member_id: Id | None = None
    partner: Partner | None = None
    former: bool | None = None
    ended: bool = False
    search: Search | None = None


class TokenView(RightsView):
    """A personal token. Its rights are those of this moment: what it was given, as far as its member has it."""

    EXAMPLE: ClassVar = TOKEN

    object: Literal["token"] = "token"
    prefix: str
    state: Literal["active", "expired", "ended"]
    is_default: bool
    member_id: str
    member_name: str
    member_email: str
    api_version: str
    expires_at: Time | None
    last_used_at: Time | None
    last_used_from: str | None
    made_with: str | None
    ended_at: Time | None
    ended_by: str | None
    end_reason: EndReason | None
    created_at: Time
    updated_at: Time


class IssuedTokenView(TokenView):
    """A new token, with its secret: shown here, this once."""

    EXAMPLE: ClassVar = ISSUED_TOKEN

    secret: str


@router.get("", dependencies=[ANYBODY])
async def list_tokens(query: Annotated[TokenQuery, Query()], actor: Actor, desk: Desk, lists: TheLists) -> Page[TokenView]:
    """List the calling member's tokens, or for an org-level Admin all of the workspace, newest first unless `sort` says otherwise."""
    after = await lists.after(query, partial(tokens.get, desk, actor), lambda one: query.order.place(one.token))
    asked = query.filters() | {"updated_after": query.updated_after}
    found = await tokens.page(desk, actor, limit=query.limit + 1, after=after, order=query.order, **asked)
    return lists.page(query, found, lambda one: view(desk, one), lambda one: query.order.place(one.token))


@router.post("", status_code=201, dependencies=[ANYBODY, PLAIN, NEVER_STORED], openapi_extra=saying(CONFLICT, SHOWN_ONCE))
async def create_token(body: NewToken, actor: Actor, desk: Desk) -> IssuedTokenView:
    """Make a named token, with the member's default one."""
    issued = await tokens.create(desk, actor, name=body.name, rights=rights_of(body.values()), expires_at=body.expires_at)
    return _issued(desk, issued)


@router.post("/default", status_code=201, dependencies=[ANYBODY, PLAIN, NEVER_STORED], openapi_extra=saying(SHOWN_ONCE))
async def generate_default_token(actor: Actor, desk: Desk, body: Generation | None = None) -> IssuedTokenView:
    """Generate the member's default token. The calling one, which it replaces, is refused from then on."""
    return _issued(desk, await tokens.generate(desk, actor, end_named=(body or Generation()).end_named))


@router.get("/{token_id}", dependencies=[ANYBODY, PLAIN])
async def get_token(token_id: PathId, actor: Actor, desk: Desk) -> TokenView:
    """Get a token, also an ended one."""
    return view(desk, await tokens.get(desk, actor, token_id))


@router.delete("/{token_id}", status_code=204, dependencies=[ANYBODY, PLAIN], openapi_extra=saying())
async def revoke_token(token_id: PathId, actor: Actor, desk: Desk) -> None:
    """End a token for good, with those that were made with it."""
    await tokens.revoke(desk, actor, token_id)


def view(desk: Desk, listed: Listed) -> TokenView:
    """Return a token as it is on the wire."""
    return TokenView(**_shown(desk, listed))


def _issued(desk: Desk, issued: Issued) -> IssuedTokenView:
    return IssuedTokenView(**_shown(desk, Listed(issued.held)), secret=issued.secret.text)


def _shown(desk: Desk, listed: Listed) -> dict[str, object]:
    held, token = listed.held, listed.token
    reached = Rights() if held.member is None else token.reach(held.member.rights, desk.categories)
    same = ("id", "name", "prefix", "is_default", "member_id", "api_version", "expires_at", "made_with", "ended_at", "ended_by")
    return {
        **{name: getattr(token, name) for name in (*same, "end_reason", "created_at", "updated_at")},
        **rights.shown(reached),
        "state": token.state(desk.now()),
        "member_name": held.name,
        "member_email": held.email,
        "last_used_at": listed.last_used_at,
        "last_used_from": listed.last_used_from,
    }
