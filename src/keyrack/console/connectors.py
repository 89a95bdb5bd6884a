"""Connectors: accounts at vendors that are connected, checked, changed and deleted, and the log of what events became there."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.connector_words import CALL_STATES, call_badge, connector_badge, shown_request, why_in_words
from keyrack.console.fields import name_in
from keyrack.console.forms import problems
from keyrack.console.lists import ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import connector_calls, connectors
from keyrack.manage.once import DoneBefore, once
from keyrack.model.connector_calls import ConnectorCall, Verdict
from keyrack.model.connectors import CONNECTORS_MAX, Connector, Vendor
from keyrack.model.deliveries import State
from keyrack.model.orders import NEWEST
from keyrack.model.principals import Principal
from keyrack.model.refusals import NOT_FOUND, Refused

FIELDS_MAX = 150
_CHOSEN = "yes"


class ConnectorPages:
    """The pages about connectors."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        one = "/console/connectors/{connector_id}"
        return [
            Route("/console/connectors", self.show, methods=["GET"]),
            Route("/console/connectors", self.create, methods=["POST"]),
            Route("/console/connectors/new/{vendor}", self.offer, methods=["GET"]),
            Route(one, self.details, methods=["GET"]),
            Route(f"{one}/edit", self.offer_changes, methods=["GET"]),
            Route(f"{one}/edit", self.edit, methods=["POST"]),
            Route(f"{one}/check", self.check, methods=["POST"]),
            Route(f"{one}/disable", self.disable, methods=["POST"]),
            Route(f"{one}/enable", self.enable, methods=["POST"]),
            Route(f"{one}/delete", self.ask_deletion, methods=["GET"]),
            Route(f"{one}/delete", self.delete, methods=["POST"]),
            Route(f"{one}/calls/{{call_id}}", self.call, methods=["GET"]),
            Route(f"{one}/calls/{{call_id}}/retry", self.retry, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, where the host says of any vendor what its events become there."""
        if not self._pages.desk.vendors:
            return []
        return [Entry("connectors", "/connectors", "Connectors", "webhook", group=self._pages.brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the connectors, and what can be connected. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        found = await connectors.page(self._pages.desk, member, limit=CONNECTORS_MAX)
        lines = [(one, self._title(one), connector_badge(one)) for one in found]
        return self._pages.render(request, "connectors/list.html", lines=lines, vendors=self._pages.desk.vendors.values())

    async def offer(self, request: Request) -> Response:
        """Show the form that connects an account. Raises Refused `session_ended`, 403, 404."""
        member = await self._pages.member(request)
        connectors.require_say(member, "connect accounts")
        vendor = self._vendor(request.path_params["vendor"])
        return self._form(request, vendor, {"name": vendor.title, **{f"event.{name}": _CHOSEN for name in vendor.events}}, {})

    async def create(self, request: Request) -> Response:
        """Connect an account. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "connectors.create", FIELDS_MAX)
        vendor = self._vendor(form.get("vendor", ""))
        try:
            fields: dict[str, Any] = {"name": name_in(form), "events": _events_in(form, vendor), "settings": _settings_in(form, vendor)}
            async with once(desk, member, mark):
                made = await connectors.create(desk, member, vendor=vendor.name, **fields)
        except DoneBefore as done:
            made = await connectors.get(desk, member, done.id_of("connector") or "")
        except Refused as refused:
            return self._form(request, vendor, form, problems(refused, *_fields(vendor)), refused.refusal.status)
        said = f"{made.name} is connected. Check it now, so that you need not wait for the first event to see whether it works."
        return self._pages.go(request, f"/connectors/{made.id}", said)

    async def details(self, request: Request) -> Response:
        """Show a connector with its log. Raises Refused `session_ended`, 403, 404, 400."""
        member, connector = await self._connector(request)
        query = self._pages.query(request, member, "state")
        wanted = query.filters["state"]
        state = State(wanted) if wanted in CALL_STATES else None
        found = await connector_calls.page(self._pages.desk, member, connector.id, limit=ROWS + 1, after=query.place, state=state)
        listing = query.page([(call, call_badge(call), why_in_words(call.why)) for call in found], lambda line: NEWEST.place(line[0]))
        return self._pages.render(request, "connectors/details.html", listing=listing, states=CALL_STATES, **self._shown(connector))

    async def offer_changes(self, request: Request) -> Response:
        """Show the form that changes a connector. Raises Refused `session_ended`, 403, 404."""
        _, connector = await self._connector(request)
        vendor = self._vendor(connector.vendor)
        return self._form(request, vendor, _as_written(connector), {}, connector=connector)

    async def edit(self, request: Request) -> Response:
        """Change a connector. A secret that is left empty stays. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "connectors.edit", FIELDS_MAX)
        _, connector = await self._connector(request)
        vendor = self._vendor(connector.vendor)
        try:
            kept = {one.name for one in vendor.fields if one.secret and not form.get(f"settings-{one.name}")}
            settings = {name: value for name, value in _settings_in(form, vendor).items() if name not in kept}
            fields = {"name": name_in(form), "events": _events_in(form, vendor), "settings": settings}
            await connectors.edit(self._pages.desk, member, connector.id, **fields)
        except Refused as refused:
            return self._form(request, vendor, form, problems(refused, *_fields(vendor)), refused.refusal.status, connector=connector)
        return self._pages.go(request, f"/connectors/{connector.id}", "The connector is saved. What changed holds from now on.")

    async def check(self, request: Request) -> Response:
        """Ask the vendor whether it takes the credentials. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "connectors.check")
        _, connector = await self._connector(request)
        answer = await self._pages.connector_calls.check(member, connector.id)
        return self._pages.go(
            request, f"/connectors/{connector.id}", answer.detail, tone="success" if answer.verdict is Verdict.SENT else "warning"
        )

    async def disable(self, request: Request) -> Response:
        """Have a connector send nothing any more. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "connectors.disable")
        connector = await connectors.edit(self._pages.desk, member, request.path_params["connector_id"], enabled=False)
        said = f"{connector.name} is off. What happens from now on is skipped."
        return self._pages.go(request, f"/connectors/{connector.id}", said)

    async def enable(self, request: Request) -> Response:
        """Have a connector send again. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "connectors.enable")
        connector = await connectors.edit(self._pages.desk, member, request.path_params["connector_id"], enabled=True)
        return self._pages.go(request, f"/connectors/{connector.id}", f"{connector.name} is on. What happens from now on is sent.")

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before a connector is deleted, and say what that ends. Raises Refused `session_ended`, 403, 404."""
        _, connector = await self._connector(request)
        return self._pages.render(request, "connectors/delete.html", **self._shown(connector))

    async def delete(self, request: Request) -> Response:
        """Delete a connector. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "connectors.delete")
        deleted = await connectors.delete(self._pages.desk, member, request.path_params["connector_id"])
        return self._pages.go(request, "/connectors", f"{deleted.name} is deleted, and its credentials are destroyed here.")

    async def call(self, request: Request) -> Response:
        """Show one call. Raises Refused `session_ended`, 403, 404."""
        member, connector = await self._connector(request)
        call = await connector_calls.get(self._pages.desk, member, connector.id, request.path_params["call_id"])
        return self._call(request, connector, call, {})

    async def retry(self, request: Request) -> Response:
        """Have a call sent again. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "connectors.retry")
        _, connector = await self._connector(request)
        try:
            call = await connector_calls.retry(self._pages.desk, member, connector.id, request.path_params["call_id"])
        except Refused as refused:
            found = await connector_calls.get(self._pages.desk, member, connector.id, request.path_params["call_id"])
            return self._call(request, connector, found, problems(refused), refused.refusal.status)
        return self._pages.go(request, f"/connectors/{connector.id}/calls/{call.id}", "It is sent again within a few seconds.")

    async def _connector(self, request: Request) -> tuple[Principal, Connector]:
        member = await self._pages.member(request)
        return member, await connectors.get(self._pages.desk, member, request.path_params["connector_id"])

    def _vendor(self, name: str) -> Vendor:
        found = self._pages.desk.vendors.get(name)
        if found is None:
            raise NOT_FOUND("There is no such vendor here.")
        return found

    def _title(self, connector: Connector) -> str:
        vendor = self._pages.desk.vendors.get(connector.vendor)
        return vendor.title if vendor is not None else connector.vendor

    def _shown(self, connector: Connector) -> dict[str, Any]:
        vendor = self._pages.desk.vendors.get(connector.vendor)
        return {
            "connector": connector,
            "title": self._title(connector),
            "badge": connector_badge(connector),
            "fields": vendor.fields if vendor is not None else (),
            "is_offered": vendor is not None,
        }

    def _call(self, request: Request, connector: Connector, call: ConnectorCall, beside: Mapping[str, str], status: int = 200) -> Response:
        return self._pages.render(
            request,
            "connectors/call.html",
            status,
            call=call,
            call_badge=call_badge(call),
            why=why_in_words(call.why),
            sent=shown_request(call),
            problems=beside,
            **self._shown(connector),
        )

    def _form(
        self,
        request: Request,
        vendor: Vendor,
        form: Mapping[str, str],
        beside: Mapping[str, str],
        status: int = 200,
        connector: Connector | None = None,
    ) -> Response:
        """The form of a new connector, or of one that there is, as it was filled in; secrets are never written back into it."""
        kinds = self._pages.desk.event_types
        events = [(name, kinds[name].description, form.get(f"event.{name}") == _CHOSEN) for name in vendor.events]
        secret = {one.name for one in vendor.fields if one.secret}
        given = {one.name: "" if one.name in secret else form.get(f"settings-{one.name}", "") for one in vendor.fields}
        return self._pages.render(
            request,
            "connectors/new.html" if connector is None else "connectors/edit.html",
            status,
            connector=connector,
            vendor=vendor,
            name=form.get("name", ""),
            given=given,
            events=events,
            # An id on a page has no dot.
            problems={field.replace(".", "-"): told for field, told in beside.items()},
        )


def _fields(vendor: Vendor) -> list[str]:
    return ["name", "events", *(f"settings.{one.name}" for one in vendor.fields)]


def _events_in(form: Mapping[str, str], vendor: Vendor) -> list[str]:
    return [name for name in vendor.events if form.get(f"event.{name}") == _CHOSEN]


def _settings_in(form: Mapping[str, str], vendor: Vendor) -> dict[str, str]:
    return {one.name: form.get(f"settings-{one.name}", "").strip() for one in vendor.fields}


def _as_written(connector: Connector) -> dict[str, str]:
    chosen = {f"event.{name}": _CHOSEN for name in connector.events}
    return {"name": connector.name, **chosen, **{f"settings-{name}": value for name, value in connector.settings.items()}}
