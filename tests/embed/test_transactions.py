"""The host's transaction is the gate's: committed before the answer leaves, rolled back under a refusal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from keyrack import Caller, EventType, Keyrack, Settings
from keyrack.manage import events, keys
from keyrack.manage.change import ChangeWithoutEvent, change
from keyrack.store import changes
from keyrack.store import spaces as space_rows
from tests.backends import Backend
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, PLANS, Host, client_of, living
from tests.walk.problems import problem


class Base(DeclarativeBase):
    """The host's own tables."""


class Note(Base):
    """A row of the host's, whose id the database gives."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(unique=True)


class ShownNote(BaseModel):
    """What an event tells of a note."""

    id: int
    text: str


NOTE_CREATED = EventType("note.created", ShownNote)
UNDECLARED = EventType("note.lost", ShownNote)


def build(rack: Keyrack, engine: AsyncEngine) -> FastAPI:
    """Return a host whose handlers write in different ways."""
    app = FastAPI()
    write = [rack.requires("customers:write")]

    async def session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False) as one:
            yield one

    @app.post("/api/v1/notes/{text}", dependencies=write)
    async def add(text: str, db: Annotated[AsyncSession, Depends(session)], caller: Caller, then: str = "answer") -> Any:
        rack.transaction(db)
        note = Note(text=text)
        db.add(note)
        rack.record(db, NOTE_CREATED, note)
        await db.flush()
        if then == "raise":
            raise HTTPException(409, "Changed my mind.")
        if then == "crash":
            raise RuntimeError("crash")
        if then == "close":
            await db.rollback()
        if then == "commit":
            await db.commit()
        if then == "change":
            await rack.spaces.create(caller.workspace_id, "Inside")
        if then == "undeclared":
            rack.record(db, UNDECLARED, note)
        return {"id": note.id, "filler": "x" * 400_000 if then == "long" else ""}

    return app


@asynccontextmanager
async def noting(backend: Backend, folder: Path) -> AsyncIterator[tuple[Host, AsyncEngine]]:
    """Run the host."""
    rack = Keyrack(Settings(data=folder, database_url=backend.url), brand=BRAND, categories=CATEGORIES, plans=PLANS, events=[NOTE_CREATED])
    engine = rack.host_engine()
    app = build(rack, engine)
    rack.install(app)
    async with living(app), client_of(rack, app) as host:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield host, engine
    await engine.dispose()


async def texts(engine: AsyncEngine) -> list[str]:
    """The notes that were committed."""
    async with engine.execution_options(keyrack_read_only=True).connect() as connection:
        return list((await connection.execute(select(Note.text).order_by(Note.id))).scalars())


async def told(host: Host) -> list[dict[str, Any]]:
    """The payloads of the notes' events."""
    page = await events.page(host.rack.assembly.desk, host.owner, limit=100)
    return [dict(event.data) for event in page if event.type == "note.created"]


async def test_change_and_event_are_committed_when_the_answer_arrives(backend: Backend, tmp_path: Path) -> None:
    async with noting(backend, tmp_path) as (host, engine):
        key = await host.key(ALL_RIGHTS, name="prod-server")
        for number, then in enumerate(("answer", "long")):
            answer = await host.send("POST", f"/api/v1/notes/{then}?then={then}", key)
            assert 200 == answer.status_code
            assert number + 1 == len(await texts(engine))
        assert [{"id": 2, "text": "long"}, {"id": 1, "text": "answer"}] == await told(host)
        newest = (await events.page(host.rack.assembly.desk, host.owner, limit=1))[0]
        assert ("prod-server", answer.headers["x-request-id"]) == (newest.actor.name, newest.request_id)


@pytest.mark.parametrize(
    ("then", "status", "code"),
    [
        ("raise", 409, "conflict"),
        ("crash", 500, "internal_error"),
        ("close", 500, "transaction_closed"),
        ("commit", 500, "transaction_closed"),
        ("change", 500, "change_inside_transaction"),
        ("undeclared", 500, "internal_error"),
    ],
)
async def test_refused_call_leaves_nothing_and_says_so(backend: Backend, tmp_path: Path, then: str, status: int, code: str) -> None:
    async with noting(backend, tmp_path) as (host, engine):
        key = await host.key()
        problem(await host.send("POST", f"/api/v1/notes/a?then={then}", key), status, code)
        if then != "commit":
            assert [] == await texts(engine)
            assert [] == await told(host)
        # The call left no lock behind: the next change goes through.
        assert 200 == (await host.send("POST", "/api/v1/notes/b", key)).status_code
        await keys.revoke(host.rack.assembly.desk, host.owner, key.key.id)


async def test_failed_commit_answers_instead_of_the_handler(backend: Backend, tmp_path: Path) -> None:
    async with noting(backend, tmp_path) as (host, engine):
        key = await host.key()
        assert 200 == (await host.send("POST", "/api/v1/notes/same", key)).status_code
        answer = await host.send("POST", "/api/v1/notes/same", key)
        problem(answer, 500 if answer.status_code == 500 else 409, answer.json()["code"])
        assert ["same"] == await texts(engine)
        assert 1 == len(await told(host))


async def test_writers_at_once_queue_and_none_is_lost(backend: Backend, tmp_path: Path) -> None:
    async with noting(backend, tmp_path) as (host, engine):
        key = await host.key()
        answers = await asyncio.gather(*(host.send("POST", f"/api/v1/notes/{number}", key) for number in range(20)))
        assert {200} == {answer.status_code for answer in answers}
        assert 20 == len(await texts(engine)) == len(await told(host))


async def test_change_without_an_event_cannot_commit(backend: Backend, tmp_path: Path) -> None:
    async with noting(backend, tmp_path) as (host, _):
        space = await host.rack.spaces.create(host.workspace.id, "Launch")
        desk = host.rack.assembly.desk
        with pytest.raises(ChangeWithoutEvent):
            async with change(desk, host.owner) as c:
                await space_rows.save(c.connection, replace(space, name="Silent"))
        found = await host.rack.spaces.find(host.workspace.id, space.id)
        assert found is not None
        assert "Launch" == found.name


async def test_only_access_changes_take_a_revision(backend: Backend, tmp_path: Path) -> None:
    async with noting(backend, tmp_path) as (host, _):
        store = host.rack.assembly.store

        async def newest() -> int:
            async with store.reading() as c:
                return await changes.newest(c)

        before = await newest()
        key = await host.key()
        assert before == await newest()
        await keys.revoke(host.rack.assembly.desk, host.owner, key.key.id)
        assert before + 1 == await newest()
