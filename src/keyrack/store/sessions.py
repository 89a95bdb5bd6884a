"""Sessions and sign-in links as rows. Both are found by the digest of their secret: see `lookup`."""

from sqlalchemy import insert, update

from keyrack.model.sessions import Session
from keyrack.store.database import Connection
from keyrack.store.tables import sessions, sign_in_links


async def add(c: Connection, session: Session, digest: bytes) -> None:
    """Begin a session, proved at the moment it was made."""
    times = {"proved_at": session.created_at, "created_at": session.created_at, "expires_at": session.expires_at}
    own = {"id": session.id, "person_id": session.person_id, "workspace_id": session.workspace_id}
    await c.execute(insert(sessions).values(**own, **times, digest=digest))


async def end(c: Connection, workspace_id: str, session_id: str, at: int) -> bool:
    """End a session. False: it had ended, or there is none."""
    open_one = (sessions.c.workspace_id == workspace_id) & (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
    return bool(await c.execute(update(sessions).where(open_one).values(ended_at=at)))


async def add_link(c: Connection, workspace_id: str, person_id: str, *, digest: bytes, created_at: int, expires_at: int | None) -> None:
    """Add a link that signs a person in, once. Without `expires_at` it lives until it is used."""
    times = {"created_at": created_at, "expires_at": expires_at}
    await c.execute(insert(sign_in_links).values(digest=digest, person_id=person_id, workspace_id=workspace_id, **times))
