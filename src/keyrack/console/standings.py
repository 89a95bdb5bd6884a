"""How an endpoint stands: active, failing, disabled or held; and where that is not well, since when, why, and what it has not got."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from keyrack.console.delivery_words import outcome, outcome_in_words
from keyrack.manage import deliveries, delivery_figures, endpoints
from keyrack.manage.delivery_figures import Trouble
from keyrack.manage.desk import Desk
from keyrack.model.endpoints import ENDPOINTS_MAX, DisableReason, Endpoint, Health
from keyrack.model.principals import Principal

NOTICES_MAX = 3
WARNED_AFTER_MS = 3 * 86_400_000
"""For how long an endpoint only fails before the pages of the API say so: two days before it is disabled for that."""


class Standing(NamedTuple):
    """A word with its tone. `since` (ms) is since when, `verb` what that is called; `lost` and `last` are sentences for its page."""

    text: str
    tone: str
    verb: str = ""
    since: int | None = None
    lost: str = ""
    last: str = ""


def brief(endpoint: Endpoint, health: Health | None, *, api_enabled: bool) -> Standing:
    """Return how an endpoint stands, as a list shows it."""
    if endpoint.disabled_at is not None:
        chosen = endpoint.disable_reason in (None, DisableReason.CHOSEN)
        return Standing("Disabled", "warn" if chosen else "bad", "since", endpoint.disabled_at)
    if not api_enabled:
        return Standing("Held", "info")
    if health is not None and health.failing_since is not None:
        return Standing("Failing", "bad", "since", health.failing_since)
    return Standing("Active", "good")


async def standings(desk: Desk, member: Principal, listed: list[Endpoint]) -> Mapping[str, tuple[Standing, Health | None]]:
    """Return how endpoints stand, by their ids."""
    found = await deliveries.health(desk, member, [endpoint.id for endpoint in listed])
    enabled = member.workspace.api_enabled
    return {one.id: (brief(one, found.get(one.id), api_enabled=enabled), found.get(one.id)) for one in listed}


async def notices(desk: Desk, member: Principal) -> dict[str, Any]:
    """Return what the pages of the API tell admins of webhooks: which endpoints were disabled by themselves, and which soon will be."""
    there = await endpoints.page(desk, member, limit=ENDPOINTS_MAX) if member.is_admin else []
    by_itself = [one for one in there if one.disable_reason in (DisableReason.GONE, DisableReason.FAILING)]
    failing: list[tuple[Endpoint, int]] = []
    if enabled := [one for one in there if one.disabled_at is None]:
        health = await deliveries.health(desk, member, [one.id for one in enabled])
        since = [(one, health[one.id].failing_since) for one in enabled if one.id in health]
        failing = [(one, at) for one, at in since if at is not None and at <= desk.now() - WARNED_AFTER_MS]
    return {"disabled_by_itself": by_itself[:NOTICES_MAX], "failing_for_days": failing[:NOTICES_MAX]}


async def standing(desk: Desk, member: Principal, endpoint: Endpoint) -> Standing:
    """Return how one endpoint stands, with what it has not got and why."""
    shown, _ = (await standings(desk, member, [endpoint]))[endpoint.id]
    if shown.text != "Failing" or shown.since is None:
        return shown
    trouble = await delivery_figures.trouble(desk, member, endpoint.id, shown.since)
    return shown._replace(lost=_lost(trouble), last=_last(trouble))


def _lost(trouble: Trouble) -> str:
    retrying, given_up = trouble.backlog
    parts = []
    if retrying:
        parts.append(f"{retrying:,} {'delivery waits' if retrying == 1 else 'deliveries wait'} to be tried again")
    if given_up:
        parts.append(f"{given_up:,} {'was' if given_up == 1 else 'were'} given up")
    return f"{' and '.join(parts)}." if parts else ""


def _last(trouble: Trouble) -> str:
    answer = trouble.answer
    if answer is None:
        return ""
    return f"Last came: {outcome(answer.status, answer.error).text}. {outcome_in_words(answer.status, answer.error, answer.detail)}"
