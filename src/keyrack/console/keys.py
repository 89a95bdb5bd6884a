"""API keys: the list, making one, its permissions, rotating it and ending it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.charts import DAY_MS
from keyrack.console.curls import curl
from keyrack.console.fields import levels_in, mode_in, name_in
from keyrack.console.forms import problems
from keyrack.console.key_forms import FIELDS, as_written, bounds_in, warned
from keyrack.console.lists import BY_TIME_AND_NAME, ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.standings import notices
from keyrack.console.unused_permissions import known_since
from keyrack.manage import idle_keys, key_notices, keys, leaks, plans, request_logs, unused_permissions
from keyrack.manage.idle_keys import IDLE_DAYS
from keyrack.manage.keys import Issued, Listed
from keyrack.manage.once import DoneBefore, once
from keyrack.model.call_counts import Subject
from keyrack.model.permissions import Level, Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, Refused
from keyrack.model.unused_permissions import Unused

CATEGORIES_MAX = 200
UNUSED_AFTER_DAYS = 7
"""How long after somebody chose a key's rights the list points out what of them it was never used for."""
EXPIRING_SHOWN_MAX = 5
OVERLAPS = (("0", "Now"), ("3600", "In an hour"), ("86400", "In a day"), ("604800", "In 7 days"))
AGES = {"1": "In the last 24 hours", "7": "In the last 7 days", "30": "In the last 30 days", "365": "In the last year"}
"""When keys were made, as the list is filtered by it: days, and what they are called."""
_TONES = {"disabled": "warn", "ending": "warn", "expired": "bad", "ended": "neutral"}
_LEVELS = {Level.NONE: "None", Level.READ: "Read", Level.WRITE: "Write and delete"}


class Line(NamedTuple):
    """A key as it stands in the list. `until` says when it ends or ended, where it does; `idle` that nobody has used it for long.

    `unused` is what it may do and was never used for, where that has stood for a while. `found_in` is where it was found that leaked, in
    the finder's words.
    """

    listed: Listed
    state: str
    tone: str
    until: tuple[str, int] | None
    idle: bool
    unused: Unused | None = None
    found_in: str = ""

    @property
    def can_rotate(self) -> bool:
        """Whether a successor may be made."""
        return self.state in ("active", "disabled")


