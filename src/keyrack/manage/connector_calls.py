"""Calls to vendors, for who manages the workspace: the log of a connector, what became of an event, and sending one again."""

from dataclasses import replace

from keyrack.manage import connectors
from keyrack.manage.desk import Desk
from keyrack.model.connector_calls import ConnectorCall
from keyrack.model.deliveries import State, Trigger
from keyrack.model.orders import Place
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, NOT_FOUND
from keyrack.store import connector_calls as rows

OF_EVENT_MAX = 20
KEPT_SECONDS = 30 * 24 * 3600
"""How long calls stay in the log after they ended."""


async def get(desk: Desk, actor: Principal, connector_id: str, call_id: str) -> ConnectorCall:
    """Return a call of a connector. Raises Refused 403 without org-level Admin, 404."""
    connector = await connectors.get(desk, actor, connector_id)
    async with desk.store.reading_traffic() as c:
        call = await rows.get(c, actor.workspace.id, call_id)
    if call.connector_id != connector.id:
        raise NOT_FOUND("There is no such call.")
    return call


async def page(
    desk: Desk,
    actor: Principal,
    connector_id: str,
    *,
    limit: int,
    after: Place | None = None,
    event_id: str | None = None,
    state: State | None = None,
) -> list[ConnectorCall]:
    """Return the calls of a connector, newest first. Raises Refused 403 without org-level Admin, 404."""
    connector = await connectors.get(desk, actor, connector_id)
    async with desk.store.reading_traffic() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, connector_id=connector.id, event_id=event_id, state=state, after=after)


async def of_event(desk: Desk, actor: Principal, event_id: str) -> list[ConnectorCall]:
    """Return what an event became, at all connectors. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list connectors")
    async with desk.store.reading_traffic() as c:
        return await rows.page(c, actor.workspace.id, limit=OF_EVENT_MAX, event_id=event_id)


async def count_states(desk: Desk, actor: Principal, connector_id: str) -> dict[State, int]:
    """Return how many calls of a connector are in which state. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list connectors")
    async with desk.store.reading_traffic() as c:
        return await rows.count_states(c, actor.workspace.id, connector_id)


async def retry(desk: Desk, actor: Principal, connector_id: str, call_id: str) -> ConnectorCall:
    """Have a call sent again. What the vendor refused is made anew, and goes under a new idempotency key, for it did not happen; what may
    have happened is sent as it was.

    Raises Refused: 403 without org-level Admin and for test keys, 404; 409 where the call still waits, has arrived or was made in test
    mode, where its connector is off, or where the vendor has a newer state of the same object already.
    """
    connectors.require_say(actor, "send calls again")
    connector = await connectors.get(desk, actor, connector_id)
    if connector.disabled_at is not None:
        raise CONFLICT("This connector is switched off: switch it on first.")
    async with desk.store.writing_traffic() as c:
        call = await rows.get(c, actor.workspace.id, call_id)
        if call.connector_id != connector.id:
            raise NOT_FOUND("There is no such call.")
        if not call.may_be_retried:
            raise CONFLICT(
                f"This call is {call.state.value}: only one that failed, or was skipped while its connector was off, is sent again."
            )
        vendor = desk.vendors.get(connector.vendor)
        if vendor is not None and vendor.keeps_links and await rows.succeeded_after(c, actor.workspace.id, call):
            raise CONFLICT(f"{vendor.title} has a newer state of this already: sending this one again would bring back the old one.")
        waiting = replace(call, state=State.PENDING, why=None, trigger=Trigger.MANUAL, failures=0, due_at=desk.now(), updated_at=desk.now())
        if call.was_refused:
            waiting = replace(waiting, round=call.round + 1, request=None)
        await rows.save(c, waiting)
    return waiting
