"""The page of one event: what happened, who did it, and where it was sent, or why not."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.connector_words import call_badge, why_in_words
from keyrack.console.deliveries import line
from keyrack.console.delivery_words import Badge
from keyrack.console.exchanges import indented
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.manage import connector_calls, connectors, deliveries, delivery_figures, endpoints, events
from keyrack.model.connector_calls import ConnectorCall
from keyrack.model.connectors import CONNECTORS_MAX
from keyrack.model.endpoints import ENDPOINTS_MAX, shown_url
from keyrack.model.events import Event
from keyrack.model.principals import Principal

_NOT_LONG_MS = 5_000


class EventPages:
    """The page about an event. Feeds and deliveries lead to it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The route."""
        return [Route("/console/events/{event_id}", self.show, methods=["GET"])]

    @property
    def entries(self) -> Sequence[Entry]:
        """None."""
        return []

    async def show(self, request: Request) -> Response:
        """Show an event. Raises Refused `session_ended`, 403, 404."""
        desk = self._pages.desk
        member = await self._pages.member(request)
        member.require_admin("see where events were sent")
        event = await events.get(desk, member, request.path_params["event_id"])
        found = await deliveries.page(desk, member, limit=ENDPOINTS_MAX, event_id=event.id)
        answers = await delivery_figures.last_answers(desk, member, [one.id for one in found])
        named = await delivery_figures.receivers(desk, member, [one.endpoint_id for one in found])
        names = {endpoint_id: shown_url(endpoint.url) for endpoint_id, endpoint in named.items()}
        return self._pages.render(
            request,
            "events/details.html",
            event=event,
            lines=[line(one, answers.get(one.id), names.get(one.endpoint_id, "An endpoint that was deleted")) for one in found],
            nowhere="" if found else await self._nowhere(member, event),
            calls=await self._calls(member, event),
            data=indented(dict(event.data)),
        )

    async def _calls(self, member: Principal, event: Event) -> list[tuple[ConnectorCall, str, Badge, str]]:
        """What the event became at connectors, each with its connector's name and what is said of it."""
        found = await connector_calls.of_event(self._pages.desk, member, event.id)
        there = await connectors.page(self._pages.desk, member, limit=CONNECTORS_MAX) if found else []
        names = {connector.id: connector.name for connector in there}
        return [(call, names.get(call.connector_id, ""), call_badge(call), why_in_words(call.why)) for call in found]

    async def _nowhere(self, member: Principal, event: Event) -> str:
        """Say why an event was sent to no endpoint."""
        if event.created_at > self._pages.desk.now() - _NOT_LONG_MS:
            return "It has only just happened. Load the page again in a moment."
        there = await endpoints.page(self._pages.desk, member, limit=ENDPOINTS_MAX)
        if not there:
            return "There is no endpoint: nobody wants to be told of events."
        wanting = [endpoint for endpoint in there if endpoint.wants(event.type)]
        if not wanting:
            return f"No endpoint asks for {event.type}."
        if all(endpoint.created_at > event.created_at for endpoint in wanting):
            return f"It happened before there was an endpoint that asks for {event.type}."
        return "What was delivered of it is no longer kept."