class KeyPages:
    """The pages about keys."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/keys", self.show, methods=["GET"]),
            Route("/console/keys", self.create, methods=["POST"]),
            Route("/console/keys/new", self.offer, methods=["GET"]),
            Route("/console/keys/{key_id}/permissions", self.permissions, methods=["GET"]),
            Route("/console/keys/{key_id}/edit", self.offer_changes, methods=["GET"]),
            Route("/console/keys/{key_id}/edit", self.edit, methods=["POST"]),
            Route("/console/keys/{key_id}/enable", self.enable, methods=["POST"]),
            Route("/console/keys/{key_id}/rotate", self.ask_rotation, methods=["GET"]),
            Route("/console/keys/{key_id}/rotate", self.rotate, methods=["POST"]),
            Route("/console/keys/{key_id}/end", self.ask_end, methods=["GET"]),
            Route("/console/keys/{key_id}/end", self.end, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, where the brand has one."""
        brand = self._pages.brand
        if "keys" not in brand.lists:
            return []
        title = brand.navigation[-1]
        tab = title if brand.section else "API Keys"
        return [Entry("keys", "/keys", title, "key", tab=tab, group=brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the keys that go on, or with the filter those that ended. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        query = self._pages.query(request, member, "search", "state", "mode", "age", "maker", orders=BY_TIME_AND_NAME)
        asked, now = query.filters, self._pages.desk.now()
        filters: dict[str, Any] = {
            "mode": mode_in(asked["mode"]) if asked["mode"] else None,
            "search": asked["search"].removesuffix("…") or None,
            "known_to": asked["maker"] or None,
            "order": query.order,
            "since": now - int(asked["age"]) * DAY_MS if asked["age"] in AGES else None,
        }
        if asked["state"] == "idle":
            found = await idle_keys.page(self._pages.desk, member, limit=ROWS + 1, after=query.place, **filters)
        else:
            ended = asked["state"] == "ended"
            found = await keys.page(self._pages.desk, member, limit=ROWS + 1, after=query.place, ended=ended, **filters)
        places = await leaks.places(self._pages.desk, member, [one.key for one in found])
        lines = await self._with_unused(member, [_line(one, now, places) for one in found], now)
        listing = query.page(lines, lambda line: query.order.place(line.listed.key))
        expiring = await key_notices.due(self._pages.desk, member, limit=EXPIRING_SHOWN_MAX)
        newest = self._pages.desk.versions.newest
        shown: dict[str, Any] = {
            "listing": listing,
            "ages": AGES,
            "expiring": expiring,
            "now": now,
            "idle_days": IDLE_DAYS,
            "newest": newest,
            **await notices(self._pages.desk, member),
        }
        return self._pages.render(request, "keys/list.html", **shown)

    async def offer(self, request: Request) -> Response:
        """Show the form that makes a key. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("create keys")
        plans.require_api_in(self._pages.desk, member.workspace)
        return self._form(request, {"all": "yes"} if self._pages.brand.all_by_default else {}, {})

    async def create(self, request: Request) -> Response:
        """Make a key, and show its secret this once. Raises Refused `session_ended`, `csrf_failed`, 403."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "keys.create", CATEGORIES_MAX)
        try:
            given = {"name": name_in(form), "mode": mode_in(form.get("mode", "live")), "rights": self._rights(form), **bounds_in(form)}
            async with once(desk, member, mark):
                issued = await keys.create(desk, member, **given)
        except DoneBefore as done:
            return await self._issued_before(request, member, done)
        except Refused as refused:
            return self._form(request, form, problems(refused, *FIELDS), refused.refusal.status)
        return self._issued(request, issued, "The key works from now on.")

    async def permissions(self, request: Request) -> Response:
        """Show what a key may do, and what of that it was never used for. Raises Refused `session_ended`, 403, 404."""
        listed = await self._listed(request)
        integration, pages = listed.integration, self._pages
        unused = await unused_permissions.of(pages.desk, request.state.member, pages.catalog, [integration])
        return pages.render(
            request,
            "keys/permissions.html",
            listed=listed,
            levels=[(category.title, _LEVELS[integration.rights.level(category)]) for category in pages.categories],
            all=integration.rights.has_all,
            org_access=integration.rights.org_access.value,
            unused=None if listed.key.ended(pages.desk.now()) else unused.get(integration.id),
            known=known_since(integration, pages.desk.now()),
        )

    async def offer_changes(self, request: Request) -> Response:
        """Show the form that changes a key. Raises Refused `session_ended`, 403, 404."""
        listed = await self._listed(request)
        held = listed.integration.rights
        form = as_written(listed.key) | {"all": "yes" if held.has_all else ""}
        form |= {f"level.{name}": level.word for name, level in held.permissions.items()}
        return self._form(request, form, {}, listed=listed)

    async def edit(self, request: Request) -> Response:
        """Change a key's name and what it may do. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "keys.edit", CATEGORIES_MAX)
        listed = await self._listed(request)
        try:
            rights = self._rights(form)
            fields = {} if rights is None else {"permissions": rights.permissions}
            fields |= bounds_in(form, listed.key)
            key = await keys.edit(self._pages.desk, member, listed.key.id, name=name_in(form), **fields)
        except Refused as refused:
            return self._form(request, form, problems(refused, *FIELDS), refused.refusal.status, listed=listed)
        said = [f"{key.name} is changed.", *warned(key.ip_ranges, self._pages.address(request))]
        return self._pages.go(request, "/keys", " ".join(said), tone="success" if len(said) == 1 else "warning")

    async def enable(self, request: Request) -> Response:
        """Accept a key again that was disabled. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _ = await self._pages.sent(request, "keys.enable")
        key = await keys.edit(self._pages.desk, member, request.path_params["key_id"], enabled=True)
        return self._pages.go(request, "/keys", f"{key.name} is enabled again.")

    async def ask_rotation(self, request: Request) -> Response:
        """Ask before a key is rotated. Raises Refused `session_ended`, 403, 404."""
        plans.require_api_in(self._pages.desk, (await self._pages.member(request)).workspace)
        return await self._asked(request, "keys/rotate.html")

    async def rotate(self, request: Request) -> Response:
        """Replace a key, and show the new secret this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "keys.rotate")
        overlap = form.get("overlap_seconds", "0")
        try:
            if overlap not in dict(OVERLAPS):
                raise INVALID_REQUEST("Choose one of the times in the list.", param="overlap_seconds")
            async with once(desk, member, mark):
                issued = await keys.rotate(desk, member, request.path_params["key_id"], int(overlap))
        except DoneBefore as done:
            return await self._issued_before(request, member, done)
        except Refused as refused:
            beside = problems(refused, "overlap_seconds")
            return await self._asked(request, "keys/rotate.html", beside, refused.refusal.status)
        return self._issued(request, issued, f"The old key ends {dict(OVERLAPS)[overlap].lower()}.")

    async def ask_end(self, request: Request) -> Response:
        """Ask before a key is ended, and say what that breaks. Raises Refused `session_ended`, 403, 404."""
        return await self._asked(request, "keys/end.html")

    async def end(self, request: Request) -> Response:
        """End a key for good, or disable it instead. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, form = await self._pages.sent(request, "keys.end")
        key_id = request.path_params["key_id"]
        if form.get("instead") == "disable":
            key = await keys.edit(self._pages.desk, member, key_id, enabled=False)
            return self._pages.go(request, "/keys", f"{key.name} is disabled. It is refused from now on, until it is enabled again.")
        key = await keys.revoke(self._pages.desk, member, key_id)
        return self._pages.go(request, "/keys", f"{key.name} has ended. It is refused from now on.")

    async def _listed(self, request: Request) -> Listed:
        member = await self._pages.member(request)
        return await keys.get(self._pages.desk, member, request.path_params["key_id"])

    async def _with_unused(self, member: Principal, lines: Sequence[Line], now: int) -> list[Line]:
        """Lines with what their keys were never used for, where somebody chose their rights a while ago."""
        settled = {
            line.listed.integration.id: line.listed.integration
            for line in lines
            if line.state == "active" and line.listed.integration.updated_at < now - UNUSED_AFTER_DAYS * DAY_MS
        }
        unused = await unused_permissions.of(self._pages.desk, member, self._pages.catalog, list(settled.values()))
        return [line._replace(unused=unused.get(line.listed.integration.id)) if line.state == "active" else line for line in lines]

    def _form(
        self,
        request: Request,
        form: Mapping[str, str],
        beside: Mapping[str, str],
        status: int = 200,
        listed: Listed | None = None,
    ) -> Response:
        """The form of a new key, or of one that is listed, as it was filled in."""
        everything = form.get("all") == "yes"
        otherwise = "write" if everything else "none"
        given = {
            "name": form.get("name", ""),
            "mode": form.get("mode", "live"),
            "expires_at": form.get("expires_at", ""),
            "ip_ranges": form.get("ip_ranges", ""),
            "levels": {category.name: form.get(f"level.{category.name}", otherwise) for category in self._pages.categories},
            "all": everything,
        }
        template = "keys/new.html" if listed is None else "keys/edit.html"
        shown = {"given": given, "problems": beside, "categories": self._pages.categories, "listed": listed}
        return self._pages.render(request, template, status, **shown, address=self._pages.address(request))

    def _rights(self, form: Mapping[str, str]) -> Rights | None:
        """The rights that were chosen, or None where the brand lets nobody choose."""
        if not self._pages.brand.edits_levels:
            return None
        return Rights(permissions=levels_in(form, self._pages.categories))

    async def _asked(self, request: Request, template: str, beside: Mapping[str, str] | None = None, status: int = 200) -> Response:
        """Ask before a key's end, and say what would break: also how many calls it made in the last hour."""
        listed = await self._listed(request)
        subject = Subject("credential", listed.key.id)
        calls = await request_logs.calls_last_hour(self._pages.desk, request.state.member, subject)
        return self._pages.render(
            request,
            template,
            status,
            listed=listed,
            problems=beside or {},
            overlaps=OVERLAPS,
            calls=calls,
        )

    async def _issued_before(self, request: Request, member: Principal, done: DoneBefore) -> Response:
        """Answer a form that was sent again: what it made is there once, and its secret was in the first answer."""
        key = (await keys.get(self._pages.desk, member, done.id_of("key") or "")).key
        said = f"{key.name} ({key.prefix}…) was made the first time that you pressed, and its secret was shown then."
        return self._pages.go(request, "/keys", f"{said} Rotate it if you missed that.", tone="warning")

    def _issued(self, request: Request, issued: Issued, said: str) -> Response:
        line = curl(self._pages.addresses.outside(request), issued.secret.text)
        warnings = warned(issued.key.ip_ranges, self._pages.address(request))
        return self._pages.render(request, "keys/issued.html", issued=issued, said=said, curl=line, warnings=warnings)


def _line(listed: Listed, now: int, places: Mapping[str, str]) -> Line:
    key, state = listed.key, listed.key.state(now)
    until = None
    if key.ends_at is not None:
        until = ("ended" if state == "ended" else "ends", key.ends_at)
    elif key.expires_at is not None:
        until = ("expired" if state == "expired" else "expires", key.expires_at)
    idle = idle_keys.is_idle(listed, now, now - IDLE_DAYS * DAY_MS)
    return Line(listed, state, _TONES.get(state, "neutral"), until, idle, found_in=places.get(key.id, ""))
