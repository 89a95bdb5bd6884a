"""What Atrium's events become at the vendors that a workspace has connected."""

from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.customers.events import CUSTOMER_CREATED, CUSTOMER_DELETED, CUSTOMER_UPDATED
from atrium.customers.models import Contact, Customer
from atrium.database import Database
from atrium.onboardings.events import ONBOARDING_CREATED, ONBOARDING_UPDATED
from keyrack import Event, EventType, OutgoingMail, ResendMails, SlackMessages, StripeCustomer, StripeCustomers


def connectors(database: Database, name: str) -> list[SlackMessages | ResendMails | StripeCustomers]:
    """Return what events become, in a product of this name. What an event does not hold is read from the database."""

    async def onboarding_message(event: Event) -> str:
        async with database.reading() as session:
            customer = await _customer(session, event)
        whose = f" for {customer.name}" if customer else ""
        if event.type == ONBOARDING_CREATED.name:
            return f"{event.actor.name} opened the onboarding {event.data['name']}{whose}."
        return f"The onboarding {event.data['name']}{whose} is {event.data['state']}, in phase {event.data['phase']}."

    async def welcome(event: Event) -> OutgoingMail | None:
        async with database.reading() as session:
            customer = await _customer(session, event)
            primary = await _primary(session, event)
        if customer is None or primary is None or primary.email is None:
            return None
        begins = f"{event.data['name']} of {customer.name} begins. We will be in touch with the next steps."
        text = f"Hello {primary.name},\n\n{begins}\n\n– {name}\n"
        return OutgoingMail(primary.email, f"{event.data['name']} begins", text)

    messages: dict[EventType, Callable[[Event], str | Awaitable[str | None] | None]] = {
        CUSTOMER_CREATED: _customer_message,
        CUSTOMER_UPDATED: _customer_message,
        CUSTOMER_DELETED: _customer_message,
        ONBOARDING_CREATED: onboarding_message,
        ONBOARDING_UPDATED: onboarding_message,
    }
    return [
        SlackMessages(messages),
        ResendMails({ONBOARDING_CREATED: welcome}),
        StripeCustomers(CUSTOMER_CREATED, CUSTOMER_UPDATED, _stripe_customer),
    ]


def _customer_message(event: Event) -> str:
    done = event.type.rpartition(".")[2]
    return f"{event.actor.name} {done} the customer {event.data['name']} ({event.data['status']})."


def _stripe_customer(event: Event) -> StripeCustomer:
    customer = event.data
    metadata = {"atrium_id": customer["id"], "display_id": str(customer["display_id"]), "status": customer["status"]}
    return StripeCustomer(name=customer["name"], description=customer["domain"] or "", metadata=metadata)


async def _customer(session: AsyncSession, event: Event) -> Customer | None:
    return await session.scalar(select(Customer).filter_by(workspace_id=event.workspace_id, id=event.data["customer_id"]))


async def _primary(session: AsyncSession, event: Event) -> Contact | None:
    people = select(Contact).filter_by(workspace_id=event.workspace_id, customer_id=event.data["customer_id"], is_primary=True)
    return await session.scalar(people)
