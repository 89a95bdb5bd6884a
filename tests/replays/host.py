"""A host whose handlers write in every way that a call which happens once can meet. `keyrack serve` runs it, too: see `test_killed`."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import event, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from keyrack import Keyrack, Settings, refusals
from tests.backends import Backend
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, client_of, living

FLAG = "die-at"


class Base(DeclarativeBase):
    """The host's own tables."""


class Note(Base):
    """A row of the host's."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class NewNote(BaseModel):
    """A note to write, and what its handler is to do after that."""

    text: str
    then: str = "answer"


class Notes:
    """The host. `gate` holds slow handlers until it is set; `begun` is set by them."""

    def __init__(self, rack: Keyrack, engine: AsyncEngine) -> None:
        self.engine = engine
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self._rack = rack
        self._data: Path = rack.settings.data
        write = [rack.requires("customers:write")]

        async def session() -> AsyncIterator[AsyncSession]:
            async with AsyncSession(engine, expire_on_commit=False) as one:
                yield one
            self.die_at("exit")

        async def own_session() -> AsyncIterator[AsyncSession]:
            async with AsyncSession(engine, expire_on_commit=False) as one, one.begin():
                yield one

        @self.app.post("/api/v1/notes", status_code=201, dependencies=write)
        async def add(body: NewNote, response: Response, db: Annotated[AsyncSession, Depends(session)]) -> Any:
            return await self._joined(body, response, db)

        @self.app.post("/api/v1/loose-notes", status_code=201, dependencies=write)
        async def add_loosely(body: NewNote, db: Annotated[AsyncSession, Depends(own_session)]) -> Any:
            db.add(Note(text=body.text))
            await db.flush()
            if body.then == "crash":
                await db.commit()
                raise RuntimeError("crash after the commit")
            return {"object": "note", "id": body.text}

        @self.app.post("/api/v1/streams", dependencies=write)
        async def stream() -> StreamingResponse:
            async def parts() -> AsyncIterator[bytes]:
                yield b"data: begun\n\n"
                await self.gate.wait()
                yield b"data: over\n\n"

            return StreamingResponse(parts(), media_type="text/event-stream")

        @self.app.delete("/api/v1/notes/{name}", status_code=204, dependencies=write)
        async def remove(name: str, request: Request, db: Annotated[AsyncSession, Depends(session)]) -> None:
            rack.transaction(db)
            found = await db.scalar(select(Note).where(Note.text == name))
            if found is None:
                raise refusals.NOT_FOUND("No such note.")
            await db.delete(found)

    async def texts(self) -> list[str]:
        """The notes that were committed."""
        async with self.engine.execution_options(keyrack_read_only=True).connect() as connection:
            return list((await connection.execute(select(Note.text).order_by(Note.id))).scalars())

    def die_at(self, step: str) -> None:
        """Kill this process where a test has named this step, once."""
        flag = self._data / FLAG
        if flag.exists() and flag.read_text() == step:
            flag.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    async def _joined(self, body: NewNote, response: Response, db: AsyncSession) -> Any:
        self.die_at("begun")
        if body.then == "wait":
            self.begun.set()
            await self.gate.wait()
        self._rack.transaction(db)
        note = Note(text=body.text)
        db.add(note)
        await db.flush()
        self.die_at("written")
        event.listen(db.sync_session, "after_commit", lambda _: self.die_at("committed"))
        if body.then == "refuse":
            raise refusals.CONFLICT("There is such a note.")
        if body.then == "correct":
            raise refusals.INVALID_REQUEST("Write another text.", param="text")
        if body.then == "unavailable":
            raise HTTPException(503)
        if body.then == "crash":
            raise RuntimeError("crash")
        if body.then == "secret":
            response.headers["Cache-Control"] = "no-store"
        response.headers["Location"] = f"/notes/{note.id}"
        response.headers["Set-Cookie"] = "a=b"
        return {"object": "note", "id": str(note.id), "text": note.text, "filler": "x" * 300_000 if body.then == "long" else ""}


@asynccontextmanager
async def noting(backend: Backend, folder: Path) -> AsyncIterator[tuple[Host, Notes]]:
    """Run the host in this process."""
    rack = Keyrack(Settings(data=folder, database_url=backend.url), brand=BRAND, categories=CATEGORIES, plans=PLANS)
    notes = Notes(rack, rack.host_engine())
    rack.install(notes.app)
    async with living(notes.app), client_of(rack, notes.app) as host:
        async with notes.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield host, notes
    await notes.engine.dispose()


async def add_table(rack: Keyrack) -> None:
    """Make the host's table, where its app runs in another process."""
    engine = rack.host_engine()
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS notes"))
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
