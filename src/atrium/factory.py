"""How Atrium is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from atrium.brands import Configuration, named
from atrium.chat.completions import ModelSettings
from atrium.chat.service import Chat
from atrium.chat.widget import chatbot_in_pages
from atrium.community.keeper import Keeper
from atrium.connectors import connectors
from atrium.database import Database
from atrium.dependencies import Configured
from atrium.modules import Link, switched_on
from atrium.pages.activity import router as activity_pages
from atrium.screens import STATIC
from atrium.versions import FIRST_VERSION
from keyrack import Docs, Keyrack, Settings, create_engine

DOCS = Path(__file__).parent / "docs"
ACTIVITY = Link("/activity", "Activity", "full_write")


def create_app(settings: Settings, brand: str = "atrium", model: ModelSettings | None = None) -> FastAPI:
    """Return Atrium as it looks under a brand, one of `atrium.brands.BRANDS`. Its `state` has `rack`, `configuration` and `database`.

    `model` says which language model words the answers of chatbots; by default the environment does, and names none.
    """
    configuration = named(brand)
    modules = switched_on(configuration.modules)
    database = Database(create_engine(settings.store_url))
    # Two modules may count by the same meter.
    metered = list({one.meter.name: one for module in modules for one in module.meters}.values())
    rack = Keyrack(
        settings,
        brand=configuration.brand,
        plans=[replace(plan, meters={one.meter.name: one.quota(plan) for one in metered}) for plan in configuration.plans],
        categories=[category for module in modules for category in module.categories],
        events=[event for module in modules for event in module.events],
        versions=[change for module in modules for change in module.versions],
        first_version=FIRST_VERSION,
        meters=[one.meter for one in metered],
        connectors=connectors(database, configuration.brand.name) if configuration.connects else (),
        embeds=[chatbot_in_pages(database)] if "chat" in configuration.modules else (),
        docs=Docs(DOCS, _words(configuration)),
    )

    chat = Chat(rack, database, model)
    community = Keeper(rack, database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await database.create_tables()
            async with (
                chat.running() if "chat" in configuration.modules else nullcontext(),
                community.running() if "community" in configuration.modules else nullcontext(),
            ):
                yield
        finally:
            await database.close()

    app = FastAPI(title=configuration.brand.name, lifespan=lifespan)
    app.state.rack, app.state.configuration, app.state.database, app.state.chat = rack, configuration, database, chat
    app.state.community = community
    app.state.links = [*(link for module in modules for link in module.links), ACTIVITY]
    app.state.parts_of_customers = [part for module in modules for part in module.parts_of_customers]
    for router in (router for module in modules for router in module.api):
        app.include_router(router, prefix="/api/v1")
    for router in (*(router for module in modules for router in module.pages), activity_pages):
        app.include_router(router)
    app.get("/", include_in_schema=False)(_front_page)
    app.get("/static/brand.css", include_in_schema=False)(_brand_style)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    rack.install(app, guard=["/api"])
    return app


def _words(configuration: Configuration) -> dict[str, Any]:
    """What the docs know of the configuration: which modules are on, and what they call an onboarding that was opened without a name."""
    name = configuration.onboarding_name
    onboarding = "onboarding" if name == "Onboarding" else f"{name.lower()} onboarding"
    outbound = "Slack, Resend, Stripe" if configuration.connects else ""
    return {"modules": configuration.modules, "onboarding": onboarding, "outbound": outbound}


async def _front_page(request: Request, configured: Configured) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{configured.brand.home}")


async def _brand_style(configured: Configured) -> Response:
    return Response(f":root {{ --brand: {configured.brand.color}; }}", media_type="text/css")
