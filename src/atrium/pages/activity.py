"""The activity feed as people see it."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from atrium.dependencies import Rack
from atrium.screens import Screens
from keyrack import Caller, Keyrack

DEEDS_SHOWN = 40

router = APIRouter(prefix="/activity", include_in_schema=False)


class FeedQuery(BaseModel):
    """What the feed shows, and from where on."""

    model_config = ConfigDict(extra="forbid")

    changes_only: bool = False
    oldest_first: bool = False
    cursor: str | None = Field(default=None, max_length=1000)


@router.get("", dependencies=[Keyrack.signed_in("full_write")])
async def show_activity(query: Annotated[FeedQuery, Query()], rack: Rack, caller: Caller, screen: Screens) -> HTMLResponse:
    """Show what was done in the workspace, newest first unless it is asked for the other way round."""
    chosen = {"changes_only": query.changes_only, "oldest_first": query.oldest_first}
    of_this_list = {"list": "activity", **chosen}
    after = rack.cursors.read(query.cursor, of_this_list)
    found = await rack.activity.page(caller.principal, limit=DEEDS_SHOWN, after=after, **chosen)
    following = screen.older(rack.cursors.write(found.after, of_this_list)) if found.after else None
    # What happens now comes in by itself where it belongs on the page that is shown.
    is_live = after is None and not query.oldest_first
    return screen.show("activity/feed.html", found=found, following=following, is_live=is_live, **chosen)
