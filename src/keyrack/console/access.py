"""Members > Access: every token and app that acts for members, for admins, and ending all that one person or one partner holds."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.forms import problems
from keyrack.console.lists import BY_TIME, ROWS
from keyrack.console.members import access_of
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import access, grants, tokens
from keyrack.manage.access import Access
from keyrack.model.apps import in_words
from keyrack.model.permissions import Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND, Refused


class Line(NamedTuple):
    """A token or an app as it stands in the list: its state and reach in a few words, and whether its holder is no active member."""

    listed: tokens.Listed | grants.Listed
    is_token: bool
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
            Route("/console/access/keys", self.show_known, methods=["GET"]),
            Route("/console/access/apps/{grant_id}/revoke", self.ask_grant, methods=["GET"]),
            Route("/console/access/apps/{grant_id}/revoke", self.revoke_grant, methods=["POST"]),
            Route("/console/access/{token_id}/revoke", self.ask, methods=["GET"]),
            Route("/console/access/{token_id}/revoke", self.revoke, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        group = self._pages.brand.navigation[0]
        return [Entry("members", "/access", "Members", "users", tab="Access", group=group, for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the tokens of the workspace, and the apps that were let in. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        member.require_admin("see what others hold")
        query = self._pages.query(request, member, "search", "what", "who", "partner", "state", orders=BY_TIME)
        asked = query.filters
        wanted: dict[str, Any] = {
            "search": asked["search"].removesuffix("…") or None,
            "partner": asked["partner"] or None,
            "former": {"former": True, "active": False}.get(asked["who"]),
            "ended": asked["state"] == "ended",
        }
        found = await self._read(member, asked["what"], limit=ROWS + 1, after=query.place, order=query.order, **wanted)
        listing = query.page([self._line(one) for one in found], lambda line: query.order.place(line.listed))
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

    async def ask_grant(self, request: Request) -> Response:
        """Ask before an app acts for a member no more. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        held = (await self._grant(request, member)).held
        to = f"/access/apps/{held.id}/revoke"
        return self._pages.render(request, "grants/revoke.html", held=held, workspace=member.workspace, to=to, back="/access")

    async def revoke_grant(self, request: Request) -> Response:
        """Shut an app out for one member. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "grants.revoke")
        held = (await self._grant(request, member)).held
        await grants.revoke(self._pages.desk, member, held.id)
        return self._pages.go(request, "/access", f"{held.app.name} acts for {held.name} no more. Its tokens are refused from now on.")

    async def ask_all(self, request: Request) -> Response:
        """Ask before all that somebody holds is ended, and name it. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        return await self._asked(request, member, _whose_in(request), {})

    async def revoke_all(self, request: Request) -> Response:
        """End all that somebody holds, in one change. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "access.revoke")
        whose = _whose(form.get("member", ""), form.get("partner", ""))
        try:
            found = await access.revoke(self._pages.desk, member, **whose, for_good=form.get("for_good") == "yes")
        except Refused as refused:
            return await self._asked(request, member, whose, problems(refused), refused.refusal.status)
        said = f"Nothing that {_name(whose, found)} holds is accepted any more: {_counted(found)} have ended."
        if not found.known_keys:
            return self._pages.go(request, "/access", said)
        return self._pages.go(request, f"/access/keys?{urlencode(_asked_for(whose))}", said, tone="warning")

    async def show_known(self, request: Request) -> Response:
        """Show the keys that somebody made, or was shown, and that go on. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        whose = _whose_in(request)
        found = await access.of(self._pages.desk, member, **whose)
        return self._pages.render(request, "access/keys.html", found=found, name=_name(whose, found))

    async def _read(self, member: Principal, kind: str, **wanted: Any) -> Sequence[tokens.Listed | grants.Listed]:
        if kind == "tokens":
            return await tokens.page(self._pages.desk, member, **wanted)
        if kind == "apps":
            return await grants.page(self._pages.desk, member, **wanted)
        return await access.page(self._pages.desk, member, **wanted)

    async def _asked(
        self, request: Request, member: Principal, whose: dict[str, str], beside: dict[str, str], status: int = 200
    ) -> Response:
        found = await access.of(self._pages.desk, member, **whose)
        ids = {"member_id": whose.get("member_id", ""), "partner": whose.get("partner", "")}
        keys_path = f"/access/keys?{urlencode(_asked_for(whose))}"
        shown: dict[str, Any] = {"found": found, "name": _name(whose, found), "problems": beside, "keys_path": keys_path, **ids}
        return self._pages.render(request, "access/revoke.html", status, **shown)

    async def _found(self, request: Request, member: Principal) -> tokens.Listed:
        member.require_admin("revoke what others hold")
        return await tokens.get(self._pages.desk, member, request.path_params["token_id"])

    async def _grant(self, request: Request, member: Principal) -> grants.Listed:
        member.require_admin("revoke what others hold")
        return await grants.get(self._pages.desk, member, request.path_params["grant_id"])

    def _line(self, listed: tokens.Listed | grants.Listed) -> Line:
        now, categories = self._pages.desk.now(), self._pages.desk.categories
        held = listed.held
        if isinstance(listed, tokens.Listed):
            state = listed.token.state(now)
            rights = Rights() if held.member is None else listed.token.reach(held.member.rights, categories)
            reach = access_of(rights)
        else:
            state = listed.held.state
            reach = ". ".join(in_words(scope, categories, "they are") for scope in listed.held.scopes)
        refused = state == "active" and not held.is_accepted(now)
        return Line(listed, isinstance(listed, tokens.Listed), "refused" if refused else state, reach, held.is_former(now))


def _whose(member_id: str, partner: str) -> dict[str, str]:
    if bool(member_id) == bool(partner):
        raise NOT_FOUND("Choose one person, or one partner.")
    return {"member_id": member_id} if member_id else {"partner": partner}


def _whose_in(request: Request) -> dict[str, str]:
    return _whose(request.query_params.get("member", ""), request.query_params.get("partner", ""))


def _asked_for(whose: dict[str, str]) -> dict[str, str]:
    """Whose it is, as an address has it."""
    return {name.removesuffix("_id"): value for name, value in whose.items()}


def _name(whose: dict[str, str], found: Access) -> str:
    return whose.get("partner") or found.members[0].name


def _counted(found: Access) -> str:
    parts = [_how_many(len(found.tokens), "token"), _how_many(found.keys, "key")]
    if found.grants:
        parts.insert(1, _how_many(len(found.grants), "app"))
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _how_many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _revoke_path(**whose: str) -> str:
    return f"/access/revoke?{urlencode(whose)}"
