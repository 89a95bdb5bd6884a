"""Customers and contacts as they are on the wire."""

from typing import Literal

from pydantic import MISSING, StrictBool

from atrium.customers.models import CustomerStatus
from atrium.examples import AURORA, MIRA, NEW_AURORA, NEW_MIRA
from atrium.fields import Body, Domain, Email, Name, Slug, Time, View, example
from keyrack import NamedQuery


class NewCustomer(Body):
    """A customer to create. Without a slug it gets one made from its name."""

    model_config = example(NEW_AURORA)

    name: Name
    slug: Slug | None = None
    domain: Domain | None = None
    status: CustomerStatus = CustomerStatus.LEAD


class CustomerChanges(Body):
    """The fields of a customer that change."""

    model_config = example({"status": "active"})

    name: Name | MISSING = MISSING
    slug: Slug | MISSING = MISSING
    domain: Domain | MISSING | None = MISSING
    status: CustomerStatus | MISSING = MISSING


class CustomerView(View):
    """A customer."""

    model_config = example(AURORA)

    object: Literal["customer"] = "customer"
    id: str
    display_id: int
    name: str
    slug: str
    domain: str | None
    status: CustomerStatus
    created_at: Time
    updated_at: Time


class CustomerQuery(NamedQuery):
    """The filters of the list of customers."""

    status: CustomerStatus | None = None


class NewContact(Body):
    """A contact to create. A new primary contact takes the place of the one before."""

    model_config = example(NEW_MIRA)

    name: Name
    email: Email | None = None
    title: Name | None = None
    is_primary: StrictBool = False


class ContactChanges(Body):
    """The fields of a contact that change."""

    model_config = example({"title": "COO", "is_primary": True})

    name: Name | MISSING = MISSING
    email: Email | MISSING | None = MISSING
    title: Name | MISSING | None = MISSING
    is_primary: StrictBool | MISSING = MISSING


class ContactView(View):
    """A contact."""

    model_config = example(MIRA)

    object: Literal["contact"] = "contact"
    id: str
    customer_id: str
    name: str
    email: str | None
    title: str | None
    is_primary: bool
    created_at: Time
    updated_at: Time


class ContactQuery(NamedQuery):
    """The filters of the list of contacts."""

    is_primary: bool | None = None
