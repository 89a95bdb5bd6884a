"""Trying an endpoint out: a sample event goes to it at once, and what was sent and answered is shown."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.exchanges import Tried, tried
from keyrack.console.forms import problems
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import endpoints, event_types
from keyrack.model.endpoints import Endpoint
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
        _, endpoint = await self._endpoint(request)
        return self._page(request, endpoint)

    async def send(self, request: Request) -> Response:
        """Send a sample, and show the exact request and answer this once. Raises Refused `session_ended`, `csrf_failed`, 403, 404."""
        member, form = await self._pages.sent(request, "endpoints.test")
        _, endpoint = await self._endpoint(request)
        chosen = form.get("event_type", "")
        try:
            if chosen not in self._pages.desk.event_types:
                raise INVALID_REQUEST("Choose one of the events in the list.", param="event_type")
            sample = event_types.sample(self._pages.desk.event_types[chosen])
            attempt = await self._pages.sender.test(member, endpoint.id, chosen, sample)
        except Refused as refused:
            return self._page(request, endpoint, chosen, problems(refused, "event_type"), status=refused.refusal.status)
        return self._page(request, endpoint, chosen, came=tried(attempt, endpoint.url))

    async def _endpoint(self, request: Request) -> tuple[Principal, Endpoint]:
        member = await self._pages.member(request)
        member.require_admin("test endpoints")
        return member, await endpoints.get(self._pages.desk, member, request.path_params["endpoint_id"])

    def _page(
        self,
        request: Request,
        endpoint: Endpoint,
        chosen: str = "",
        beside: Mapping[str, str] | None = None,
        came: Tried | None = None,
        status: int = 200,
    ) -> Response:
        """What the endpoint gets stands first; it takes any other sample, too."""
        kinds = sorted(self._pages.desk.event_types.values(), key=lambda one: (one.category is None, one.name))
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
