"""A language model's server as OpenAI's API describes it, on this machine, whose answers a test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.atrium.conftest import Server

SECRET = "sk-test-umbrella"
Reply = Callable[[dict[str, Any]], Response]


def completion(text: str | None) -> Response:
    """Return a whole answer that says a text."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    return JSONResponse(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": 1741569952,
            "model": "gpt-5-mini-2025-08-07",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29},
            "service_tier": "default",
        }
    )


class Model:
    """The server: `reply` makes the answer of each call from its body while `waits` is set; `asked` are the bodies, since `reached`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reply: Reply = lambda _: completion("[1]")
        self.reached, self.waits = asyncio.Event(), asyncio.Event()
        self.waits.set()

    async def complete(self, request: Request) -> Response:
        """Answer one call."""
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            error = {"message": "Incorrect API key provided.", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
            return JSONResponse({"error": error}, 401)
        body = await request.json()
        self.asked.append(body)
        assert {"model", "messages"} == set(body)
        assert all({"role", "content"} == set(message) for message in body["messages"])
        self.reached.set()
        await self.waits.wait()
        return self.reply(body)


@asynccontextmanager
async def model_server() -> AsyncIterator[tuple[Model, str]]:
    """Run one, and give it with its address."""
    model, app = Model(), FastAPI()
    app.post("/v1/chat/completions")(model.complete)
    server = Server(app)
    task = asyncio.create_task(server.serve())
    await server.answers.wait()
    host, port = server.servers[0].sockets[0].getsockname()
    yield model, f"http://{host}:{port}/v1"
    server.should_exit = True
    await task
