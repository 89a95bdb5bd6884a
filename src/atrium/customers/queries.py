"""What is asked of customers in more than one place."""

import re
import unicodedata

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.customers.models import FIRST_DISPLAY_ID, Contact, Customer
from atrium.fields import ID_SHAPE
from keyrack import refusals

_DISPLAY_ID = re.compile(r"[1-9][0-9]{0,17}")
_SLUG = re.compile(r"[a-z0-9-]{1,64}")
_NEXT_DISPLAY_ID = text("""
    INSERT INTO display_counters (workspace_id, last) VALUES (:workspace_id, :first)
    ON CONFLICT (workspace_id) DO UPDATE SET last = display_counters.last + 1
    RETURNING last
""")


async def find_customer(session: AsyncSession, workspace_id: str, name: str, *, lock: bool = False, param: str | None = None) -> Customer:
    """Return the customer with this display_id, id or slug, or raise the refusal `not_found`.

    With `lock`, others that want to change the customer wait until this session's transaction has ended. `param` is the field of the
    body that named the customer.
    """
    customer, named = None, _named(name)
    if named is not None:
        customers = select(Customer).where(Customer.workspace_id == workspace_id, named)
        customer = await session.scalar(customers.with_for_update() if lock else customers)
    if customer is None:
        raise refusals.NOT_FOUND(f"No customer {name[:40]}.", param=param)
    return customer


def _named(name: str) -> ColumnElement[bool] | None:
    if _DISPLAY_ID.fullmatch(name):
        return Customer.display_id == int(name)
    if ID_SHAPE.fullmatch(name):
        return Customer.id == name
    return Customer.slug == name if _SLUG.fullmatch(name) else None


async def next_display_id(session: AsyncSession, workspace_id: str) -> int:
    """Return the workspace's next number. Others who want one wait until this session's transaction has ended."""
    found = await session.execute(_NEXT_DISPLAY_ID, {"workspace_id": workspace_id, "first": FIRST_DISPLAY_ID})
    return int(found.scalar_one())


async def make_slug(session: AsyncSession, workspace_id: str, name: str, display_id: int) -> str:
    """Return a slug for a customer of this name that no other has; the number makes it differ where the plain one is taken."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name)[:40].strip("-")
    if not slug or slug.isdigit() or ID_SHAPE.fullmatch(slug):
        slug = f"customer-{slug or display_id}"
    taken = await session.scalar(select(Customer.id).where(Customer.workspace_id == workspace_id, Customer.slug == slug))
    return f"{slug}-{display_id}" if taken else slug


async def find_primary(session: AsyncSession, customer: Customer) -> Contact | None:
    """Return the customer's primary contact, if it has one."""
    return await session.scalar(select(Contact).where(Contact.customer_id == customer.id, Contact.is_primary))
