"""Portal links as rows. The one that is followed is found by its digest: see `lookup`."""

from sqlalchemy import insert

from keyrack.model.portal_links import PortalLink
from keyrack.store.database import Connection
from keyrack.store.tables import portal_links


async def add(c: Connection, link: PortalLink, digest: bytes) -> None:
    """Add a portal link under the digest of its secret."""
    same = ("workspace_id", "member_id", "key_id", "auth_time", "origin", "created_at", "expires_at")
    await c.execute(insert(portal_links).values(digest=digest, **{name: getattr(link, name) for name in same}))
