"""Onboardings over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from atrium.customers.queries import find_customer
from atrium.dependencies import NO_PARAMETERS, Configured, Rack, ReadingSession, Session
from atrium.lists import Pages
from atrium.onboardings.events import ONBOARDING_CREATED, ONBOARDING_DELETED, ONBOARDING_UPDATED
from atrium.onboardings.models import Onboarding
from atrium.onboardings.schemas import NewOnboarding, OnboardingChanges, OnboardingQuery, OnboardingView
from atrium.rows import find_row
from keyrack import Caller, Keyrack, Page

router = APIRouter(prefix="/onboardings", tags=["onboardings"])
may_list = [Keyrack.requires("onboardings:read")]
may_read = [*may_list, NO_PARAMETERS]
may_write = [Keyrack.requires("onboardings:write"), NO_PARAMETERS]


@router.get("", response_model=Page[OnboardingView], dependencies=may_list, responses={404: {"description": "No such customer"}})
async def list_onboardings(query: Annotated[OnboardingQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession) -> Page[Any]:
    """List onboardings, newest first unless `sort` says otherwise."""
    if query.customer_id is not None:
        query.customer_id = (await find_customer(session, caller.workspace_id, query.customer_id, param="customer_id")).id
    return await pages.read(Onboarding, query, workspace_id=caller.workspace_id)


@router.post("", response_model=OnboardingView, status_code=201, dependencies=may_write)
async def create_onboarding(body: NewOnboarding, caller: Caller, rack: Rack, session: Session, configured: Configured) -> Onboarding:
    """Open an onboarding for a customer."""
    rack.transaction(session)
    customer = await find_customer(session, caller.workspace_id, body.customer_id, lock=True, param="customer_id")
    values = body.model_dump() | {"customer_id": customer.id, "name": body.name or configured.onboarding_name}
    onboarding = Onboarding(**values, workspace_id=caller.workspace_id)
    session.add(onboarding)
    rack.record(session, ONBOARDING_CREATED, onboarding)
    return onboarding


@router.get("/{onboarding}", response_model=OnboardingView, dependencies=may_read)
async def get_onboarding(onboarding: str, caller: Caller, session: ReadingSession) -> Onboarding:
    """Get an onboarding."""
    return await find_row(session, Onboarding, onboarding, workspace_id=caller.workspace_id)


@router.patch("/{onboarding}", response_model=OnboardingView, dependencies=may_write)
async def update_onboarding(onboarding: str, body: OnboardingChanges, caller: Caller, rack: Rack, session: Session) -> Onboarding:
    """Change fields of an onboarding."""
    rack.transaction(session)
    found = await find_row(session, Onboarding, onboarding, lock=True, workspace_id=caller.workspace_id)
    if found.change(body.values()):
        rack.record(session, ONBOARDING_UPDATED, found)
    return found


@router.delete("/{onboarding}", status_code=204, dependencies=may_write)
async def delete_onboarding(onboarding: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete an onboarding."""
    rack.transaction(session)
    found = await find_row(session, Onboarding, onboarding, lock=True, workspace_id=caller.workspace_id)
    rack.record(session, ONBOARDING_DELETED, found)
    await session.delete(found)
