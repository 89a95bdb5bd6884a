"""Revisions: the order of access changes, and the ids that each one touched (CONSISTENCY §1-2).

One locked counter row puts changes in order: whoever raises it holds it until the commit, so revisions become visible one by one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, cast, delete, func, insert, literal, select, true, update

from keyrack.store import postgresql
from keyrack.store.database import Connection
from keyrack.store.tables import COUNTER_ID, changes, revisions

ROWS_MAX = 10_000
"""More changes than this are not read one by one: dropping the whole cache is cheaper."""

ABOVE_SQL = """
SELECT r.revision, c.revision, c.touched_id, c.change_id
FROM keyrack_revisions AS r LEFT JOIN keyrack_changes AS c ON c.revision >= min(?, r.revision)
ORDER BY c.revision DESC LIMIT 10001
"""
"""What `above` asks, for a plain `sqlite3` connection; `Changes.of` reads its rows. Its limit is ROWS_MAX + 1.

The newest change is read also where the count went back: else nobody would know that copy again when another takes its place.
"""

ABOVE_SQL_OF_POSTGRESQL = """
SELECT r.revision, c.revision, c.touched_id, c.change_id
FROM keyrack.keyrack_revisions AS r LEFT JOIN keyrack.keyrack_changes AS c ON c.revision >= $1
ORDER BY c.revision DESC LIMIT 10001
"""
"""The same, for a plain `asyncpg` connection."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened above a revision. Where it is not `complete`, rows are missing or the count went back: trust nothing cached.

    `newest_change` is the id of the change that made the newest revision, by which that revision is known again; None where there is none.
    `set_back` says that the count certainly went back: this is an older copy, or a server that is behind.
    """

    newest: int
    touched: frozenset[str]
    complete: bool
    newest_change: str | None = field(default=None, compare=False)
    set_back: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]], revision: int, change_id: str | None = None) -> "Changes":
        """Read rows of (newest revision, revision, touched id, change id), newest first, that were asked for from a revision on.

        `change_id` is the change that is known to have made that revision. Another one there tells that the store was set back to an
        older copy, and has counted up again since.
        """
        read = list(rows)
        newest: int = read[0][0] if read else 0
        newest_change: str | None = read[0][3] if read and read[0][1] == newest else None
        above = [row for row in read if row[1] is not None and row[1] > revision]
        made_by = {row[3] for row in read if row[1] == revision}
        known = change_id is None or change_id in made_by
        gapless = newest >= revision and len({row[1] for row in above}) == newest - revision
        complete = bool(read) and len(above) <= ROWS_MAX and gapless and known
        set_back = newest < revision or (bool(made_by) and not known)
        return cls(newest, frozenset(row[2] for row in above), complete, newest_change, set_back)


def newest_column() -> ColumnElement[Any]:
    """Return the column with the newest revision, for a statement that reads something else in the same snapshot."""
    return select(revisions.c.revision).where(revisions.c.id == COUNTER_ID).scalar_subquery().label("newest_revision")


async def bump(c: Connection, touched: Collection[str], change_id: str) -> int:
    """Give a change its revision and return it. The last statement of its transaction: from here on other access changes wait.

    `touched` are all ids that caches may hold something of; `change_id` lets `committed` find the change when its commit got no answer.
    """
    if not touched:
        raise ValueError("an access change touches at least one id; a change that touches none takes no revision")
    raised = update(revisions).where(revisions.c.id == COUNTER_ID).values(revision=revisions.c.revision + 1).returning(revisions.c.revision)
    ids = sorted(touched)
    if c.dialect == postgresql.DIALECT:
        # In one statement: from its beginning on all others wait, however far away this process is.
        count, silence = raised.cte("raised"), postgresql.silence_in_revision(c.wait_seconds)
        rows = select(count.c.revision, func.unnest(cast(ids, ARRAY(String))), literal(change_id))
        row = await c.first(
            insert(changes).from_select(["revision", "touched_id", "change_id"], rows).returning(changes.c.revision, silence)
        )
    else:
        row = await c.first(raised)
    if row is None:
        raise LookupError("the revision counter is missing: this store was not made by `keyrack migrate`")
    revision = int(row.revision)
    if c.dialect != postgresql.DIALECT:
        await c.execute(insert(changes), [{"revision": revision, "touched_id": key, "change_id": change_id} for key in ids])
    return revision


async def newest(c: Connection) -> int:
    """Return the newest committed revision."""
    row = await c.first(select(revisions.c.revision).where(revisions.c.id == COUNTER_ID))
    return int(row.revision) if row else 0


async def newest_that_lasts(c: Connection) -> int:
    """Return the newest committed revision, which no fail-over takes back once the commit of this transaction has been answered."""
    await _have_commit_wait(c)
    return await newest(c)


async def _have_commit_wait(c: Connection) -> None:
    """Have the commit wait for the standby, as those did that this transaction has read.

    A primary that was cut off shows what no standby has: a commit whose wait was given up, or one that it found when it was restarted.
    """
    if c.dialect == postgresql.DIALECT:
        await c.all(select(func.pg_logical_emit_message(true(), "keyrack", "")))


async def above(c: Connection, revision: int, change_id: str | None = None) -> Changes:
    """Return what happened above a revision, which this change is known to have made, in one statement."""
    joined = revisions.outerjoin(changes, changes.c.revision >= revision)
    asked = select(revisions.c.revision, changes.c.revision, changes.c.touched_id, changes.c.change_id).select_from(joined)
    rows = await c.all(asked.order_by(changes.c.revision.desc()).limit(ROWS_MAX + 1))
    return Changes.of(rows, revision, change_id)


async def committed(c: Connection, change_id: str) -> bool:
    """Whether a change with this id was committed, for good. Asked in a changing transaction: it first waits for the unfinished.

    That is certain when the transaction's own commit has been answered.
    """
    await c.all(select(revisions.c.revision).where(revisions.c.id == COUNTER_ID).with_for_update())
    await _have_commit_wait(c)
    return await c.first(select(literal(1)).where(changes.c.change_id == change_id).limit(1)) is not None


async def prune(c: Connection, keep: int) -> int:
    """Delete the changes of all but the newest `keep` revisions and return how many rows went. Who had not read them yet sees the gap."""
    kept = await newest(c) - keep
    return await c.execute(delete(changes).where(changes.c.revision <= kept))
