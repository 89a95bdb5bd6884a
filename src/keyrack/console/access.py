"""Members > Access: every token in the workspace, for admins, and ending all that one person or one partner holds."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import problems
from keyrack.console.lists import BY_TIME_AND_NAME, ROWS
from keyrack.console.members import access_of
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import access, tokens
from keyrack.manage.access import Access
from keyrack.manage.tokens import Listed
from keyrack.model.permissions import Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND, Refused


class Line(NamedTuple):
    """A token as it stands in the list: its state in a word, what it reaches in a few, and whether its holder is no active member."""

    listed: Listed
    state: str
    reach: str
    former: bool


class AccessPages:
    """The pages about what others hold."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/access", self.show, methods=["GET"]),
            Route("/console/access/revoke", self.ask_all, methods=["GET"]),
            Route("/console/access/revoke", self.revoke_all, methods=["POST"]),
            Route("/console/access/{token_id}/revoke", self.ask, methods=["GET"]),
            Route("/console/access/{token_id}/revoke", self.revoke, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        group = self._pages.brand.navigation[0]
        return [Entry("members", "/access", "Members", "users", tab="Access", group=group, for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the tokens of the workspace. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        member.require_admin("see what others hold")
        query = self._pages.query(request, member, "search", "who", "partner", "state", orders=BY_TIME_AND_NAME)
        asked, now = query.filters, self._pages.desk.now()
        found = await tokens.page(
            self._pages.desk,
            member,
            limit=ROWS + 1,
            after=query.place,
            order=query.order,
            search=asked["search"].removesuffix("…") or None,
            partner=asked["partner"] or None,
            former={"former": True, "active": False}.get(asked["who"]),
            ended=asked["state"] == "ended",
        )
        listing = query.page([self._line(one, now) for one in found], lambda line: query.order.place(line.listed.token))
        partners = [(name, name) for name in await access.partners(self._pages.desk, member)]
        return self._pages.render(request, "access/list.html", listing=listing, partners=partners, revoke_path=_revoke_path)

    async def ask(self, request: Request) -> Response:
        """Ask before a token is revoked. Raises Refused `session_ended`, 403, 404."""
        listed = await self._found(request, await self._pages.member(request))
        to = f"/access/{listed.token.id}/revoke"
        return self._pages.render(request, "tokens/revoke.html", held=listed.held, calls=None, to=to, back="/access")

    async def revoke(self, request: Request) -> Response:
        """Revoke a token. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "tokens.revoke")
        listed = await self._found(request, member)
        await tokens.revoke(self._pages.desk, member, listed.token.id)
        return self._pages.go(request, "/access", f"{listed.token.name} of {listed.held.name} has ended. It is refused from now on.")

    async def ask_all(self, request: Request) -> Response:
        """Ask before all that somebody holds is ended, and name it. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        whose = _whose(request.query_params.get("member", ""), request.query_params.get("partner", ""))
        return await self._asked(request, member, whose, {})

    async def revoke_all(self, request: Request) -> Response:
        """End all that somebody holds, in one change. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "access.revoke")
        whose = _whose(form.get("member", ""), form.get("partner", ""))
        try:
            found = await access.revoke(self._pages.desk, member, **whose, for_good=form.get("for_good") == "yes")
        except Refused as refused:
            return await self._asked(request, member, whose, problems(refused), refused.refusal.status)
        return self._revoked(request, whose, found)

    async def _asked(
        self, request: Request, member: Principal, whose: dict[str, str], beside: dict[str, str], status: int = 200
    ) -> Response:
        found = await access.of(self._pages.desk, member, **whose)
        name = whose.get("partner") or found.members[0].name
        ids = {"member_id": whose.get("member_id", ""), "partner": whose.get("partner", "")}
        shown: dict[str, Any] = {"found": found, "name": name, "problems": beside, **ids}
        return self._pages.render(request, "access/revoke.html", status, **shown)

    def _revoked(self, request: Request, whose: dict[str, str], found: Access) -> Response:
        """Lead on: to the keys that somebody may have a copy of, where there are any and the brand shows keys."""
        name = whose.get("partner") or found.members[0].name
        said = f"Nothing that {name} holds is accepted any more: {len(found.tokens)} tokens and {found.keys} keys have ended."
        if not found.known_keys:
            return self._pages.go(request, "/access", said)
        copied = f"{said} {found.known_keys} other keys were made by, or shown to, them: rotate what they may have a copy of."
        alone = "member_id" in whose and "keys" in self._pages.brand.lists
        return self._pages.go(request, f"/keys?maker={whose['member_id']}" if alone else "/access", copied, tone="warning")

    async def _found(self, request: Request, member: Principal) -> Listed:
        member.require_admin("revoke what others hold")
        return await tokens.get(self._pages.desk, member, request.path_params["token_id"])

    def _line(self, listed: Listed, now: int) -> Line:
        held = listed.held
        state = held.token.state(now)
        rights = Rights() if held.member is None else held.token.reach(held.member.rights, self._pages.desk.categories)
        return Line(listed, "refused" if state == "active" and not held.is_accepted(now) else state, access_of(rights), held.is_former(now))


def _whose(member_id: str, partner: str) -> dict[str, str]:
    if bool(member_id) == bool(partner):
        raise NOT_FOUND("Choose one person, or one partner.")
    return {"member_id": member_id} if member_id else {"partner": partner}


def _revoke_path(**whose: str) -> str:
    return f"/access/revoke?{urlencode(whose)}"
