"""Partners as they stand on rows: the outside companies for which members work, and whose integrations and apps there are."""

from sqlalchemy import Table, and_, select, union

from keyrack.store.database import Connection
from keyrack.store.oauth_tables import apps
from keyrack.store.tables import integrations, members


async def names(c: Connection, workspace_id: str, *, limit: int) -> list[str]:
    """Return the partners of a workspace's members, integrations and apps, by name."""
    theirs = [select(members.c.partner).where(members.c.workspace_id == workspace_id, members.c.partner.is_not(None))]
    for table in (integrations, apps):
        present = and_(table.c.workspace_id == workspace_id, table.c.deleted_at.is_(None))
        theirs.append(select(table.c.partner).where(present, table.c.partner.is_not(None)))
    labels = union(*theirs).subquery()
    return [row.partner for row in await c.all(select(labels.c.partner).order_by(labels.c.partner).limit(limit))]


async def member_ids(c: Connection, workspace_id: str, partner: str, *, limit: int) -> list[str]:
    """Return the ids of members who work for a partner."""
    own = (members.c.workspace_id == workspace_id) & (members.c.partner == partner)
    return [row.id for row in await c.all(select(members.c.id).where(own).order_by(members.c.id).limit(limit))]


async def integration_ids(c: Connection, workspace_id: str, partner: str, *, limit: int) -> list[str]:
    """Return the ids of a partner's integrations that were not deleted."""
    return await _present(c, integrations, workspace_id, partner, limit)


async def app_ids(c: Connection, workspace_id: str, partner: str, *, limit: int) -> list[str]:
    """Return the ids of a partner's apps that were not deleted."""
    return await _present(c, apps, workspace_id, partner, limit)


async def _present(c: Connection, table: Table, workspace_id: str, partner: str, limit: int) -> list[str]:
    own = (table.c.workspace_id == workspace_id) & (table.c.partner == partner) & table.c.deleted_at.is_(None)
    return [row.id for row in await c.all(select(table.c.id).where(own).order_by(table.c.id).limit(limit))]
