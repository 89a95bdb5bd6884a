"""A database file that another program holds."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.requests import Request
from starlette.responses import JSONResponse

from keyrack import Keyrack, Settings
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, client_of, living
from tests.walk.problems import problem


@asynccontextmanager
async def host_with_notes(folder: Path) -> AsyncIterator[Host]:
    """A host that keeps notes in a file of its own, and waits for nobody who holds it."""
    rack = Keyrack(Settings(data=folder / "data"), brand=BRAND, categories=CATEGORIES, plans=PLANS)
    app = FastAPI()
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/notes.db", connect_args={"timeout": 0})

    @app.exception_handler(SQLAlchemyError)
    async def told_by_the_host(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"told": "by the host"}, 507)

    @app.post("/outside")
    @app.post("/api/v1/notes", dependencies=[rack.requires("customers:write")])
    async def add_note(statement: str = "INSERT INTO notes VALUES (1)") -> None:
        async with engine.begin() as connection:
            await connection.execute(text(statement))

    rack.install(app)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE notes (number INTEGER)"))
    async with living(app), client_of(rack, app) as host:
        yield host
    await engine.dispose()


@asynccontextmanager
async def held(path: Path) -> AsyncIterator[None]:
    """Hold a file as another program does."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_call_that_meets_a_locked_file_of_the_host_may_be_repeated(tmp_path: Path) -> None:
    async with host_with_notes(tmp_path) as host:
        key = await host.key()
        async with held(tmp_path / "notes.db"):
            answer = await host.send("POST", "/api/v1/notes", key)
            assert problem(answer, 503, "store_unavailable")["retryable"]
            assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert 200 == (await host.send("POST", "/api/v1/notes", key)).status_code


async def test_other_faults_of_the_hosts_database_stay_its_own(tmp_path: Path) -> None:
    async with host_with_notes(tmp_path) as host:
        key = await host.key()
        wrong = {"statement": "INSERT INTO nowhere VALUES (1)"}
        assert 500 <= (await host.send("POST", "/api/v1/notes", key, params=wrong)).status_code != 503
        async with held(tmp_path / "notes.db"):
            outside = await host.client.post("/outside")
            assert (507, {"told": "by the host"}) == (outside.status_code, outside.json())
