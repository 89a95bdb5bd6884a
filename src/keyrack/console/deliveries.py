"""What was delivered to endpoints: their pages, one delivery with each of its attempts, and what is sent again."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.console.charts import took
from keyrack.console.delivery_charts import DELIVERY_RANGES, DeliveryChart, delivery_range
from keyrack.console.delivery_words import STATES, Badge, delivery_badge, outcome, why_in_words
from keyrack.console.endpoint_forms import OF_WORKSPACE
from keyrack.console.exchanges import indented, tried
from keyrack.console.lists import ROWS
from keyrack.console.navigation import Entry
from keyrack.console.pages import Pages
from keyrack.console.standings import standing
from keyrack.manage import deliveries, delivery_figures, endpoints, events, integrations
from keyrack.manage.delivery_figures import Answer
from keyrack.model.deliveries import Delivery, State
from keyrack.model.endpoints import Endpoint, shown_url
from keyrack.model.events import tells
from keyrack.model.orders import NEWEST
from keyrack.model.permissions import Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, NOT_FOUND, Refused

ORDERS = {"-created_at": "Newest first"}
ATTEMPTS_SHOWN_MAX = 30
DAY_MS = 86_400_000
SINCE = {
    "1h": ("an hour ago", DAY_MS // 24),
    "24h": ("a day ago", DAY_MS),
    "3d": ("3 days ago", 3 * DAY_MS),
    "7d": ("7 days ago", 7 * DAY_MS),
}
"""From when on failed deliveries are replayed; and `failing`: since the endpoint has only failed."""

FAILING = "failing"


class Line(NamedTuple):
    """A delivery as it stands in a list: `name` is its endpoint's, `outcome` what came of the last attempt."""

    delivery: Delivery
    badge: Badge
    why: str
    outcome: Badge | None
    name: str = ""


