"""Following a thread by mail: planned when somebody replies, sent a little later for all replies together, and ended by a link."""

from sqlalchemy import case, delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community.founding import add_missing
from atrium.community.models import Follow, Thread
from keyrack import Keyrack

WAIT_MS = 2 * 60_000
"""How long a reply waits for the next ones, and for the team to hide it, before a mail tells of it."""
PAUSE_MS = 60 * 60_000
"""The least time between two mails about one thread."""
UNFOLLOW_PATH = "/community/unfollow"
_PURPOSE = "community.unfollow"


async def add(session: AsyncSession, thread: Thread, person_id: str) -> None:
    """Let a person follow a thread, from what has been said so far on. Twice is the same as once."""
    values = {"thread_id": thread.id, "person_id": person_id, "told_at": thread.active_at, "mailed_at": 0}
    await add_missing(session, Follow, values)


async def remove(session: AsyncSession, thread_id: str, person_id: str) -> None:
    """Let a person follow a thread no more. Does nothing where they do not."""
    await session.execute(delete(Follow).where(Follow.thread_id == thread_id, Follow.person_id == person_id))


async def remove_all(session: AsyncSession, person_id: str) -> None:
    """Let a person follow nothing any more."""
    await session.execute(delete(Follow).where(Follow.person_id == person_id))


async def is_following(session: AsyncSession, thread: Thread, person_id: str) -> bool:
    """Whether a person follows a thread."""
    return await session.get(Follow, (thread.id, person_id)) is not None


async def plan(session: AsyncSession, thread: Thread, *, but: str) -> None:
    """Plan a mail about the newest reply for all who follow its thread, but for its author. Who waits for one already gets that."""
    soonest, rested = thread.active_at + WAIT_MS, Follow.mailed_at + PAUSE_MS
    waiting = update(Follow).where(Follow.thread_id == thread.id, Follow.person_id != but, Follow.due_at.is_(None))
    await session.execute(waiting.values(due_at=case((rested > soonest, rested), else_=soonest)))


def stop_url(rack: Keyrack, follow: Follow) -> str:
    """Return the address that ends this follow and does nothing else, for whoever reads the mail."""
    signed = rack.signer(_PURPOSE).sign([follow.thread_id, follow.person_id])
    return f"{(rack.settings.base_url or '').rstrip('/')}{UNFOLLOW_PATH}?link={signed}"


async def stop(rack: Keyrack, session: AsyncSession, link: str) -> None:
    """End the follow that a link names. Raises ValueError for one that was not signed here."""
    match rack.signer(_PURPOSE).read(link):
        case [str(thread_id), str(person_id)]:
            await remove(session, thread_id, person_id)
        case _:
            raise ValueError("not a follow")
