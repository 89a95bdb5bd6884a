"""Customers as people see them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy import ColumnElement, select

from atrium.customers.models import Contact, Customer, CustomerStatus
from atrium.customers.queries import find_customer
from atrium.customers.schemas import CustomerQuery
from atrium.database import Row
from atrium.dependencies import ReadingSession
from atrium.lists import Pages
from atrium.onboardings.models import Onboarding
from atrium.screens import Screens
from keyrack import Caller, Keyrack, Refused

CONTACTS_MAX = ONBOARDINGS_MAX = 100

router = APIRouter(prefix="/customers", include_in_schema=False)
may_read = [Keyrack.signed_in("customers:read")]


@router.get("", dependencies=may_read)
async def show_customers(query: Annotated[CustomerQuery, Query()], caller: Caller, pages: Pages, screen: Screens) -> HTMLResponse:
    """Show the customers, newest first."""
    page = await pages.read(Customer, query, workspace_id=caller.workspace_id)
    return screen.show(
        "customers/list.html", customers=page.data, older=screen.older(page.next_cursor), statuses=list(CustomerStatus), chosen=query.status
    )


@router.get("/{customer}", dependencies=may_read)
async def show_customer(customer: str, caller: Caller, session: ReadingSession, screen: Screens) -> HTMLResponse:
    """Show a customer's card with its contacts, and its onboardings beside them."""
    try:
        found = await find_customer(session, caller.workspace_id, customer)
    except Refused:
        return screen.show_missing("customer")
    people = select(Contact).filter_by(customer_id=found.id).order_by(Contact.is_primary.desc(), *_newest_first(Contact))
    contacts = (await session.scalars(people.limit(CONTACTS_MAX + 1))).all()
    opened = None
    if caller.may("onboardings:read"):
        begun = select(Onboarding).filter_by(customer_id=found.id).order_by(*_newest_first(Onboarding))
        opened = (await session.scalars(begun.limit(ONBOARDINGS_MAX))).all()
    return screen.show(
        "customers/card.html", customer=found, contacts=contacts[:CONTACTS_MAX], more=len(contacts) > CONTACTS_MAX, onboardings=opened
    )


def _newest_first(model: type[Row]) -> tuple[ColumnElement[Any], ...]:
    return model.created_at.desc(), model.id.desc()
