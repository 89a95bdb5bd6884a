"""The host's transaction, held by the gate: committed before the answer leaves, rolled back where the answer is a refusal."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from starlette.concurrency import run_in_threadpool

from keyrack.model.calls import Call
from keyrack.model.refusals import CONFLICT, STORE_UNAVAILABLE, TRANSACTION_CLOSED, Refused
from keyrack.store.database import Duplicate, translated


class HeldTransaction:
    """One session of the host with the transaction that the gate will end."""

    def __init__(self, session: AsyncSession | Session) -> None:
        self.session = session
        self._sync = session.sync_session if isinstance(session, AsyncSession) else session
        if not self._sync.in_transaction():
            self._sync.begin()
        self._transaction: SessionTransaction | None = self._sync.get_transaction()

    def holds(self, session: Any) -> bool:
        """Whether this is the hold on that session."""
        return self.session is session

    @property
    def open(self) -> bool:
        """Whether the transaction that was joined is still the session's."""
        return self._transaction is not None and self._sync.get_transaction() is self._transaction

    async def commit(self) -> None:
        """Commit."""
        if isinstance(self.session, AsyncSession):
            await self.session.commit()
        else:
            await run_in_threadpool(self.session.commit)

    def require_open(self) -> None:
        """Raise Refused `transaction_closed` where the host ended the transaction by itself."""
        if not self.open:
            raise TRANSACTION_CLOSED("The session given to rack.transaction was closed before the answer left.")

    def lies_in(self, url: str) -> bool:
        """Whether the session writes to the database with this URL, under whatever address."""
        own, other = self._sync.get_bind().engine.url, make_url(url)
        return own.get_backend_name() == other.get_backend_name() and own.database == other.database

    async def rollback(self) -> None:
        """Roll back whatever is still open."""
        if self.open and isinstance(self.session, AsyncSession):
            await self.session.rollback()
        elif self.open:
            await run_in_threadpool(self._sync.rollback)


def join(call: Call, session: AsyncSession | Session) -> None:
    """Join a session to the call. Joining the same one twice is the same as once."""
    held: list[HeldTransaction] = call.sessions or []
    if not any(one.holds(session) for one in held):
        call.sessions = [*held, HeldTransaction(session)]


async def commit(call: Call, write: Callable[[], Awaitable[None]] | None = None) -> None:
    """Commit what the call holds, with what `write` adds to it. Raises Refused, or what `write` raises: nothing was committed then."""
    held: list[HeldTransaction] = call.sessions or []
    call.sessions = None
    try:
        for one in held:
            one.require_open()
        if write is not None:
            await write()
        for one in held:
            await one.commit()
    except IntegrityError as error:
        raise CONFLICT("The change conflicts with one that was made at the same time.") from error
    except DBAPIError as error:
        raise STORE_UNAVAILABLE("The change could not be stored.", headers={"Retry-After": "1"}) from error
    finally:
        for one in held:
            await one.rollback()


async def rollback(call: Call) -> None:
    """Roll back what the call holds."""
    held: list[HeldTransaction] = call.sessions or []
    call.sessions = None
    for one in held:
        await one.rollback()


def refusal_of(error: SQLAlchemyError) -> Refused | None:
    """Return the refusal that a driver's error stands for where the host's database is away or busy; None for any other error."""
    try:
        with translated():
            raise error
    except Refused as refused:
        return refused
    except (SQLAlchemyError, Duplicate):
        return None
