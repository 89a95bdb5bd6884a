"""Endpoints that do not take what is sent to them: disabled by themselves, with an event and a mail to the workspace's admins."""

from dataclasses import replace

from keyrack.manage import mail
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.manage.endpoints import ENDPOINT_DISABLED, shown
from keyrack.manage.operators import itself, operator
from keyrack.model.deliveries import FAILING_SECONDS_MAX
from keyrack.model.endpoints import DisableReason, Endpoint, shown_url
from keyrack.model.mail import Letter
from keyrack.store import endpoints as rows
from keyrack.store import members

ADMINS_TOLD_MAX = 20
_WHY = {
    DisableReason.GONE: "It answered 410 Gone, which says that it wants no more.",
    DisableReason.FAILING: f"Nothing that was sent to it for {FAILING_SECONDS_MAX // 86_400} days was accepted.",
}


async def disable(desk: Desk, workspace_id: str, endpoint_id: str, reason: DisableReason, began_at: int) -> bool:
    """Disable an endpoint for what it answered to an attempt that began at a time (ms), and return whether it is disabled now.

    One that is disabled already keeps its reason. One that was edited since stays as it is: that was the answer of what it was before.
    Raises Refused 404.
    """
    actor = itself(desk, (await operator(desk, workspace_id)).workspace)
    async with change(desk, actor) as c:
        endpoint = await rows.get(c.connection, workspace_id, endpoint_id)
        if endpoint.disabled_at is not None or endpoint.updated_at > began_at:
            c.found_done()
            return endpoint.disabled_at is not None
        disabled = replace(endpoint, disabled_at=c.now, disable_reason=reason, updated_at=c.now)
        await rows.save(c.connection, disabled)
        c.touch(endpoint.id)
        c.record(ENDPOINT_DISABLED, endpoint.id, shown(disabled))
        for admin in await members.admins(c.connection, workspace_id, now=c.now, limit=ADMINS_TOLD_MAX):
            await mail.queue(desk, c.connection, _letter(desk, admin.email, disabled, reason))
    return True


def _letter(desk: Desk, to: str, endpoint: Endpoint, reason: DisableReason) -> Letter:
    base_url = desk.outside.base_url
    return Letter(
        to=to,
        subject=f"An endpoint of {desk.brand.name} was disabled",
        lines=(
            f"Nothing is sent any more to {shown_url(endpoint.url)}. {_WHY[reason]}",
            "When it works again, enable it under Webhooks. There you can also have everything sent that it has missed.",
        ),
        link=f"{base_url}/console/endpoints/{endpoint.id}" if base_url else None,
        link_label="Open the endpoint",
    )
