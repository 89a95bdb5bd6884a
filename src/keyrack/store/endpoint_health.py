"""How endpoints fare, as somebody who enables one again has it forgotten."""

from sqlalchemy import and_, update

from keyrack.store.database import Connection
from keyrack.store.delivery_tables import endpoint_health


async def forget_failures(c: Connection, workspace_id: str, endpoint_id: str) -> None:
    """Let an endpoint fare as if it had never failed."""
    own = and_(endpoint_health.c.workspace_id == workspace_id, endpoint_health.c.endpoint_id == endpoint_id)
    await c.execute(update(endpoint_health).where(own).values(failing_since=None, failures_in_row=0))
