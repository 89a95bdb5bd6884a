"""Sessions and sign-in links as rows. Both are found by the digest of their secret: see `lookup`."""

from collections.abc import Collection

from sqlalchemy import delete, insert, select, update

from keyrack.model.sessions import LinkPurpose, Session
from keyrack.store.database import Connection
from keyrack.store.tables import key_notices, members, portal_links, sessions, set_up_links, sign_in_links


async def add(c: Connection, session: Session, digest: bytes) -> None:
    """Begin a session."""
    own = ("id", "person_id", "workspace_id", "created_at", "expires_at", "proved_at", "through_key_id", "origin")
    await c.execute(insert(sessions).values(digest=digest, **{name: getattr(session, name) for name in own}))


async def prove(c: Connection, workspace_id: str, session_id: str, at: int) -> bool:
    """Note that the person behind a session proved who they are. False: it has ended, or there is none."""
    open_one = (sessions.c.workspace_id == workspace_id) & (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
    return bool(await c.execute(update(sessions).where(open_one).values(proved_at=at)))


async def note_place(c: Connection, workspace_id: str, session_id: str, address: str, device: str) -> None:
    """Note where a session began."""
    own = (sessions.c.workspace_id == workspace_id) & (sessions.c.id == session_id)
    await c.execute(update(sessions).where(own).values(address=address, device=device))


async def end(c: Connection, workspace_id: str, session_id: str, at: int) -> bool:
    """End a session. False: it had ended, or there is none."""
    open_one = (sessions.c.workspace_id == workspace_id) & (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
    return bool(await c.execute(update(sessions).where(open_one).values(ended_at=at)))


async def add_link(
    c: Connection,
    workspace_id: str,
    person_id: str,
    *,
    digest: bytes,
    created_at: int,
    expires_at: int | None,
    purpose: LinkPurpose = LinkPurpose.SIGN_IN,
) -> None:
    """Add a link that signs a person in, or lets them choose a password, once. Without `expires_at` it lives until it is used."""
    times = {"created_at": created_at, "expires_at": expires_at}
    own = {"digest": digest, "person_id": person_id, "workspace_id": workspace_id, "purpose": purpose.value}
    await c.execute(insert(sign_in_links).values(**own, **times))


async def end_links(
    c: Connection, workspace_id: str, person_id: str, at: int, purposes: Collection[LinkPurpose] = tuple(LinkPurpose)
) -> None:
    """Use up every link of a person, of these purposes, that still waits, in whatever workspace.

    The person's workspace here says that they may be named.
    """
    member_here = select(members.c.id).where(members.c.workspace_id == workspace_id, members.c.person_id == person_id).exists()
    waiting = (sign_in_links.c.person_id == person_id) & sign_in_links.c.used_at.is_(None)
    waiting &= sign_in_links.c.purpose.in_([purpose.value for purpose in purposes])
    await c.execute(update(sign_in_links).where(waiting, member_here).values(used_at=at))


async def end_of_member(c: Connection, workspace_id: str, person_id: str, at: int) -> None:
    """End a person's sessions in a workspace, and use up every link that would lead them there."""
    theirs = (sessions.c.workspace_id == workspace_id) & (sessions.c.person_id == person_id) & sessions.c.ended_at.is_(None)
    await c.execute(update(sessions).where(theirs).values(ended_at=at))
    waiting = (sign_in_links.c.workspace_id == workspace_id) & (sign_in_links.c.person_id == person_id) & sign_in_links.c.used_at.is_(None)
    await c.execute(update(sign_in_links).where(waiting).values(used_at=at))


async def prune(c: Connection, before: int) -> None:
    """Forget what was over before a time: sessions, links of every kind, and which keys were told of."""
    for table in (sessions, sign_in_links, set_up_links, portal_links, key_notices):
        await c.execute(delete(table).where(table.c.expires_at < before))
    await c.execute(delete(sign_in_links).where(sign_in_links.c.used_at < before))
