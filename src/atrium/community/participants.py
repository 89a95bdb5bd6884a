"""How much a person wrote, and how much mail they got: counted in a locked row, so that nothing slips by at the same moment."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community.founding import add_missing
from atrium.community.models import Participant
from atrium.database import now_ms
from keyrack import refusals

POSTS_AN_HOUR_MAX = 20
MAILS_A_DAY_MAX = 20
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


async def locked(session: AsyncSession, person_id: str) -> Participant:
    """Return what a person took. Whoever wants to count too waits until this session's transaction has ended."""
    await add_missing(session, Participant, {"person_id": person_id, "hour": 0, "posts": 0, "day": 0, "mails": 0})
    return (await session.scalars(select(Participant).filter_by(person_id=person_id).with_for_update())).one()


async def count_post(session: AsyncSession, person_id: str) -> None:
    """Count a post of somebody's. Raises Refused `rate_limited` where they have had enough for this hour."""
    counted, hour = await locked(session, person_id), now_ms() // HOUR_MS
    posts = counted.posts if counted.hour == hour else 0
    if posts >= POSTS_AN_HOUR_MAX:
        wait = str((hour + 1) * HOUR_MS // 1000 - now_ms() // 1000)
        raise refusals.RATE_LIMITED(f"You have posted {posts} times in this hour. Go on in the next one.", headers={"Retry-After": wait})
    counted.hour, counted.posts = hour, posts + 1


def count_mail(counted: Participant, now: int) -> bool:
    """Count a mail to somebody, and return whether it may go: only so many do on one day."""
    day = now // DAY_MS
    mails = counted.mails if counted.day == day else 0
    counted.day, counted.mails = day, min(mails + 1, MAILS_A_DAY_MAX)
    return mails < MAILS_A_DAY_MAX
