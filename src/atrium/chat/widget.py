"""The widget: a chatbot in pages of anybody's. What those pages load, what is pasted into them, and a page here that shows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, StringConstraints
from sqlalchemy import select

from atrium.chat import chatbots
from atrium.chat.models import Chatbot
from atrium.database import Database
from atrium.screens import Screens
from keyrack import Embeddable, Keyrack, Refused

OFFERED_MAX = 100
SNIPPET = '<script src="{base_url}/widget.js" data-key="{key}" async></script>'
PREVIEW = "/widget/preview?key={key}"
SCRIPT = (Path(__file__).parent / "widget.js").read_bytes()
HEADERS = {
    # Any page may load it, also one that asks everything it loads for leave (COEP); it is the same for all of them.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(include_in_schema=False)


class Previewed(BaseModel):
    """Which embed key is tried."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,100}$")]


@router.get("/widget.js")
async def load_widget() -> Response:
    """Give the script that pages load."""
    return Response(SCRIPT, media_type="text/javascript", headers=HEADERS)


@router.get("/widget/preview", dependencies=[Keyrack.signed_in("chatbots:read")])
async def preview_widget(asked: Annotated[Previewed, Query()], screen: Screens) -> HTMLResponse:
    """Show a page with the widget in it. What is said there is a conversation like any other."""
    return screen.show("chatbots/preview.html", key=asked.key)


def chatbot_in_pages(database: Database) -> Embeddable:
    """Return what Keyrack asks of chatbots, to bind embed keys to them."""

    async def find(workspace_id: str, chatbot_id: str) -> str | None:
        async with database.reading() as session:
            try:
                return (await chatbots.find(session, workspace_id, chatbot_id)).name
            except Refused:
                return None

    async def offer(workspace_id: str) -> Sequence[tuple[str, str]]:
        newest = (
            select(Chatbot.id, Chatbot.name).filter_by(workspace_id=workspace_id).order_by(Chatbot.created_at.desc(), Chatbot.id.desc())
        )
        async with database.reading() as session:
            return [(row.id, row.name) for row in await session.execute(newest.limit(OFFERED_MAX))]

    return Embeddable("chatbot", "Chatbot", SNIPPET, find, offer, PREVIEW)
