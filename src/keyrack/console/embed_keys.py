"""Install: the embed code of each embed key, the pages that it works on, and what replaces it, switches it off and deletes it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.fields import name_in
from keyrack.console.forms import problems
from keyrack.console.lists import ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import embed_keys, request_logs
from keyrack.manage.embed_keys import Listed
from keyrack.manage.once import DoneBefore, once
from keyrack.model.call_counts import Subject
from keyrack.model.embed_keys import CALLS, CALLS_MAX, EmbedKey
from keyrack.model.orders import NEWEST
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, Refused

AT = "/embed-keys"
FIELDS = ("name", "object", "origins", "calls_per_minute")


class Line(NamedTuple):
    """An embed key as it stands on the page."""

    listed: Listed
    kind: str
    snippet: str
    preview: str


class EmbedKeyPages:
    """The pages about embed keys."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes, where pages of others embed anything of the host's."""
        if not self._pages.desk.embeds:
            return []
        one = f"/console{AT}/{{embed_key_id}}"
        return [
            Route(f"/console{AT}", self.show, methods=["GET"]),
            Route(f"/console{AT}/new", self.offer, methods=["GET"]),
            Route(f"/console{AT}/new", self.create, methods=["POST"]),
            Route(f"{one}/edit", self.offer_changes, methods=["GET"]),
            Route(f"{one}/edit", self.edit, methods=["POST"]),
            Route(f"{one}/disable", self.disable, methods=["POST"]),
            Route(f"{one}/enable", self.enable, methods=["POST"]),
            Route(f"{one}/replace", self.ask_replacement, methods=["GET"]),
            Route(f"{one}/replace", self.replace, methods=["POST"]),
            Route(f"{one}/delete", self.ask_deletion, methods=["GET"]),
            Route(f"{one}/delete", self.delete, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, where pages of others embed anything of the host's."""
        if not self._pages.desk.embeds:
            return []
        return [Entry("embed_keys", AT, "Embed code", "layout-grid", group="Install", for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the embed code of each key. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member)
        found = await embed_keys.page(self._pages.desk, member, limit=ROWS + 1, after=query.place, ended=False)
        listed = await embed_keys.listed(self._pages.desk, member, found)
        listing = query.page([self._line(request, one) for one in listed], lambda line: NEWEST.place(line.listed.key))
        return self._pages.render(request, "embed_keys/list.html", listing=listing)

    async def offer(self, request: Request) -> Response:
        """Show the form that makes an embed key. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("make embed keys")
        return await self._form(request, member, {"calls_per_minute": str(CALLS), "object": request.query_params.get("object", "")}, {})

    async def create(self, request: Request) -> Response:
        """Make an embed key. Raises Refused `session_ended`, `csrf_failed`, 403."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "embed_keys.create")
        try:
            object_type, _, object_id = form.get("object", "").partition("/")
            fields = {**_fields_in(form), "object_type": object_type, "object_id": object_id}
            async with once(desk, member, mark):
                await embed_keys.create(desk, member, **fields)
        except DoneBefore:
            pass
        except Refused as refused:
            return await self._form(request, member, form, _beside(refused), refused.refusal.status)
        return self._pages.go(request, AT, "The embed code is there. Paste it into the pages of those origins.")

    async def offer_changes(self, request: Request) -> Response:
        """Show the form that changes an embed key. Raises Refused `session_ended`, 403, 404."""
        member, key = await self._key(request)
        given = {"name": key.name, "origins": " ".join(key.origins), "calls_per_minute": str(key.calls_per_minute)}
        return await self._form(request, member, given, {}, key=key)

    async def edit(self, request: Request) -> Response:
        """Change an embed key. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, form = await self._pages.sent(request, "embed_keys.edit")
        _, key = await self._key(request)
        try:
            await embed_keys.edit(self._pages.desk, member, key.id, **_fields_in(form))
        except Refused as refused:
            return await self._form(request, member, form, _beside(refused), refused.refusal.status, key=key)
        return self._pages.go(request, AT, f"{key.name} is saved. Pages that it no longer names are refused from now on.")

    async def disable(self, request: Request) -> Response:
        """Switch an embed key off. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _ = await self._pages.sent(request, "embed_keys.disable")
        key = await embed_keys.edit(self._pages.desk, member, request.path_params["embed_key_id"], enabled=False)
        return self._pages.go(request, AT, f"{key.name} is switched off. Every visitor is refused from now on, also those who are writing.")

    async def enable(self, request: Request) -> Response:
        """Switch an embed key on. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _ = await self._pages.sent(request, "embed_keys.enable")
        key = await embed_keys.edit(self._pages.desk, member, request.path_params["embed_key_id"], enabled=True)
        return self._pages.go(request, AT, f"{key.name} is switched on.")

    async def ask_replacement(self, request: Request) -> Response:
        """Ask before an embed key is replaced. Raises Refused `session_ended`, 403, 404."""
        return await self._ask(request, "embed_keys/replace.html")

    async def replace(self, request: Request) -> Response:
        """Replace an embed key. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        desk = self._pages.desk
        member, _, mark = await self._pages.sent_once(request, "embed_keys.replace")
        try:
            async with once(desk, member, mark):
                await embed_keys.replace_key(desk, member, request.path_params["embed_key_id"])
        except DoneBefore:
            pass
        return self._pages.go(request, AT, "The key is replaced. Pages need the new embed code: those that have the old one are refused.")

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before an embed key is deleted. Raises Refused `session_ended`, 403, 404."""
        return await self._ask(request, "embed_keys/delete.html")

    async def delete(self, request: Request) -> Response:
        """Delete an embed key. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "embed_keys.delete")
        key = await embed_keys.delete(self._pages.desk, member, request.path_params["embed_key_id"])
        return self._pages.go(request, AT, f"{key.name} is deleted. Pages that have its code are refused from now on.")

    async def _key(self, request: Request) -> tuple[Principal, EmbedKey]:
        member = await self._pages.member(request)
        return member, await embed_keys.get(self._pages.desk, member, request.path_params["embed_key_id"])

    async def _ask(self, request: Request, template: str) -> Response:
        member, key = await self._key(request)
        calls = await request_logs.calls_last_hour(self._pages.desk, member, Subject("credential", key.id))
        return self._pages.render(request, template, key=key, calls=calls)

    def _line(self, request: Request, listed: Listed) -> Line:
        key = listed.key
        kind = self._pages.desk.embeds.get(key.object_type)
        if kind is None:
            return Line(listed, key.object_type, "", "")
        filled = kind.snippet.replace("{base_url}", self._pages.addresses.outside(request).rstrip("/")).replace("{key}", key.text)
        preview = self._pages.addresses.inside(request, kind.preview.replace("{key}", key.text)) if kind.preview else ""
        return Line(listed, kind.title, filled, preview)

    async def _form(
        self,
        request: Request,
        member: Principal,
        form: Mapping[str, str],
        beside: Mapping[str, str],
        status: int = 200,
        key: EmbedKey | None = None,
    ) -> Response:
        objects = []
        for kind in self._pages.desk.embeds.values() if key is None else ():
            objects += [(f"{kind.name}/{found}", title, kind.title) for found, title in await kind.offer(member.workspace.id)]
        given: dict[str, Any] = {name: form.get(name, "") for name in FIELDS}
        template = "embed_keys/new.html" if key is None else "embed_keys/edit.html"
        shown = {"key": key, "objects": objects, "calls_max": CALLS_MAX}
        return self._pages.render(request, template, status, given=given, problems=beside, **shown)


def _fields_in(form: Mapping[str, str]) -> dict[str, Any]:
    calls = form.get("calls_per_minute", "")
    if not calls.isascii() or not calls.isdigit() or len(calls) > len(str(CALLS_MAX)):
        raise INVALID_REQUEST(f"Write a number from 1 to {CALLS_MAX}.", param="calls_per_minute")
    return {"name": name_in(form), "origins": form.get("origins", "").split(), "calls_per_minute": int(calls)}


def _beside(refused: Refused) -> dict[str, str]:
    found = problems(refused, *FIELDS, "object_type", "object_id")
    return {"object" if name.startswith("object_") else name: text for name, text in found.items()}
