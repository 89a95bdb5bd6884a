"""What the handlers of chat ask for by annotation."""

from typing import Annotated

from fastapi import Depends, Request

from atrium.chat.answers import Answerer
from atrium.chat.service import Chat
from atrium.chat.sources import Sources
from atrium.database import Database


async def _answerer(request: Request) -> Answerer:
    chat: Chat = request.app.state.chat
    return chat.answerer


async def _sources(request: Request) -> Sources:
    chat: Chat = request.app.state.chat
    return chat.sources


async def _tables(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Answering = Annotated[Answerer, Depends(_answerer)]
SourceWriter = Annotated[Sources, Depends(_sources)]
Tables = Annotated[Database, Depends(_tables)]
"""For what outlives the sessions of its call."""
