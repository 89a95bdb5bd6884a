"""How Atrium is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from atrium.brands import named
from atrium.connectors import connectors
from atrium.customers.events import CONTACT_DELETED, CUSTOMER_EVENTS
from atrium.customers.models import Contact
from atrium.customers.router import router as customers
from atrium.database import Database
from atrium.dependencies import Configured
from atrium.onboardings.events import ONBOARDING_DELETED, ONBOARDING_EVENTS
from atrium.onboardings.models import Onboarding
from atrium.onboardings.router import router as onboardings
from atrium.pages.activity import router as activity_pages
from atrium.pages.customers import router as customer_pages
from atrium.pages.onboardings import router as onboarding_pages
from atrium.pages.spaces import router as space_pages
from atrium.screens import STATIC
from atrium.spaces.events import SPACE_EVENTS
from atrium.spaces.meters import MESSAGES
from atrium.spaces.router import router as spaces
from atrium.versions import CHANGES, FIRST_VERSION
from keyrack import Category, Docs, Keyrack, Limit, Plan, Settings, create_engine

CATEGORIES = [
    Category("customers", "Customers", "Customers and their contacts"),
    Category("onboardings", "Onboardings", "How customers get started"),
    Category("messages", "Messages", "What is said in spaces", in_spaces=True),
    Category("items", "Items", "What is to be done in spaces", in_spaces=True),
]
DOCS = Path(__file__).parent / "docs"
LIMITS = (Limit("workspace", quota=1000, window_seconds=1, burst=5000),)
PLANS = [
    Plan("team", "Team", limits=LIMITS, meters={"messages": 1_000_000}),
    Plan("free", "Free", api_access=False, limits=LIMITS, meters={"messages": 10_000}),
]


def create_app(settings: Settings, brand: str = "atrium") -> FastAPI:
    """Return Atrium as it looks under a brand, one of `atrium.brands.BRANDS`. Its `state` has `rack`, `configuration` and `database`."""
    configuration = named(brand)
    database = Database(create_engine(settings.store_url))
    rack = Keyrack(
        settings,
        brand=configuration.brand,
        plans=PLANS,
        categories=CATEGORIES,
        events=[*CUSTOMER_EVENTS, *ONBOARDING_EVENTS, *SPACE_EVENTS],
        versions=CHANGES,
        first_version=FIRST_VERSION,
        meters=[MESSAGES],
        connectors=connectors(database, configuration.brand.name) if configuration.connects else (),
        docs=Docs(DOCS, {"onboarding": _onboarding(configuration.onboarding_name), "outbound": "Slack, Resend, Stripe"}),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await database.create_tables()
            yield
        finally:
            await database.close()

    app = FastAPI(title=configuration.brand.name, lifespan=lifespan)
    app.state.rack, app.state.configuration, app.state.database = rack, configuration, database
    app.state.parts_of_customers = ((Contact, CONTACT_DELETED), (Onboarding, ONBOARDING_DELETED))
    for router in (customers, onboardings, spaces):
        app.include_router(router, prefix="/api/v1")
    for router in (customer_pages, onboarding_pages, space_pages, activity_pages):
        app.include_router(router)
    app.get("/", include_in_schema=False)(_front_page)
    app.get("/static/brand.css", include_in_schema=False)(_brand_style)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    rack.install(app, guard=["/api"])
    return app


def _onboarding(name: str) -> str:
    """What the docs call an onboarding that was opened without a name."""
    return "onboarding" if name == "Onboarding" else f"{name.lower()} onboarding"


async def _front_page(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/customers")


async def _brand_style(configured: Configured) -> Response:
    return Response(f":root {{ --brand: {configured.brand.color}; }}", media_type="text/css")
