"""Onboardings as people see them."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from atrium.customers.models import Customer
from atrium.dependencies import ReadingSession
from atrium.lists import Pages
from atrium.onboardings.models import Onboarding, OnboardingPhase
from atrium.onboardings.schemas import OnboardingQuery
from atrium.screens import Screens
from keyrack import Caller, Keyrack

router = APIRouter(prefix="/onboardings", include_in_schema=False)


@router.get("", dependencies=[Keyrack.signed_in("onboardings:read")])
async def show_onboardings(
    query: Annotated[OnboardingQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession, screen: Screens
) -> HTMLResponse:
    """Show the onboardings, newest first, with the customers whose they are."""
    page = await pages.read(Onboarding, query, workspace_id=caller.workspace_id)
    owners = {}
    if caller.may("customers:read"):
        wanted = select(Customer).where(Customer.id.in_({one.customer_id for one in page.data}))
        owners = {customer.id: customer for customer in await session.scalars(wanted)}
    return screen.show(
        "onboardings/list.html",
        onboardings=page.data,
        older=screen.older(page.next_cursor),
        owners=owners,
        phases=list(OnboardingPhase),
        chosen=query.phase,
    )
