"""The host that `keyrack serve` runs in these tests: that of all suites, and what takes long, is silent, or never ends."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from keyrack import Caller, Keyrack, Settings
from keyrack.manage import keys
from tests.hosts import BRAND, CATEGORIES, build_app
from tests.serving.plans import MESSAGES, SERVED

DATA = Settings().data

rack = Keyrack(Settings(), brand=BRAND, categories=CATEGORIES, plans=SERVED, meters=[MESSAGES])
app = build_app(rack)
engine = rack.host_engine()
read, write = [rack.requires("customers:read")], [rack.requires("customers:write")]
nudges = asyncio.Event()
passed: Counter[str] = Counter()


async def session() -> AsyncIterator[AsyncSession]:
    """A session that is closed after the answer."""
    async with AsyncSession(engine) as one:
        yield one


async def ticks(name: str) -> AsyncIterator[bytes]:
    """Yield without an end; `passed` counts those that were let through."""
    while True:
        yield b"tick"
        passed[name] += 1
        await asyncio.sleep(0)


@app.api_route("/api/v1/both", methods=["GET", "HEAD"], dependencies=read)
async def answer_both() -> dict[str, Any]:
    return {"pid": os.getpid()}


@app.get("/api/v1/counted", dependencies=read)
async def count() -> dict[str, Any]:
    await rack.count(MESSAGES)
    return {"pid": os.getpid()}


@app.get("/api/v1/parts", dependencies=read)
async def stream_parts() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d\n" % number

    return StreamingResponse(parts())


@app.get("/api/v1/numbers/{number:int}", dependencies=read)
async def get_number(number: int) -> dict[str, Any]:
    return {"number": number}


@app.get("/api/v1/slow", dependencies=read)
async def answer_slowly() -> dict[str, Any]:
    """Answer when the test writes into a named pipe."""
    (DATA / "begun").touch()
    return {"said": await asyncio.to_thread((DATA / "pipe").read_text)}


@app.get("/api/v1/stuck", dependencies=read)
async def never_answer() -> None:
    await asyncio.Event().wait()


@app.post("/api/v1/notes/{note}", dependencies=write)
async def add_note(note: str, request: Request, db: Annotated[AsyncSession, Depends(session)]) -> dict[str, Any]:
    """Write a row, then read the body."""
    rack.transaction(db)
    await db.execute(text("INSERT INTO notes VALUES (:note)"), {"note": note})
    (DATA / note).touch()
    return {"bytes": len(await request.body())}


@app.get("/api/v1/silent", dependencies=read)
async def stream_silently(parts: int) -> StreamingResponse:
    """Stream some parts, then one for each nudge, without an end."""
    return StreamingResponse(_silent(parts))


@app.get("/api/v1/spaces/{space_id}/silent", dependencies=[rack.requires("messages:read", space="path:space_id")])
async def stream_space(space_id: str) -> StreamingResponse:
    return StreamingResponse(_silent(1))


async def _silent(parts: int) -> AsyncIterator[bytes]:
    for number in range(parts):
        yield b"part %d" % number
    while True:
        await nudges.wait()
        yield b"nudged"
        nudges.clear()


@app.post("/api/v1/nudge", dependencies=write)
async def nudge() -> None:
    nudges.set()


@app.get("/api/v1/ticks", dependencies=read)
async def stream_ticks() -> StreamingResponse:
    return StreamingResponse(ticks("stream"))


@app.websocket("/api/v1/ticks", dependencies=read)
async def send_ticks(websocket: WebSocket) -> None:
    await websocket.accept()
    async for tick in ticks("socket"):
        await websocket.send_bytes(tick)


@app.delete("/api/v1/callers/{key_id}", dependencies=write)
async def end_caller(key_id: str, caller: Caller) -> dict[str, int]:
    """Revoke a key, and say what had passed by the time that this returned."""
    await keys.revoke(rack.assembly.desk, await rack.workspaces.operator(caller.workspace_id), key_id)
    return dict(passed)


@app.get("/api/v1/passed", dependencies=read)
async def tell_passed() -> dict[str, int]:
    return dict(passed)


@app.websocket("/api/v1/objects/{space_id}", dependencies=[rack.requires("messages:read", space="object")])
async def echo_in_space(websocket: WebSocket, space_id: str, caller: Caller, ask: bool = True) -> None:
    """Echo, once the caller has proved that this space is theirs."""
    if ask:
        caller.require("messages:read", space=space_id)
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


@app.websocket("/api/v1/public", dependencies=[rack.public])
async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close(1000)


@app.websocket("/api/v1/denials/{how}", dependencies=read)
async def deny(websocket: WebSocket, how: str) -> None:
    """Refuse, in each way that a host has."""
    if how.startswith("late-"):
        await websocket.accept()
    if how == "close":
        await websocket.close()
    elif how == "response":
        await websocket.send_denial_response(JSONResponse({"reason": "the host's own words"}, status_code=409))
    elif how.endswith("exception"):
        raise HTTPException(409, "Not now.")
    elif how.endswith("crash"):
        raise RuntimeError("the secret detail of a crash")


rack.install(app)
