"""`keyrack docs`: what readers say of the docs."""

from typing import Annotated, Any

import typer

from keyrack.api.fields import ObjectView, Time
from keyrack.api.lists import ListQuery
from keyrack.cli.acting import Listing, in_rack, tell_page
from keyrack.cli.options import PAGE_LENGTH, App, Count, Cursor, Data, Json
from keyrack.manage import docs_feedback
from keyrack.model.docs_feedback import DocsFeedback, PageCount
from keyrack.server import Keyrack

commands = typer.Typer(name="docs", no_args_is_help=True, help="Read what readers say of the docs.")

COLUMNS = {"TIME": "created_at", "PAGE": "page", "HELPFUL": "helpful", "COMMENT": "comment"}
COUNTED = {"PAGE": "page", "HELPFUL": "helpful", "NOT": "unhelpful", "COMMENTS": "comments"}


class DocsFeedbackView(ObjectView):
    """An answer to “Was this page helpful?”."""

    object: str = "docs_feedback"
    page: str
    helpful: bool
    comment: str
    created_at: Time


class PageCountView(ObjectView):
    """How many readers found a page helpful. `id` is the page."""

    object: str = "docs_page_count"
    page: str
    helpful: int
    unhelpful: int
    comments: int


@commands.command("feedback")
def list_feedback(
    page: Annotated[str | None, typer.Option("--page", help="Of this page alone: its path below /docs, like errors/not_found.")] = None,
    limit: Count = PAGE_LENGTH,
    cursor: Cursor = None,
    app: App = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what readers answered to “Was this page helpful?”, newest first."""

    async def work(rack: Keyrack) -> dict[str, Any]:
        desk = rack.assembly.desk
        listing = Listing(desk, ListQuery(limit=limit, cursor=cursor), "docs_feedback", page=page)
        found = await docs_feedback.page(desk, limit=limit + 1, after=listing.after, of_page=page)
        return listing.page(found, _view, lambda one: (one.created_at, one.id))

    tell_page(as_json, in_rack(app, data, work), COLUMNS, "Nobody has said anything yet.")


@commands.command("pages")
def count_pages(app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Count the answers of each page, those first that most readers found wanting."""

    async def work(rack: Keyrack) -> dict[str, Any]:
        found = [_counted(one).model_dump(mode="json") for one in await docs_feedback.counts(rack.assembly.desk)]
        return {"object": "list", "data": found, "has_more": False, "next_cursor": None}

    tell_page(as_json, in_rack(app, data, work), COUNTED, "Nobody has said anything yet.")


def _view(one: DocsFeedback) -> DocsFeedbackView:
    return DocsFeedbackView(id=one.id, page=one.page, helpful=one.helpful, comment=one.comment, created_at=one.created_at)


def _counted(one: PageCount) -> PageCountView:
    return PageCountView(id=one.page, page=one.page, helpful=one.helpful, unhelpful=one.unhelpful, comments=one.comments)
