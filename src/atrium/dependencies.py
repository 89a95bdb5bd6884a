"""What a handler asks for by annotation. All async: FastAPI runs a plain `def` dependency in a thread."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.brands import Configuration
from keyrack import Keyrack


async def _rack(request: Request) -> Keyrack:
    rack: Keyrack = request.app.state.rack
    return rack


async def _configuration(request: Request) -> Configuration:
    configuration: Configuration = request.app.state.configuration
    return configuration


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.writing() as session:
        yield session


async def _reading_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.reading() as session:
        yield session


Rack = Annotated[Keyrack, Depends(_rack)]
Configured = Annotated[Configuration, Depends(_configuration)]
Session = Annotated[AsyncSession, Depends(_session)]
"""A session for a handler that writes: it gives it to `rack.transaction` first, and the gate commits before the answer leaves."""
ReadingSession = Annotated[AsyncSession, Depends(_reading_session)]
"""A session for a handler that only reads: it takes no write lock."""
