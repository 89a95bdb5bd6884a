"""Mail about threads that people follow: one for all replies since the last, never more than an hour's and a day's share of them."""

import re
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community.follows import stop_url
from atrium.community.founding import Home
from atrium.community.models import Follow, Reply, Thread
from atrium.community.participants import DAY_MS, count_mail, locked
from atrium.community.visitors import visitor
from atrium.database import Database
from keyrack import Keyrack, Letter

AT_ONCE = 50
NAMES_MAX = 3
# What mail programs make links of: an address, or a domain alone.
_ADDRESS = re.compile(r"\S*(?:://|\w\.[^\W\d_]{2,})\S*")


async def send_due(rack: Keyrack, database: Database, home: Home, now: int) -> int:
    """Write the mails that are due at a time, and return how many. Of several processes one writes each; each is sent by Keyrack."""
    if await rack.workspaces.find(home.workspace_id) is None:
        return 0
    async with database.reading() as session:
        due = select(Follow, Thread).join(Thread, Thread.id == Follow.thread_id).where(Follow.due_at <= now).order_by(Follow.due_at)
        found = list(await session.execute(due.limit(AT_ONCE)))
    return sum([await _one(rack, database, home, follow, thread, now) for follow, thread in found])


async def _one(rack: Keyrack, database: Database, home: Home, follow: Follow, thread: Thread, now: int) -> bool:
    reader = await visitor(rack, home, follow.person_id)
    async with database.writing.begin() as session:
        if reader.member is None or not reader.sees(thread):
            # Who may not read it any more hears nothing of it any more.
            await session.execute(delete(Follow).where(Follow.thread_id == thread.id, Follow.person_id == follow.person_id))
            return False
        # The person before the follow, as whoever replies does: so nobody waits in a circle.
        counted = await locked(session, follow.person_id)
        mine = select(Follow).filter_by(thread_id=thread.id, person_id=follow.person_id, due_at=follow.due_at)
        planned = await session.scalar(mine.with_for_update())
        if planned is None:
            return False
        planned.due_at, new = None, await _replies(session, planned)
        if not new:
            return False
        if not count_mail(counted, now):
            planned.due_at = (now // DAY_MS + 1) * DAY_MS
            return False
        planned.told_at, planned.mailed_at = new[-1].created_at, now
        rack.mail(session, _letter(rack, planned, thread, new, reader.member.email))
    return True


async def _replies(session: AsyncSession, follow: Follow) -> Sequence[Reply]:
    """What was replied since the last mail, and is there still."""
    new = select(Reply).where(Reply.thread_id == follow.thread_id, Reply.created_at > follow.told_at, Reply.hidden_at.is_(None))
    return (await session.scalars(new.where(Reply.author_id != follow.person_id).order_by(Reply.created_at))).all()


def _letter(rack: Keyrack, follow: Follow, thread: Thread, new: Sequence[Reply], to: str) -> Letter:
    """What was said stays on the page: mail in our name must not lead where a stranger wants."""
    names = list(dict.fromkeys(reply.author_name for reply in new))
    others = [f"{len(names) - NAMES_MAX} more"] if len(names) > NAMES_MAX else []
    who = _and([*names[:NAMES_MAX], *others])
    what = "replied" if len(new) == 1 else f"wrote {len(new)} replies"
    title = _ADDRESS.sub("…", thread.title)
    return Letter(
        to=to,
        subject=f"Re: {title}",
        lines=(f"{who} {what} to “{title}”.",),
        link=f"{(rack.settings.base_url or '').rstrip('/')}/community/threads/{thread.id}",
        link_label="Read and reply",
        stop=stop_url(rack, follow),
    )


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
