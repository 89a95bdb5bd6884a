"""The intake: takes in sources that are pending, whoever added them and whatever stopped in between.

A source is *claimed* for a while by a conditional UPDATE that counts `attempt`, so one process has it; whoever finishes it does so by an
UPDATE that names that attempt, in one transaction with its passages and its event. A process that dies leaves a claim that runs out; one
that stands still for longer than its claim finishes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from sqlalchemy import Update, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat.events import SOURCE_FAILED, SOURCE_READY
from atrium.chat.fetching import fetch
from atrium.chat.models import Content, Passage, Source, SourceKind, SourceStatus
from atrium.chat.reading import NotRead, Piece, Read, read
from atrium.database import Database, now_ms
from keyrack import Keyrack, Refused

log = structlog.get_logger("atrium.chat")
CLAIM_MS = 120_000
ATTEMPTS_MAX = 3
LOOK_SECONDS = 2.0
WORKSPACES_MAX = 1_000


class Intake:
    """Takes in the sources of one database, one at a time."""

    def __init__(self, rack: Keyrack, database: Database) -> None:
        self._rack = rack
        self._database = database
        self._awake = asyncio.Event()
        self._served: dict[str, int] = {}

    def wake(self) -> None:
        """Look at once: something was added."""
        self._awake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take in what is pending until the block is left."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def turn(self) -> bool:
        """Take in one source; return whether there was one."""
        claimed = await self._claim()
        if claimed is None:
            return False
        source, body = claimed
        kind = SourceKind(source.kind)
        try:
            if source.attempt > ATTEMPTS_MAX:
                raise NotRead("The server stopped each time while it read this.")
            if source.url is not None:
                kind, body = await fetch(self._rack, source.url)
            result: Read | NotRead = await read(kind, body or b"")
        except NotRead as error:
            result = error
        await self._finish(source, result, None if body is None else len(body))
        return True

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            try:
                if await self.turn():
                    continue
            except Exception as error:  # noqa: BLE001 - its claim runs out, and then somebody takes it up again
                log.warning("intake_failed", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._awake.wait()

    def _next_in_turn(self, workspace_ids: Sequence[str]) -> str:
        """Return the workspace that has waited longest since one of its sources was taken: one that sends many holds up no other."""
        self._served = {one: self._served.get(one, 0) for one in workspace_ids}
        whose = min(self._served, key=lambda one: (self._served[one], one))
        self._served[whose] = max(self._served.values()) + 1
        return whose

    async def _claim(self) -> tuple[Source, bytes | None] | None:
        now = now_ms()
        waiting = (Source.status == SourceStatus.PENDING, Source.claimed_until <= now)
        async with self._database.reading() as session:
            asking = (await session.scalars(select(Source.workspace_id).where(*waiting).distinct().limit(WORKSPACES_MAX))).all()
            if not asking:
                return None
            whose = self._next_in_turn(asking)
            # What was taken up least comes first: a source that stops every process holds up no other.
            order = (Source.attempt, Source.created_at, Source.id)
            seen = await session.scalar(select(Source).where(*waiting, Source.workspace_id == whose).order_by(*order).limit(1))
        if seen is None:
            return None
        mine = update(Source).where(Source.id == seen.id, Source.attempt == seen.attempt, Source.status == SourceStatus.PENDING)
        async with self._database.writing.begin() as session:
            if not await _matched(session, mine.values(attempt=seen.attempt + 1, claimed_until=now + CLAIM_MS)):
                # Somebody else was quicker. What else there is waits for the next look.
                return None
            source = await session.get_one(Source, seen.id)
            content = await session.scalar(select(Content.body).where(Content.source_id == seen.id))
        return source, content

    async def _finish(self, source: Source, result: Read | NotRead, size_bytes: int | None) -> None:
        try:
            actor = await self._rack.workspaces.operator(source.workspace_id)
        except Refused:
            # The workspace is gone, and so is whoever could ask for it.
            async with self._database.writing.begin() as session:
                await session.execute(delete(Source).where(Source.id == source.id))
            return
        values: dict[str, Any] = {"claimed_until": 0, "size_bytes": size_bytes, "updated_at": max(now_ms(), source.updated_at)}
        if isinstance(result, Read):
            values |= {"status": SourceStatus.READY, "reason": None, "passages_count": len(result.passages)}
            if source.url and source.name == source.url[:200] and result.title:
                values["name"] = result.title
        else:
            values |= {"status": SourceStatus.FAILED, "reason": result.reason[:500]}
        mine = update(Source).where(Source.id == source.id, Source.attempt == source.attempt, Source.status == SourceStatus.PENDING)
        async with self._database.writing.begin() as session:
            if not await _matched(session, mine.values(**values)):
                # Deleted, or taken up by somebody else, who finishes it.
                return
            finished = await session.get_one(Source, source.id)
            if isinstance(result, Read):
                await session.execute(delete(Content).where(Content.source_id == source.id))
                await session.execute(insert(Passage), [_row(finished, piece) for piece in result.passages])
            event = SOURCE_READY if isinstance(result, Read) else SOURCE_FAILED
            self._rack.record(session, event, finished, actor=actor)


async def _matched(session: AsyncSession, change: Update) -> bool:
    """Whether a conditional change found its row."""
    result = await session.execute(change, execution_options={"synchronize_session": False})
    return bool(result.rowcount)  # type: ignore[attr-defined]


def _row(source: Source, piece: Piece) -> dict[str, str]:
    return {
        "workspace_id": source.workspace_id,
        "chatbot_id": source.chatbot_id,
        "source_id": source.id,
        "place": piece.place,
        "text": piece.text,
        "terms": f"{source.chatbot_id} {piece.terms}",
    }
