"""Pictures of the docs: pages of each kind."""

from collections.abc import Awaitable, Callable

from tests.browser.visitor import Visitor

PAGES = {
    "docs-introduction": "/docs/introduction",
    "docs-quickstart": "/docs/quickstart",
    "docs-rate-limits": "/docs/rate-limits",
    "docs-errors": "/docs/errors",
    "docs-error": "/docs/errors/insufficient_permission",
    "docs-guide": "/docs/guides/private-saas",
    "docs-explorer": "/docs/api/explorer",
    "docs-operation": "/docs/api/me/get-me",
    "docs-sdk": "/docs/sdks/python",
    "docs-changelog": "/docs/changelog",
    "docs-search": "/docs/search?q=idempotency",
    "docs-help": "/docs/help?code=key_revoked&request_id=req_019f2c1a7b",
}


def _visited(path: str) -> Callable[[Visitor], Awaitable[None]]:
    async def step(visitor: Visitor) -> None:
        await visitor.visit(path)

    return step


async def _typed(visitor: Visitor) -> None:
    await visitor.visit("/docs/quickstart")
    await visitor.control("docs.search").press_sequentially("rate", delay=20)
    await visitor.control("docs.typed").first.wait_for()


async def _asked(visitor: Visitor) -> None:
    await visitor.visit("/docs/quickstart")
    await visitor.control("docs.helpful.no").click()
    await visitor.control("docs.comment").wait_for()


OF_DOCS = {**{name: _visited(path) for name, path in PAGES.items()}, "docs-typed": _typed, "docs-feedback": _asked}
