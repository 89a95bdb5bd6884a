"""Webhooks: the endpoints of a workspace, made, changed, rotated, disabled and deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.charts import DAY_MS
from keyrack.console.delivery_charts import DeliveryChart, days
from keyrack.console.endpoint_forms import (
    FIELDS,
    FIELDS_MAX,
    OF_WORKSPACE,
    as_written,
    endpoint_fields,
    given,
    signature_in,
    version_options,
)
from keyrack.console.fields import mode_in
from keyrack.console.forms import problems
from keyrack.console.lists import BY_TIME, ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.standings import Standing, notices, standings
from keyrack.console.verifying import samples
from keyrack.manage import deliveries, delivery_figures, endpoints, integrations
from keyrack.manage.endpoints import Issued
from keyrack.manage.once import DoneBefore, once
from keyrack.model.deliveries import State
from keyrack.model.endpoints import ENDPOINTS_MAX, PARALLEL_MAX, Endpoint, Health
from keyrack.model.events import tells
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, Refused

OVERLAPS = (("86400", "In a day"), ("604800", "In 7 days"), ("3600", "In an hour"), ("0", "Now"))
FAILING = "failing"
OWNERS_MAX = 100
"""How many integrations the form offers: the newest. An endpoint of any other is made through the API."""

STATES = {"active": True, FAILING: True, "disabled": False}


class Line(NamedTuple):
    """An endpoint as it stands in the list, with the last day's deliveries."""

    endpoint: Endpoint
    standing: Standing
    health: Health | None
    day: DeliveryChart

    @property
    def last_at(self) -> int | None:
        """When something was sent to it last."""
        health = self.health
        return None if health is None else max(filter(None, (health.succeeded_at, health.failed_at)), default=None)


