"""What readers say of the docs, as rows. They are the operator's: no workspace has any."""

from sqlalchemy import case, delete, func, insert, select, update

from keyrack.model.docs_feedback import DocsFeedback, PageCount
from keyrack.model.orders import Place
from keyrack.store.database import Connection
from keyrack.store.paging import keyset
from keyrack.store.tables import docs_feedback

PAGES_COUNTED_MAX = 1000


async def add(c: Connection, feedback: DocsFeedback) -> None:
    """Add what somebody said."""
    own = {name: getattr(feedback, name) for name in ("id", "page", "helpful", "comment", "created_at")}
    await c.execute(insert(docs_feedback).values(**own))


async def comment(c: Connection, feedback_id: str, comment: str) -> bool:
    """Put a comment to what somebody said before; False where there is none that waits for one."""
    waiting = update(docs_feedback).where(docs_feedback.c.id == feedback_id, docs_feedback.c.comment == "")
    return await c.execute(waiting.values(comment=comment)) == 1


async def page(c: Connection, *, limit: int, after: Place | None = None, of_page: str | None = None) -> list[DocsFeedback]:
    """Return what was said, newest first: of one page, or of all."""
    found = select(docs_feedback)
    if of_page is not None:
        found = found.where(docs_feedback.c.page == of_page)
    paged = keyset(found, docs_feedback.c, limit=limit, after=after)
    return [DocsFeedback(row.id, row.page, row.helpful, row.created_at, row.comment) for row in await c.all(paged)]


async def counts(c: Connection) -> list[PageCount]:
    """Return how many found each page helpful, the pages first that most found wanting."""
    yes = func.sum(case((docs_feedback.c.helpful, 1), else_=0))
    said = func.sum(case((docs_feedback.c.comment != "", 1), else_=0))
    counted = select(docs_feedback.c.page, yes.label("helpful"), (func.count() - yes).label("unhelpful"), said.label("comments"))
    ordered = counted.group_by(docs_feedback.c.page).order_by((func.count() - yes).desc(), docs_feedback.c.page)
    return [PageCount(row.page, row.helpful, row.unhelpful, row.comments) for row in await c.all(ordered.limit(PAGES_COUNTED_MAX))]


async def forget_before(c: Connection, created_at: int) -> None:
    """Forget what was said before a time."""
    await c.execute(delete(docs_feedback).where(docs_feedback.c.created_at < created_at))
