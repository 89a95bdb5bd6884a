"""The outbox: mail that waits to be sent. It is written with what it tells of, and deleted when it is on its way."""

from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import registry

from keyrack.model.mail import MailKind, Waiting
from keyrack.store import postgresql
from keyrack.store.database import Connection
from keyrack.store.tables import metadata, outbox, without_schema


async def add(c: Connection, waiting: Waiting) -> None:
    """Add a mail."""
    await c.execute(insert(outbox).values(**_columns(waiting)))


def mail_row(dialect_name: str, waiting: Waiting) -> object:
    """Return a mail as an object for a host's own session, sync or async: `session.add` joins it to the host's transaction.

    `dialect_name` is that of the session's database.
    """
    return (_WaitingOnPostgresql if dialect_name == postgresql.DIALECT else _WaitingOnSqlite)(waiting)


async def is_due(c: Connection, now: int) -> bool:
    """Whether anything has to be sent by now."""
    return await c.first(select(outbox.c.id).where(outbox.c.failed_at.is_(None), outbox.c.due_at <= now).limit(1)) is not None


async def claim(c: Connection, *, now: int, until: int, limit: int) -> list[Waiting]:
    """Take mail that is due, so that nobody else sends it before `until`. What a process has taken that dies comes again then."""
    due = select(outbox.c.id).where(outbox.c.failed_at.is_(None), outbox.c.due_at <= now).order_by(outbox.c.due_at).limit(limit)
    taken = update(outbox).where(outbox.c.id.in_(due.with_for_update(skip_locked=True)))
    rows = await c.all(taken.values(due_at=until, attempts=outbox.c.attempts + 1).returning(outbox))
    return [Waiting(row.id, MailKind(row.kind), row.sealed, row.created_at, row.due_at, row.attempts) for row in rows]


async def sent(c: Connection, mail_id: str) -> None:
    """Forget a mail that is on its way."""
    await c.execute(delete(outbox).where(outbox.c.id == mail_id))


async def again(c: Connection, mail_id: str, due_at: int) -> None:
    """Let a mail be tried again at a time."""
    await c.execute(update(outbox).where(outbox.c.id == mail_id).values(due_at=due_at))


async def give_up(c: Connection, mail_id: str, at: int) -> None:
    """Try a mail no more; its row stays, so that an operator can see it."""
    await c.execute(update(outbox).where(outbox.c.id == mail_id).values(failed_at=at))


async def count_failed(c: Connection) -> int:
    """Return how many mails were given up."""
    found = await c.first(select(func.count().label("mails")).select_from(outbox).where(outbox.c.failed_at.is_not(None)))
    return int(found.mails) if found else 0


class _Waiting:
    """A mail in a host's session."""

    def __init__(self, waiting: Waiting) -> None:
        for name, value in _columns(waiting).items():
            setattr(self, name, value)


class _WaitingOnSqlite(_Waiting):
    """Mapped to the table without a schema."""


class _WaitingOnPostgresql(_Waiting):
    """Mapped to the table in its schema."""


_registry = registry()
_registry.map_imperatively(_WaitingOnSqlite, without_schema(metadata).tables[outbox.name])
_registry.map_imperatively(_WaitingOnPostgresql, outbox)


def _columns(waiting: Waiting) -> dict[str, Any]:
    own = {"id": waiting.id, "kind": waiting.kind.value, "sealed": waiting.sealed}
    return {**own, "created_at": waiting.created_at, "due_at": waiting.due_at, "attempts": waiting.attempts}
