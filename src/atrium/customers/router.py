"""Customers and their contacts over HTTP. `{customer}` is a display_id, an id or a slug."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.customers.events import (
    CONTACT_CREATED,
    CONTACT_DELETED,
    CONTACT_UPDATED,
    CUSTOMER_CREATED,
    CUSTOMER_DELETED,
    CUSTOMER_UPDATED,
)
from atrium.customers.models import Contact, Customer
from atrium.customers.queries import find_customer, find_primary, make_slug, next_display_id
from atrium.customers.schemas import (
    ContactChanges,
    ContactQuery,
    ContactView,
    CustomerChanges,
    CustomerQuery,
    CustomerView,
    NewContact,
    NewCustomer,
)
from atrium.dependencies import NO_PARAMETERS, PartsOfCustomers, Rack, ReadingSession, Session
from atrium.lists import Pages
from atrium.rows import find_row
from keyrack import Caller, Keyrack, Page, refusals

router = APIRouter(prefix="/customers", tags=["customers"])
may_list = [Keyrack.requires("customers:read")]
may_read = [*may_list, NO_PARAMETERS]
may_write = [Keyrack.requires("customers:write"), NO_PARAMETERS]


@router.get("", response_model=Page[CustomerView], dependencies=may_list)
async def list_customers(query: Annotated[CustomerQuery, Query()], caller: Caller, pages: Pages) -> Page[Any]:
    """List customers, newest first unless `sort` says otherwise."""
    return await pages.read(Customer, query, workspace_id=caller.workspace_id)


@router.post("", response_model=CustomerView, status_code=201, dependencies=may_write)
async def create_customer(body: NewCustomer, caller: Caller, rack: Rack, session: Session) -> Customer:
    """Create a customer."""
    rack.transaction(session)
    display_id = await next_display_id(session, caller.workspace_id)
    slug = body.slug or await make_slug(session, caller.workspace_id, body.name, display_id)
    customer = Customer(**body.model_dump(exclude={"slug"}), workspace_id=caller.workspace_id, display_id=display_id, slug=slug)
    session.add(customer)
    rack.record(session, CUSTOMER_CREATED, customer)
    await _keep(session, slug)
    return customer


@router.get("/{customer}", response_model=CustomerView, dependencies=may_read)
async def get_customer(customer: str, caller: Caller, session: ReadingSession) -> Customer:
    """Get a customer."""
    return await find_customer(session, caller.workspace_id, customer)


@router.patch("/{customer}", response_model=CustomerView, dependencies=may_write)
async def update_customer(customer: str, body: CustomerChanges, caller: Caller, rack: Rack, session: Session) -> Customer:
    """Change fields of a customer."""
    rack.transaction(session)
    found = await find_customer(session, caller.workspace_id, customer, lock=True)
    if found.change(body.values()):
        rack.record(session, CUSTOMER_UPDATED, found)
        await _keep(session, found.slug)
    return found


@router.delete("/{customer}", status_code=204, dependencies=may_write)
async def delete_customer(customer: str, caller: Caller, rack: Rack, session: Session, parts: PartsOfCustomers) -> None:
    """Delete a customer with its contacts and onboardings."""
    rack.transaction(session)
    found = await find_customer(session, caller.workspace_id, customer, lock=True)
    for model, deleted in parts:
        # Whoever keeps a copy of one kind alone learns from its own events that these are gone.
        for row in await session.scalars(select(model).filter_by(customer_id=found.id)):
            rack.record(session, deleted, row)
    rack.record(session, CUSTOMER_DELETED, found)
    await session.delete(found)


@router.get("/{customer}/contacts", response_model=Page[ContactView], dependencies=may_list)
async def list_contacts(
    customer: str, query: Annotated[ContactQuery, Query()], caller: Caller, pages: Pages, session: ReadingSession
) -> Page[Any]:
    """List a customer's contacts, newest first unless `sort` says otherwise."""
    owner = await find_customer(session, caller.workspace_id, customer)
    return await pages.read(Contact, query, workspace_id=caller.workspace_id, customer_id=owner.id)


@router.post("/{customer}/contacts", response_model=ContactView, status_code=201, dependencies=may_write)
async def create_contact(customer: str, body: NewContact, caller: Caller, rack: Rack, session: Session) -> Contact:
    """Add a contact. A new primary contact takes the place of the one before."""
    rack.transaction(session)
    owner = await find_customer(session, caller.workspace_id, customer, lock=True)
    if body.is_primary:
        await _demote_primary(rack, session, owner)
    contact = Contact(**body.model_dump(), workspace_id=caller.workspace_id, customer_id=owner.id)
    session.add(contact)
    rack.record(session, CONTACT_CREATED, contact)
    return contact


@router.get("/{customer}/contacts/{contact}", response_model=ContactView, dependencies=may_read)
async def get_contact(customer: str, contact: str, caller: Caller, session: ReadingSession) -> Contact:
    """Get a contact."""
    owner = await find_customer(session, caller.workspace_id, customer)
    return await find_row(session, Contact, contact, customer_id=owner.id)


@router.patch("/{customer}/contacts/{contact}", response_model=ContactView, dependencies=may_write)
async def update_contact(customer: str, contact: str, body: ContactChanges, caller: Caller, rack: Rack, session: Session) -> Contact:
    """Change fields of a contact."""
    rack.transaction(session)
    owner = await find_customer(session, caller.workspace_id, customer, lock=True)
    found = await find_row(session, Contact, contact, customer_id=owner.id)
    if body.is_primary is True and not found.is_primary:
        await _demote_primary(rack, session, owner)
    if found.change(body.values()):
        rack.record(session, CONTACT_UPDATED, found)
    return found


@router.delete("/{customer}/contacts/{contact}", status_code=204, dependencies=may_write)
async def delete_contact(customer: str, contact: str, caller: Caller, rack: Rack, session: Session) -> None:
    """Delete a contact."""
    rack.transaction(session)
    owner = await find_customer(session, caller.workspace_id, customer, lock=True)
    found = await find_row(session, Contact, contact, customer_id=owner.id)
    rack.record(session, CONTACT_DELETED, found)
    await session.delete(found)


async def _keep(session: AsyncSession, slug: str) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise refusals.CONFLICT(f"Another customer has the slug {slug}.", param="slug") from None


async def _demote_primary(rack: Keyrack, session: AsyncSession, customer: Customer) -> None:
    # The customer is locked, so nobody names another primary meanwhile. Written at once: the index allows one at any moment.
    primary = await find_primary(session, customer)
    if primary is not None and primary.change({"is_primary": False}):
        rack.record(session, CONTACT_UPDATED, primary)
        await session.flush()
