"""Threads and their replies: listed, read, written and moderated. Whoever asks sees what they may, and the rest looks like nothing."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community import follows
from atrium.community.models import Follow, Reply, Thread
from atrium.community.participants import count_post
from atrium.community.schemas import Measure, NewReply, NewThread
from atrium.community.spaces import CommunitySpace
from atrium.community.visitors import Visitor
from atrium.database import now_ms
from atrium.rows import find_row
from keyrack import refusals

REPLIES_MAX = 200
Place = tuple[int, str]


class Told(NamedTuple):
    """How many threads of a space somebody sees, and when the newest of them was active."""

    threads: int
    active_at: int | None


async def counts(session: AsyncSession, visitor: Visitor) -> Mapping[CommunitySpace, Told]:
    """Return how much is in each space, of what the visitor sees."""
    told = {}
    for space in visitor.names:
        found = await session.execute(select(func.count(), func.max(Thread.active_at)).where(_in(visitor, space)))
        told[space] = Told(*found.one())
    return told


async def page(session: AsyncSession, visitor: Visitor, space: CommunitySpace, *, limit: int, after: Place | None) -> list[Thread]:
    """Return threads of a space, those with the newest activity first, from below a place (`active_at` and `id`)."""
    below = true() if after is None else tuple_(Thread.active_at, Thread.id) < tuple_(*after)
    found = select(Thread).where(_in(visitor, space), below).order_by(Thread.active_at.desc(), Thread.id.desc())
    return list(await session.scalars(found.limit(limit)))


async def get(session: AsyncSession, visitor: Visitor, thread_id: str, *, lock: bool = False) -> Thread:
    """Return a thread that the visitor sees. Raises Refused `not_found`."""
    thread = await find_row(session, Thread, thread_id, lock=lock, workspace_id=visitor.home.workspace_id)
    if not visitor.sees(thread):
        raise refusals.NOT_FOUND(f"No thread {thread_id[:40]}.")
    return thread


async def replies(session: AsyncSession, visitor: Visitor, thread: Thread) -> list[Reply]:
    """Return the replies to a thread, oldest first."""
    found = select(Reply).where(Reply.thread_id == thread.id).order_by(Reply.created_at, Reply.id)
    return [reply for reply in await session.scalars(found) if visitor.is_staff or reply.hidden_at is None]


async def start(session: AsyncSession, visitor: Visitor, space: CommunitySpace, new: NewThread) -> Thread:
    """Start a thread, which its author follows. Raises Refused: 403 where only the team does; `rate_limited`."""
    if not space.opens(is_staff=visitor.is_staff):
        raise refusals.INSUFFICIENT_PERMISSION("Only the team posts here. Reply to what it says, or start a thread in another space.")
    await count_post(session, visitor.person_id)
    now = now_ms()
    thread = Thread(
        workspace_id=visitor.home.workspace_id,
        space_id=visitor.home.space_ids[space],
        title=new.title,
        body=new.body,
        active_at=now,
        **_author(visitor),
    )
    session.add(thread)
    await session.flush()
    await follows.add(session, thread, visitor.person_id)
    return thread


async def reply(session: AsyncSession, visitor: Visitor, thread_id: str, new: NewReply) -> Thread:
    """Reply to a thread; who follows it is told in a while. Raises Refused: `not_found`; `conflict` where it is locked; `rate_limited`."""
    await count_post(session, visitor.person_id)
    thread = await get(session, visitor, thread_id, lock=True)
    if thread.locked_at is not None and not visitor.is_staff:
        raise refusals.CONFLICT("The team has closed this thread.")
    if thread.replies >= REPLIES_MAX:
        raise refusals.CONFLICT(f"A thread has at most {REPLIES_MAX} replies. Start a new one.")
    # Replies to one thread wait for each other, so their times say in which order they came.
    at = max(now_ms(), thread.active_at + 1)
    of_thread = {"workspace_id": thread.workspace_id, "thread_id": thread.id}
    session.add(Reply(body=new.body, created_at=at, updated_at=at, **of_thread, **_author(visitor)))
    thread.active_at, thread.replies = at, thread.replies + 1
    await follows.plan(session, thread, but=visitor.person_id)
    return thread


async def moderate(session: AsyncSession, visitor: Visitor, thread_id: str, measure: Measure) -> Thread:
    """Do something about a thread. Its author may delete it while nobody has replied. Raises Refused 403, 404."""
    thread = await get(session, visitor, thread_id, lock=True)
    if not visitor.is_staff and not (measure is Measure.DELETE and visitor.wrote(thread) and thread.replies == 0):
        raise refusals.INSUFFICIENT_PERMISSION("Only the team does this.")
    now = now_ms()
    match measure:
        case Measure.HIDE | Measure.SHOW:
            thread.hidden_at = now if measure is Measure.HIDE else None
        case Measure.LOCK | Measure.UNLOCK:
            thread.locked_at = now if measure is Measure.LOCK else None
        case Measure.DELETE:
            thread.deleted_at, thread.title, thread.body = now, "", ""
            await session.execute(delete(Reply).where(Reply.thread_id == thread.id))
            await session.execute(delete(Follow).where(Follow.thread_id == thread.id))
    return thread


async def moderate_reply(session: AsyncSession, visitor: Visitor, thread_id: str, reply_id: str, measure: Measure) -> Thread:
    """Do something about a reply. Its author may delete it. Raises Refused 400, 403, 404."""
    thread = await get(session, visitor, thread_id, lock=True)
    found = await find_row(session, Reply, reply_id, thread_id=thread.id)
    if found.hidden_at is not None and not visitor.is_staff:
        raise refusals.NOT_FOUND(f"No reply {reply_id[:40]}.")
    if not visitor.is_staff and not (measure is Measure.DELETE and visitor.wrote(found)):
        raise refusals.INSUFFICIENT_PERMISSION("Only the team does this.")
    counted = found.hidden_at is None
    match measure:
        case Measure.HIDE | Measure.SHOW:
            found.hidden_at = now_ms() if measure is Measure.HIDE else None
        case Measure.DELETE:
            await session.delete(found)
        case _:
            raise refusals.INVALID_REQUEST("A reply is hidden, shown or deleted.", param="measure")
    is_counted = measure is Measure.SHOW
    thread.replies += is_counted - counted
    return thread


def _in(visitor: Visitor, space: CommunitySpace) -> ColumnElement[bool]:
    """What the visitor sees of a space, as `Visitor.sees` says it of one thread."""
    there = [
        Thread.workspace_id == visitor.home.workspace_id,
        Thread.space_id == visitor.home.space_ids[space],
        Thread.deleted_at.is_(None),
    ]
    if not visitor.is_staff:
        there.append(Thread.hidden_at.is_(None))
        if space.is_private:
            there.append(Thread.author_id == visitor.person_id)
    return and_(*there)


def _author(visitor: Visitor) -> dict[str, str | bool]:
    return {"author_id": visitor.person_id, "author_name": visitor.name, "by_staff": visitor.is_staff}