class EndpointPages:
    """The pages about endpoints."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/endpoints", self.show, methods=["GET"]),
            Route("/console/endpoints", self.create, methods=["POST"]),
            Route("/console/endpoints/new", self.offer, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/edit", self.offer_changes, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/edit", self.edit, methods=["POST"]),
            Route("/console/endpoints/{endpoint_id}/disable", self.disable, methods=["POST"]),
            Route("/console/endpoints/{endpoint_id}/enable", self.enable, methods=["POST"]),
            Route("/console/endpoints/{endpoint_id}/rotate", self.ask_rotation, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/rotate", self.rotate, methods=["POST"]),
            Route("/console/endpoints/{endpoint_id}/delete", self.ask_deletion, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/delete", self.delete, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """The list, beside those of keys and calls, where the brand offers webhooks."""
        brand = self._pages.brand
        if not brand.webhooks:
            return []
        return [Entry("keys", "/endpoints", "Webhooks", "webhook", tab="Webhooks", group=brand.navigation[0], for_admins=True)]

    async def show(self, request: Request) -> Response:
        """Show the endpoints, and how they fare. Raises Refused `session_ended`, 403, 400."""
        member = await self._pages.member(request)
        member.require_admin("see endpoints")
        desk = self._pages.desk
        query = self._pages.query(request, member, "search", "state", "mode", orders=BY_TIME)
        asked = query.filters
        failing = asked["state"] == FAILING
        found = await endpoints.page(
            desk,
            member,
            limit=ENDPOINTS_MAX if failing else ROWS + 1,
            after=query.place,
            search=asked["search"] or None,
            enabled=STATES.get(asked["state"]),
            mode=mode_in(asked["mode"]) if asked["mode"] else None,
            order=query.order,
        )
        if failing:
            # How endpoints fare stands in another database, and there are a few hundred at most: those that fail are on one page.
            listing = query.continued(await self._lines(member, await self._failing(member, found)), None)
        else:
            listing = query.page(await self._lines(member, found), lambda line: query.order.place(line.endpoint))
        held = 0 if member.workspace.api_enabled else await delivery_figures.waiting(desk, member)
        shown = {"listing": listing, "held": held, "docs_url": self._docs_url(request), **await notices(desk, member)}
        return self._pages.render(request, "endpoints/list.html", **shown)

    async def offer(self, request: Request) -> Response:
        """Show the form that makes an endpoint. Raises Refused `session_ended`, 403."""
        member = await self._pages.member(request)
        member.require_admin("add endpoints")
        return await self._form(request, member, {"all": "yes", "api_version": self._pages.desk.versions.newest}, {})

    async def create(self, request: Request) -> Response:
        """Make an endpoint, and show its secret this once. Raises Refused `session_ended`, `csrf_failed`, 403."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "endpoints.create", FIELDS_MAX)
        try:
            fields = endpoint_fields(form)
            async with once(desk, member, mark):
                mode, owner_id = mode_in(form.get("mode", "live")), form.get("integration_id") or None
                issued = await endpoints.create(desk, member, mode=mode, signature=signature_in(form), integration_id=owner_id, **fields)
        except DoneBefore as done:
            endpoint = await endpoints.get(desk, member, done.id_of("endpoint") or "")
            return self._issued_before(request, endpoint, "The endpoint was added")
        except Refused as refused:
            return await self._form(request, member, form, problems(refused, *FIELDS), refused.refusal.status)
        return self._issued(request, issued, "Events are sent to it from now on.", is_new=True)

    async def offer_changes(self, request: Request) -> Response:
        """Show the form that changes an endpoint. Raises Refused `session_ended`, 403, 404."""
        member, endpoint = await self._endpoint(request)
        return await self._form(request, member, as_written(endpoint), {}, endpoint=endpoint)

    async def edit(self, request: Request) -> Response:
        """Change an endpoint. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "endpoints.edit", FIELDS_MAX)
        _, endpoint = await self._endpoint(request)
        try:
            fields = endpoint_fields(form)
            # What was allowed once stays, also where it could not be chosen today.
            changed = {name: value for name, value in fields.items() if name == "headers" or value != _held(endpoint, name)}
            await endpoints.edit(self._pages.desk, member, endpoint.id, **changed)
        except Refused as refused:
            return await self._form(request, member, form, problems(refused, *FIELDS), refused.refusal.status, endpoint=endpoint)
        return self._pages.go(request, f"/endpoints/{endpoint.id}", "The endpoint is saved. What changed holds from now on.")

    async def disable(self, request: Request) -> Response:
        """Have an endpoint get nothing any more. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "endpoints.disable")
        return await self._disabled(request, member)

    async def enable(self, request: Request) -> Response:
        """Have an endpoint get deliveries again. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, _ = await self._pages.sent(request, "endpoints.enable")
        endpoint = await endpoints.enable(self._pages.desk, member, request.path_params["endpoint_id"])
        said = "The endpoint is enabled. What happens from now on is sent to it."
        return self._pages.go(request, f"/endpoints/{endpoint.id}", said)

    async def ask_rotation(self, request: Request) -> Response:
        """Ask before the secret is rotated, and say what that breaks. Raises Refused `session_ended`, 403, 404."""
        return await self._asked(request, "endpoints/rotate.html")

    async def rotate(self, request: Request) -> Response:
        """Give an endpoint a new secret, and show it this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        desk = self._pages.desk
        member, form, mark = await self._pages.sent_once(request, "endpoints.rotate")
        overlap = form.get("overlap_seconds", "")
        try:
            if overlap not in dict(OVERLAPS):
                raise INVALID_REQUEST("Choose one of the times in the list.", param="overlap_seconds")
            async with once(desk, member, mark):
                issued = await endpoints.rotate(desk, member, request.path_params["endpoint_id"], int(overlap))
        except DoneBefore as done:
            endpoint = await endpoints.get(desk, member, done.id_of("endpoint") or "")
            return self._issued_before(request, endpoint, "The secret was rotated")
        except Refused as refused:
            beside = problems(refused, "overlap_seconds")
            return await self._asked(request, "endpoints/rotate.html", beside, refused.refusal.status)
        return self._issued(request, issued, f"The old one ends {dict(OVERLAPS)[overlap].lower()}.")

    async def ask_deletion(self, request: Request) -> Response:
        """Ask before an endpoint is deleted, and say what that breaks. Raises Refused `session_ended`, 403, 404."""
        return await self._asked(request, "endpoints/delete.html")

    async def delete(self, request: Request) -> Response:
        """Delete an endpoint, or disable it instead. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "endpoints.delete")
        if form.get("instead") == "disable":
            return await self._disabled(request, member)
        await endpoints.delete(self._pages.desk, member, request.path_params["endpoint_id"])
        return self._pages.go(request, "/endpoints", "The endpoint is deleted. Nothing is sent to it any more.")

    async def _lines(self, member: Principal, found: list[Endpoint]) -> list[Line]:
        desk = self._pages.desk
        now, ids = desk.now(), [endpoint.id for endpoint in found]
        stand = await standings(desk, member, found)
        charts = days(await delivery_figures.hours(desk, member, ids, now - DAY_MS), ids, now)
        return [Line(endpoint, *stand[endpoint.id], charts[endpoint.id]) for endpoint in found]

    async def _failing(self, member: Principal, found: list[Endpoint]) -> list[Endpoint]:
        """Those to which every delivery fails at the moment."""
        health = await deliveries.health(self._pages.desk, member, [endpoint.id for endpoint in found])
        return [endpoint for endpoint in found if endpoint.id in health and health[endpoint.id].failing_since is not None]

    async def _endpoint(self, request: Request) -> tuple[Principal, Endpoint]:
        member = await self._pages.member(request)
        member.require_admin("manage endpoints")
        return member, await endpoints.get(self._pages.desk, member, request.path_params["endpoint_id"])

    async def _disabled(self, request: Request, member: Principal) -> Response:
        endpoint = await endpoints.disable(self._pages.desk, member, request.path_params["endpoint_id"])
        said = "The endpoint is disabled. Nothing is sent to it until it is enabled again."
        return self._pages.go(request, f"/endpoints/{endpoint.id}", said)

    async def _asked(self, request: Request, template: str, beside: Mapping[str, str] | None = None, status: int = 200) -> Response:
        """Ask before something that breaks a receiver, and say what it got in the last day."""
        member, endpoint = await self._endpoint(request)
        desk = self._pages.desk
        day = await delivery_figures.hours(desk, member, [endpoint.id], desk.now() - DAY_MS)
        return self._pages.render(
            request,
            template,
            status,
            endpoint=endpoint,
            problems=beside or {},
            overlaps=OVERLAPS,
            sent=sum(counted.deliveries for counted in day if counted.state is State.SUCCEEDED),
            waiting=await delivery_figures.waiting(desk, member, endpoint.id),
        )

    async def _form(
        self,
        request: Request,
        member: Principal,
        form: Mapping[str, str],
        beside: Mapping[str, str],
        status: int = 200,
        endpoint: Endpoint | None = None,
    ) -> Response:
        """The form of a new endpoint, or of one that there is, as it was filled in."""
        desk = self._pages.desk
        known = list(desk.event_types.values())
        owners = [] if endpoint is not None else await integrations.page(desk, member, limit=OWNERS_MAX)
        # What lies in spaces is told to those with a role there, so never to the workspace's own endpoints.
        is_workspaces = endpoint.integration_id is None if endpoint is not None else not owners
        told = [one for one in known if tells(one, desk.categories, OF_WORKSPACE)] if is_workspaces else known
        return self._pages.render(
            request,
            "endpoints/new.html" if endpoint is None else "endpoints/edit.html",
            status,
            endpoint=endpoint,
            given=given(form, told, beside),
            leaves_out_spaces=len(told) < len(known),
            owners=[(one.id, one.name) for one in owners],
            problems=beside,
            versions=version_options(desk.versions, desk.now(), (endpoint.api_version or "") if endpoint else ""),
            parallel_max=PARALLEL_MAX,
        )

    def _issued(self, request: Request, issued: Issued, said: str, *, is_new: bool = False) -> Response:
        endpoint = issued.endpoint
        return self._pages.render(
            request,
            "endpoints/issued.html",
            endpoint=endpoint,
            secret=issued.secret.text if issued.secret is not None else endpoint.keys[0].public,
            samples=samples(endpoint.signature),
            said=said,
            is_new=is_new,
            docs_url=self._docs_url(request),
        )

    def _issued_before(self, request: Request, endpoint: Endpoint, happened: str) -> Response:
        """Answer a form that was sent again: what it made is there once, and the secret was in the first answer."""
        said = f"{happened} the first time that you pressed, and what it signs with was shown then. Rotate it if you missed that."
        return self._pages.go(request, f"/endpoints/{endpoint.id}", said, tone="warning")

    def _docs_url(self, request: Request) -> str:
        return f"{self._pages.addresses.outside(request)}/docs/guides/webhooks"


def _held(endpoint: Endpoint, name: str) -> Any:
    """What an endpoint has in a field, as the form gives it."""
    value = getattr(endpoint, name)
    return list(value) if isinstance(value, tuple) else value
