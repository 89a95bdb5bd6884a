"""“Was this page helpful?”: an answer with one press, and a comment by who has one. Nothing is kept of who said it."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyrack.docs.forms import read_form
from keyrack.docs.site import Site
from keyrack.manage import docs_feedback
from keyrack.model.refusals import Refused


class FeedbackPages:
    """What readers tell us of a page."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def routes(self) -> Sequence[Route]:
        """The routes."""
        return [
            Route("/docs/feedback", self.answer, methods=["POST"]),
            Route("/docs/feedback/comment", self.comment, methods=["POST"]),
        ]

    async def answer(self, request: Request) -> Response:
        """Keep whether a page was helpful, and ask for a comment."""
        site = self._site
        form = await read_form(request, site.place(request).base_url)
        page = (await site.library()).find(form.get("page", ""))
        if page is None or form.get("helpful") not in ("yes", "no"):
            raise HTTPException(400, "Say of a page of these docs whether it was helpful: yes or no.")
        try:
            feedback = await docs_feedback.add(site.desk, page=page.slug, helpful=form["helpful"] == "yes", address=site.address(request))
        except Refused as refused:
            return await self._refused(request, refused, page.slug)
        return await site.render(
            request, "feedback.html", about=page, helpful=feedback.helpful, token=docs_feedback.token(site.desk, feedback), said=""
        )

    async def comment(self, request: Request) -> Response:
        """Keep the comment that belongs to an answer."""
        site = self._site
        form = await read_form(request, site.place(request).base_url)
        page = (await site.library()).find(form.get("page", ""))
        if page is None:
            raise HTTPException(400, "There is no such page.")
        try:
            await docs_feedback.comment(site.desk, form.get("token", ""), form.get("comment", ""), address=site.address(request))
        except Refused as refused:
            return await self._refused(request, refused, page.slug)
        return await site.render(request, "feedback.html", about=page, helpful=None, token="", said="Thank you. Your comment is with us.")

    async def _refused(self, request: Request, refused: Refused, slug: str) -> Response:
        page = (await self._site.library()).find(slug)
        answer = await self._site.render(
            request, "feedback.html", refused.refusal.status, about=page, helpful=None, token="", said=refused.detail
        )
        answer.headers.update(refused.headers)
        return answer
