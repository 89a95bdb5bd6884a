"""What readers say of the docs: kept within bounds, without anything of who said it, and read by the operator.

Nobody is signed in: what bounds it is how much one address, and all of them together, may say.
"""

from hashlib import blake2b

from keyrack.manage.desk import Desk
from keyrack.model.docs_feedback import COMMENT_LENGTH_MAX, DocsFeedback, PageCount
from keyrack.model.limits import Bucket, Limit
from keyrack.model.orders import Place
from keyrack.model.refusals import INVALID_REQUEST, RATE_LIMITED
from keyrack.model.request_logs import Mask
from keyrack.store import docs_feedback as rows
from keyrack.store.ids import new_id
from keyrack.volatile.throttle import together

OF_ADDRESS = Limit("docs_feedback_of_address", quota=60, window_seconds=3600, burst=30)
# A thousand an hour is more than a whole community says, and less than what fills a disk.
OF_ALL = Limit("docs_feedback", quota=1000, window_seconds=3600)
COMMENT_SECONDS_MAX = 3600
KEPT_DAYS = 730


async def add(desk: Desk, *, page: str, helpful: bool, address: str) -> DocsFeedback:
    """Keep whether a page helped. The address is counted, and not kept. Raises Refused `rate_limited`."""
    _count(desk, address)
    feedback = DocsFeedback(new_id(), page, helpful, desk.now())
    async with desk.store.changing() as c:
        await rows.add(c, feedback)
    return feedback


def token(desk: Desk, feedback: DocsFeedback) -> str:
    """Return what lets whoever gave an answer add a comment to it, within the hour."""
    return desk.cursors.sign_timed(["docs_feedback", feedback.id])


async def comment(desk: Desk, token: str, text: str, *, address: str) -> None:
    """Put a comment to an answer, once. Raises Refused: `rate_limited`; 400 for an empty or overlong one, or a token that holds no more."""
    _count(desk, address)
    plain = "".join(letter for letter in text if letter.isprintable() or letter == "\n").strip()
    # People show what they sent, with their key in it.
    mask = Mask(desk.brand.prefixes)
    written = "\n".join(mask(line, len(line)) for line in plain.split("\n"))
    if not written or len(written) > COMMENT_LENGTH_MAX:
        raise INVALID_REQUEST(f"Write 1 to {COMMENT_LENGTH_MAX} characters.", param="comment")
    try:
        signed = desk.cursors.read_timed(token, COMMENT_SECONDS_MAX)
    except ValueError:
        signed = None
    match signed:
        case ["docs_feedback", str(feedback_id)]:
            async with desk.store.changing() as c:
                if await rows.comment(c, feedback_id, written):
                    return
    raise INVALID_REQUEST("This comment is here already, or comes too late. Answer on the page again.", param="token")


async def page(desk: Desk, *, limit: int, after: Place | None = None, of_page: str | None = None) -> list[DocsFeedback]:
    """Return what readers said, newest first."""
    async with desk.store.reading() as c:
        return await rows.page(c, limit=limit, after=after, of_page=of_page)


async def counts(desk: Desk) -> list[PageCount]:
    """Return how many found each page helpful."""
    async with desk.store.reading() as c:
        return await rows.counts(c)


async def prune(desk: Desk) -> None:
    """Forget what was said two years ago: the pages are others by now."""
    async with desk.store.changing() as c:
        await rows.forget_before(c, desk.now() - KEPT_DAYS * 86_400_000)


def _count(desk: Desk, address: str) -> None:
    taken = desk.counters.take((Bucket(OF_ADDRESS, _key(OF_ADDRESS, together(address))), Bucket(OF_ALL, _key(OF_ALL, b""))), 1)
    if not taken.allowed:
        wait = str(taken.retry_after_seconds)
        raise RATE_LIMITED(f"That was a lot at once: try again in {wait} seconds.", headers={"Retry-After": wait})


def _key(limit: Limit, subject: bytes) -> bytes:
    return blake2b(limit.name.encode() + b"\0" + subject, digest_size=16).digest()
