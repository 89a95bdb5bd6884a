"""What a handler asks for by annotation. All async: FastAPI runs a plain `def` dependency in a thread."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.brands import Configuration
from atrium.database import Row
from keyrack import EventType, Keyrack

Part = tuple[type[Row], EventType]


class NoParameters(BaseModel):
    """The query of an operation that takes none."""

    model_config = ConfigDict(extra="forbid")


async def _no_parameters(_: Annotated[NoParameters, Query()]) -> None:
    """Refuse a parameter rather than ignore it: its sender believes in it."""


async def _rack(request: Request) -> Keyrack:
    rack: Keyrack = request.app.state.rack
    return rack


async def _configuration(request: Request) -> Configuration:
    configuration: Configuration = request.app.state.configuration
    return configuration


async def _parts_of_customers(request: Request) -> Sequence[Part]:
    parts: Sequence[Part] = request.app.state.parts_of_customers
    return parts


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.writing() as session:
        yield session


async def _reading_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.reading() as session:
        yield session


PartsOfCustomers = Annotated[Sequence[Part], Depends(_parts_of_customers)]
"""What goes along when a customer is deleted: models with a `customer_id`, and the event that tells of each that goes."""
NO_PARAMETERS = Depends(_no_parameters)
"""For the routes of a single thing: they take no query."""
Rack = Annotated[Keyrack, Depends(_rack)]
Configured = Annotated[Configuration, Depends(_configuration)]
Session = Annotated[AsyncSession, Depends(_session)]
"""A session for a handler that writes: it gives it to `rack.transaction` first, and the gate commits before the answer leaves."""
ReadingSession = Annotated[AsyncSession, Depends(_reading_session)]
"""A session for a handler that only reads: it takes no write lock."""
