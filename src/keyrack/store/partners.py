"""Partners as they stand on rows: the outside companies for which members work, and whose integrations there are."""

from sqlalchemy import select, union

from keyrack.store.database import Connection
from keyrack.store.tables import integrations, members


async def names(c: Connection, workspace_id: str, *, limit: int) -> list[str]:
    """Return the partners of a workspace's members and integrations, by name."""
    theirs = (
        select(members.c.partner).where(members.c.workspace_id == workspace_id, members.c.partner.is_not(None)),
        select(integrations.c.partner).where(
            integrations.c.workspace_id == workspace_id, integrations.c.partner.is_not(None), integrations.c.deleted_at.is_(None)
        ),
    )
    labels = union(*theirs).subquery()
    return [row.partner for row in await c.all(select(labels.c.partner).order_by(labels.c.partner).limit(limit))]


async def member_ids(c: Connection, workspace_id: str, partner: str, *, limit: int) -> list[str]:
    """Return the ids of members who work for a partner."""
    own = (members.c.workspace_id == workspace_id) & (members.c.partner == partner)
    return [row.id for row in await c.all(select(members.c.id).where(own).order_by(members.c.id).limit(limit))]


async def integration_ids(c: Connection, workspace_id: str, partner: str, *, limit: int) -> list[str]:
    """Return the ids of a partner's integrations that were not deleted."""
    own = (integrations.c.workspace_id == workspace_id) & (integrations.c.partner == partner) & integrations.c.deleted_at.is_(None)
    return [row.id for row in await c.all(select(integrations.c.id).where(own).order_by(integrations.c.id).limit(limit))]
