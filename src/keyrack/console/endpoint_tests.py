"""Trying an endpoint out: a sample event goes to it at once, and what was sent and answered is shown."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.endpoint_forms import OF_WORKSPACE
from keyrack.console.exchanges import Tried, tried
from keyrack.console.forms import problems
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import endpoints, event_types, integrations
from keyrack.model.endpoints import Endpoint
from keyrack.model.events import EventType, tells
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, Refused


class EndpointTestPages:
    """The page on which an endpoint is tried out."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/endpoints/{endpoint_id}/test", self.offer, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/test", self.send, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """None: endpoints lead here."""
        return []

    async def offer(self, request: Request) -> Response:
        """Show what can be sent. Raises Refused `session_ended`, 403, 404."""
        member, endpoint = await self._endpoint(request)
        return self._page(request, endpoint, await self._told(member, endpoint))

    async def send(self, request: Request) -> Response:
        """Send a sample, and show the exact request and answer this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "endpoints.test")
        _, endpoint = await self._endpoint(request)
        told = await self._told(member, endpoint)
        chosen = form.get("event_type", "")
        try:
            if chosen not in told:
                raise INVALID_REQUEST("Choose one of the events in the list.", param="event_type")
            sample = event_types.sample(told[chosen])
            attempt = await self._pages.sender.test(member, endpoint.id, chosen, sample)
        except Refused as refused:
            return self._page(request, endpoint, told, chosen, problems(refused, "event_type"), status=refused.refusal.status)
        return self._page(request, endpoint, told, chosen, came=tried(attempt, endpoint.url))

    async def _endpoint(self, request: Request) -> tuple[Principal, Endpoint]:
        member = await self._pages.member(request)
        member.require_admin("test endpoints")
        return member, await endpoints.get(self._pages.desk, member, request.path_params["endpoint_id"])

    async def _told(self, member: Principal, endpoint: Endpoint) -> Mapping[str, EventType]:
        """The types of events that the endpoint may be told of, whether it asks for them or not."""
        desk, rights = self._pages.desk, OF_WORKSPACE
        if endpoint.integration_id is not None:
            rights = (await integrations.get(desk, member, endpoint.integration_id)).rights
        return {name: one for name, one in desk.event_types.items() if tells(one, desk.categories, rights)}

    def _page(
        self,
        request: Request,
        endpoint: Endpoint,
        told: Mapping[str, EventType],
        chosen: str = "",
        beside: Mapping[str, str] | None = None,
        came: Tried | None = None,
        status: int = 200,
    ) -> Response:
        """What the endpoint gets stands first; it takes a sample of what it could be told of, too."""
        kinds = sorted(told.values(), key=lambda one: (one.category is None, one.name))
        wanted = [one.name for one in kinds if endpoint.wants(one.name)]
        others = [one.name for one in kinds if not endpoint.wants(one.name)]
        return self._pages.render(
            request,
            "endpoints/test.html",
            status,
            endpoint=endpoint,
            offered=[("It gets", wanted), ("It does not get", others)],
            chosen=chosen,
            tried=came,
            problems=beside or {},
        )