class DeliveryPages:
    """The pages about what was delivered."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/console/endpoints/{endpoint_id}", self.show, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/replay", self.ask_replay, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/replay", self.replay, methods=["POST"]),
            Route("/console/endpoints/{endpoint_id}/deliveries/{delivery_id}", self.details, methods=["GET"]),
            Route("/console/endpoints/{endpoint_id}/deliveries/{delivery_id}/resend", self.resend, methods=["POST"]),
        ]

    @property
    def entries(self) -> Sequence[Entry]:
        """None: the list of endpoints leads here."""
        return []

    async def show(self, request: Request) -> Response:
        """Show an endpoint, how it fares, and what was delivered to it. Raises Refused `session_ended`, 403, 404, 400."""
        member, endpoint = await self._endpoint(request)
        desk, pages = self._pages.desk, self._pages
        query = pages.query(request, member, "state", "type", "range", orders=ORDERS)
        asked, now = query.filters, desk.now()
        chosen = delivery_range(asked)
        since = chosen.bounds(now)[0]
        found = await deliveries.page(
            desk,
            member,
            limit=ROWS + 1,
            after=query.place,
            endpoint_id=endpoint.id,
            state=_state(asked["state"]),
            event_type=asked["type"] or None,
            since=since,
        )
        listing = query.page(await self._lines(member, found), lambda line: NEWEST.place(line.delivery))
        series = await delivery_figures.series(desk, member, endpoint.id, since)
        owner, rights = await self._owner(member, endpoint)
        return pages.render(
            request,
            "endpoints/details.html",
            endpoint=endpoint,
            listing=listing,
            chart=DeliveryChart.of(chosen, series, now),
            chosen=chosen,
            ranges=DELIVERY_RANGES,
            states={state.value: text for state, text in STATES.items()},
            types=self._types(endpoint, rights, asked["type"]),
            standing=await standing(desk, member, endpoint),
            signing=endpoint.signing(now),
            owner=owner,
            took=took,
        )

    async def ask_replay(self, request: Request) -> Response:
        """Ask before failed deliveries are sent again, and count them. Raises Refused `session_ended`, 403, 404."""
        member, endpoint = await self._endpoint(request)
        return await self._replay_form(request, member, endpoint, request.query_params.get("since", ""))

    async def replay(self, request: Request) -> Response:
        """Send failed deliveries again. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 400."""
        member, form = await self._pages.sent(request, "endpoints.replay")
        _, endpoint = await self._endpoint(request)
        since = await self._since(member, endpoint, form.get("since", ""))
        if since is None:
            raise INVALID_REQUEST("Choose one of the times in the list.", param="since")
        replayed = await deliveries.replay_failed(self._pages.desk, member, endpoint.id, since=since)
        said = "One delivery is sent again." if replayed == 1 else f"{replayed:,} deliveries are sent again."
        return self._pages.go(request, f"/endpoints/{endpoint.id}", said)

    async def details(self, request: Request) -> Response:
        """Show a delivery, and each attempt with what was sent and answered. Raises Refused `session_ended`, 403, 404."""
        desk = self._pages.desk
        member = await self._admin(request)
        delivery = await self._delivery(request, member)
        attempts = await deliveries.attempts(desk, member, delivery.id, limit=ATTEMPTS_SHOWN_MAX + 1)
        named = await delivery_figures.receivers(desk, member, [delivery.endpoint_id])
        endpoint = named.get(delivery.endpoint_id)
        name = shown_url(endpoint.url) if endpoint is not None else "An endpoint that was deleted"
        return self._pages.render(
            request,
            "deliveries/details.html",
            delivery=delivery,
            endpoint=endpoint,
            name=name,
            badge=delivery_badge(delivery),
            why=why_in_words(delivery.why, delivery.mode),
            attempts=[tried(attempt, name) for attempt in attempts[:ATTEMPTS_SHOWN_MAX]],
            has_more=len(attempts) > ATTEMPTS_SHOWN_MAX,
            can_resend=endpoint is not None and endpoint.state == "active" and delivery.state is not State.HELD,
            data=await self._data(member, delivery),
        )

    async def resend(self, request: Request) -> Response:
        """Send one delivery again at once. Raises Refused `session_ended`, `csrf_failed`, 403, 404, 409."""
        member, _ = await self._pages.sent(request, "deliveries.resend")
        delivery = await self._delivery(request, member)
        await deliveries.resend(self._pages.desk, member, delivery.id)
        said = "It is sent again now. Load the page again to see what comes of it."
        return self._pages.go(request, f"/endpoints/{delivery.endpoint_id}/deliveries/{delivery.id}", said)

    async def _admin(self, request: Request) -> Principal:
        member = await self._pages.member(request)
        member.require_admin("see deliveries")
        return member

    async def _endpoint(self, request: Request) -> tuple[Principal, Endpoint]:
        member = await self._admin(request)
        return member, await endpoints.get(self._pages.desk, member, request.path_params["endpoint_id"])

    async def _delivery(self, request: Request, member: Principal) -> Delivery:
        delivery = await deliveries.get(self._pages.desk, member, request.path_params["delivery_id"])
        if delivery.endpoint_id != request.path_params["endpoint_id"]:
            raise NOT_FOUND("There is no such delivery.")
        return delivery

    async def _lines(self, member: Principal, found: Sequence[Delivery]) -> list[Line]:
        answers = await delivery_figures.last_answers(self._pages.desk, member, [delivery.id for delivery in found])
        return [line(delivery, answers.get(delivery.id)) for delivery in found]

    async def _owner(self, member: Principal, endpoint: Endpoint) -> tuple[str, Rights]:
        """What the integration is called that an endpoint belongs to, empty where that is none; and the rights that say what it is told."""
        if endpoint.integration_id is None:
            return "", OF_WORKSPACE
        integration = await integrations.get(self._pages.desk, member, endpoint.integration_id)
        return integration.name, integration.rights

    async def _data(self, member: Principal, delivery: Delivery) -> str:
        """What an event tells, or nothing where it is no longer there."""
        try:
            event = await events.get(self._pages.desk, member, delivery.event_id)
        except Refused:
            return ""
        return indented(dict(event.data))

    async def _since(self, member: Principal, endpoint: Endpoint, chosen: str) -> int | None:
        """From when on failed deliveries are replayed, or None where that is no time that people choose."""
        if chosen in SINCE:
            return self._pages.desk.now() - SINCE[chosen][1]
        health = await deliveries.health(self._pages.desk, member, [endpoint.id])
        return health[endpoint.id].failing_since if chosen == FAILING and endpoint.id in health else None

    async def _replay_form(self, request: Request, member: Principal, endpoint: Endpoint, chosen: str) -> Response:
        has_failed = await self._since(member, endpoint, FAILING) is not None
        offered = [*([(FAILING, "it began to fail")] if has_failed else []), *((name, text) for name, (text, _) in SINCE.items())]
        picked = chosen if chosen in dict(offered) else offered[0][0] if has_failed else "24h"
        since = await self._since(member, endpoint, picked)
        return self._pages.render(
            request,
            "endpoints/replay.html",
            endpoint=endpoint,
            sinces=offered,
            since=picked,
            count=await deliveries.count_failed(self._pages.desk, member, endpoint.id, since=since or 0),
            problems={},
        )

    def _types(self, endpoint: Endpoint, rights: Rights, asked: str) -> list[tuple[str, str]]:
        """The types of events that this endpoint gets, to filter by."""
        desk = self._pages.desk
        names = sorted(name for name, kind in desk.event_types.items() if endpoint.wants(name) and tells(kind, desk.categories, rights))
        return [(name, name) for name in (names if asked in ("", *names) else [asked, *names])]


def line(delivery: Delivery, answer: Answer | None, name: str = "") -> Line:
    """Return a delivery as it stands in a list."""
    came = outcome(answer.status, answer.error, brief=True) if answer is not None else None
    return Line(delivery, delivery_badge(delivery), why_in_words(delivery.why, delivery.mode), came, name)


def _state(asked: str) -> State | None:
    """Raises Refused 400 for none."""
    if asked not in ("", *State):
        raise INVALID_REQUEST("Choose one of the states.", param="state")
    return State(asked) if asked else None
