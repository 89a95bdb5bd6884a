"""The parts of chat, put together once for a running Atrium."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from atrium.chat.answers import Answerer
from atrium.chat.completions import Completions, ModelSettings
from atrium.chat.intake import Intake
from atrium.chat.sources import Sources
from atrium.database import Database
from keyrack import Keyrack


class Chat:
    """What answers (`answerer`), what writes sources (`sources`) and what takes them in (`intake`), over one database."""

    def __init__(self, rack: Keyrack, database: Database, model: ModelSettings | None = None) -> None:
        settings = ModelSettings() if model is None else model
        self._completions = None if settings.url is None else Completions(settings)
        self.answerer = Answerer(database, self._completions)
        self.intake = Intake(rack, database)
        self.sources = Sources(rack, self.intake)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take in sources until the block is left. The tables are there."""
        try:
            async with self.intake.running():
                yield
        finally:
            if self._completions is not None:
                await self._completions.close()
