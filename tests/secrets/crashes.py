"""A host that is careless with what it is given: its faults put the caller's secret into their message and their variables."""

from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from sqlalchemy import text

from atrium.dependencies import Rack, Session
from keyrack import Keyrack


def add(app: FastAPI) -> FastAPI:
    """Add the careless routes to Atrium, before it starts."""
    may_read = [Keyrack.requires("customers:read")]
    for path, handler in (("", in_handler), ("/stream", in_stream), ("/statement", in_statement)):
        app.get(f"/api/v1/crash{path}", dependencies=may_read)(handler)
    for path, socket in (("", in_socket), ("/handshake", in_handshake)):
        app.websocket(f"/api/v1/crash/socket{path}", dependencies=may_read)(socket)
    app.get("/crash")(in_handler)
    return app


async def in_handler(request: Request) -> None:
    """Fail with the secret in the message, below another fault that has it too."""
    credential = request.headers["authorization"]
    try:
        raise LookupError(credential)
    except LookupError as error:
        raise RuntimeError(f"cannot use {credential} of {request.headers!r}") from error


async def in_stream(request: Request) -> StreamingResponse:
    """Fail when the answer has begun."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"
        raise RuntimeError(request.headers["authorization"])

    return StreamingResponse(parts())


async def in_statement(request: Request, rack: Rack, session: Session) -> None:
    """Have the database refuse a statement that has the secret among its parameters."""
    rack.transaction(session)
    await session.execute(text("SELECT * FROM nowhere WHERE credential = :credential"), {"credential": request.headers["authorization"]})


async def in_socket(websocket: WebSocket) -> None:
    """Fail in the middle of a conversation."""
    await websocket.accept()
    raise RuntimeError(websocket.headers["authorization"])


async def in_handshake(websocket: WebSocket) -> None:
    """Fail before the conversation has begun."""
    raise RuntimeError(websocket.headers["authorization"])
