"""What the handlers of chat ask for by annotation."""

from typing import Annotated

from fastapi import Depends, Request

from atrium.chat.answers import Answerer
from atrium.chat.service import Chat
from atrium.chat.sources import Sources


async def _answerer(request: Request) -> Answerer:
    chat: Chat = request.app.state.chat
    return chat.answerer


async def _sources(request: Request) -> Sources:
    chat: Chat = request.app.state.chat
    return chat.sources


Answering = Annotated[Answerer, Depends(_answerer)]
SourceWriter = Annotated[Sources, Depends(_sources)]
