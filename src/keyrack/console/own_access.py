"""Personal preferences > My access: what somebody holds in all their workspaces, and ending any of it."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.members import access_of
from keyrack.console.navigation import Entry, own_entry
from keyrack.console.pages import Pages
from keyrack.manage import own_access, own_grants
from keyrack.model.permissions import Rights
from keyrack.model.tokens import Held

AT = "/preferences/access"


class OwnAccessPages:
    """The pages about what somebody holds."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route(f"/console{AT}", self.show, methods=["GET"]),
            Route(f"/console{AT}/end", self.ask_all, methods=["GET"]),
            Route(f"/console{AT}/end", self.end_all, methods=["POST"]),
            Route(f"/console{AT}/{{token_id}}/revoke", self.ask, methods=["GET"]),
            Route(f"/console{AT}/{{token_id}}/revoke", self.end, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list."""
        return [own_entry(self._pages.brand.navigation[0], AT, "My access")]

    async def show(self, request: Request) -> Response:
        """Show what the person holds, workspace by workspace. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        found = await own_access.held(self._pages.desk, member)
        now = self._pages.desk.now()
        shown = [(there.workspace, [(one, self._state(one.held, now), self._reach(one.held)) for one in there.tokens]) for there in found]
        return self._pages.render(request, "access/mine.html", found=shown)

    async def ask(self, request: Request) -> Response:
        """Ask before one of the person's tokens is revoked. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        chosen = await own_access.find(self._pages.desk, member, request.path_params["token_id"])
        token = chosen.held.token
        to = f"{AT}/{token.id}/revoke"
        return self._pages.render(request, "tokens/revoke.html", held=chosen.held, calls=None, to=to, back=AT)

    async def end(self, request: Request) -> Response:
        """Revoke one of the person's tokens, in whatever workspace. Raises Refused `session_ended`, `csrf_failed`, 404."""
        member, _ = await self._pages.sent(request, "tokens.revoke")
        token = await own_access.revoke(self._pages.desk, member, request.path_params["token_id"])
        return self._pages.go(request, AT, f"{token.name} has ended. It is refused from now on.")

    async def ask_all(self, request: Request) -> Response:
        """Ask before all that the person holds is ended. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        found = await own_access.held(self._pages.desk, member)
        return self._pages.render(request, "access/end_mine.html", tokens=sum(len(one.tokens) for one in found), workspaces=len(found))

    async def end_all(self, request: Request) -> Response:
        """End all that the person holds. Raises Refused `session_ended`, `csrf_failed`, 403."""
        member, _ = await self._pages.sent(request, "access.end-mine")
        ended = await own_access.revoke_all(self._pages.desk, member)
        await own_grants.revoke_all(self._pages.desk, member)
        counted = "1 token has" if ended == 1 else f"{ended} tokens have"
        return self._pages.go(request, AT, f"{counted} ended. Nothing of yours is accepted any more.")

    def _reach(self, held: Held) -> str:
        """What a token may do at this moment, in a few words."""
        return access_of(Rights() if held.member is None else held.token.reach(held.member.rights, self._pages.desk.categories))

    @staticmethod
    def _state(held: Held, now: int) -> str:
        state = held.token.state(now)
        return "refused" if state == "active" and not held.is_accepted(now) else state
