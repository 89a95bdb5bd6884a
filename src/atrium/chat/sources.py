"""Sources: added, tried again, and deleted. What becomes of their content is the intake's."""

from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat import chatbots
from atrium.chat.events import SOURCE_CREATED, SOURCE_DELETED, SOURCE_RETRIED
from atrium.chat.intake import Intake
from atrium.chat.meters import SOURCES
from atrium.chat.models import Content, Source, SourceKind, SourceStatus
from atrium.chat.schemas import NewTextSource, NewUrlSource
from atrium.fields import Name
from atrium.rows import find_row
from keyrack import Keyrack, refusals

FILE_KINDS = {
    ".pdf": SourceKind.PDF,
    ".html": SourceKind.HTML,
    ".htm": SourceKind.HTML,
    ".csv": SourceKind.CSV,
    ".md": SourceKind.MARKDOWN,
    ".markdown": SourceKind.MARKDOWN,
    ".txt": SourceKind.TEXT,
}

_NAME: TypeAdapter[str] = TypeAdapter(Name)


async def find(session: AsyncSession, workspace_id: str, source_id: str, *, lock: bool = False) -> Source:
    """Return a source, or raise the refusal `not_found`."""
    return await find_row(session, Source, source_id, lock=lock, workspace_id=workspace_id)


class Sources:
    """Writes sources, and wakes the intake when what was written is committed."""

    def __init__(self, rack: Keyrack, intake: Intake) -> None:
        self._rack = rack
        self._intake = intake

    async def add(self, session: AsyncSession, workspace_id: str, new: NewTextSource | NewUrlSource) -> Source:
        """Add a text or a page. Raises Refused 404 for an unknown chatbot, `quota_exceeded` where the plan holds no more."""
        if isinstance(new, NewTextSource):
            content = new.text.encode()
            return await self._add(session, workspace_id, new.chatbot_id, new.name, SourceKind(new.kind), content)
        return await self._add(session, workspace_id, new.chatbot_id, new.name or new.url[:200], SourceKind.URL, None, new.url)

    async def add_file(
        self, session: AsyncSession, workspace_id: str, chatbot_id: str, content: bytes, *, filename: str, name: str | None = None
    ) -> Source:
        """Add a file, whose kind is the ending of its name. Raises Refused as `add` does, and 400 for another ending and an empty file."""
        kind = FILE_KINDS.get(PurePosixPath(filename).suffix.lower())
        if kind is None:
            raise refusals.INVALID_REQUEST(f"A file's name ends in {', '.join(FILE_KINDS)}.", param="file")
        if not content:
            raise refusals.INVALID_REQUEST("The file is empty.", param="file")
        return await self._add(session, workspace_id, chatbot_id, name or _named(filename), kind, content)

    def retry(self, session: AsyncSession, source: Source) -> None:
        """Have a source that failed taken in once more. Raises Refused `conflict` for any other."""
        if source.status != SourceStatus.FAILED:
            raise refusals.CONFLICT(f"This source is {source.status}: only one that failed is tried again.")
        source.change({"status": SourceStatus.PENDING, "reason": None, "attempt": 0, "claimed_until": 0})
        self._rack.record(session, SOURCE_RETRIED, source)
        self._wake_after(session)

    async def delete(self, session: AsyncSession, source: Source) -> None:
        """Delete a source: its chatbot knows nothing of it from now on."""
        self._rack.record(session, SOURCE_DELETED, source)
        await session.delete(source)

    async def _add(
        self,
        session: AsyncSession,
        workspace_id: str,
        chatbot_id: str,
        name: str,
        kind: SourceKind,
        content: bytes | None,
        url: str | None = None,
    ) -> Source:
        # Locked, for whoever deletes the chatbot meanwhile takes all of its sources along.
        chatbot = await chatbots.find(session, workspace_id, chatbot_id, lock=True, param="chatbot_id")
        await self._rack.count(SOURCES, session=session)
        source = Source(
            workspace_id=workspace_id,
            chatbot_id=chatbot.id,
            name=name,
            kind=kind,
            url=url,
            status=SourceStatus.PENDING,
            size_bytes=None if content is None else len(content),
            passages_count=0,
        )
        session.add(source)
        self._rack.record(session, SOURCE_CREATED, source)
        await session.flush()
        if content is not None:
            session.add(Content(source_id=source.id, body=content))
        self._wake_after(session)
        return source

    def _wake_after(self, session: AsyncSession) -> None:
        event.listen(session.sync_session, "after_commit", lambda _: self._intake.wake(), once=True)


async def of_chatbot(session: AsyncSession, chatbot_id: str, limit: int) -> list[Source]:
    """Return the newest sources of a chatbot."""
    found = select(Source).filter_by(chatbot_id=chatbot_id).order_by(Source.created_at.desc(), Source.id.desc())
    return list(await session.scalars(found.limit(limit)))


def _named(filename: str) -> str:
    """Return a file's name as the name of its source."""
    try:
        return _NAME.validate_python(filename[:200])
    except ValidationError:
        raise refusals.INVALID_REQUEST("The file's name cannot be shown: give the source a name.", param="file") from None
