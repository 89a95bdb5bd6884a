"""The parts of Atrium that a brand may leave out: what each declares, so that one that is off does not exist anywhere.

A further part is one `Module` in `MODULES`; what is on stands in `atrium.brands`. Docs of one part say `when = "'chat' in modules"`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from fastapi import APIRouter

from atrium.chat.events import CHAT_EVENTS
from atrium.chat.message_router import router as chat_messages
from atrium.chat.meters import CHATBOTS, SOURCES
from atrium.chat.router import router as chat
from atrium.chat.source_router import router as chat_sources
from atrium.chat.widget import router as widget_pages
from atrium.chat.widget_router import router as widget
from atrium.customers.events import CONTACT_DELETED, CUSTOMER_EVENTS
from atrium.customers.models import Contact
from atrium.customers.router import router as customers
from atrium.dependencies import Part
from atrium.onboardings.events import ONBOARDING_DELETED, ONBOARDING_EVENTS
from atrium.onboardings.models import Onboarding
from atrium.onboardings.router import router as onboardings
from atrium.pages.chatbots import router as chatbot_pages
from atrium.pages.community import router as community_pages
from atrium.pages.conversations import router as conversation_pages
from atrium.pages.customers import router as customer_pages
from atrium.pages.leads import router as lead_pages
from atrium.pages.onboardings import router as onboarding_pages
from atrium.pages.sources import router as source_pages
from atrium.pages.spaces import router as space_pages
from atrium.pages.threads import router as thread_pages
from atrium.spaces.events import SPACE_EVENTS
from atrium.spaces.meters import MESSAGES
from atrium.spaces.router import router as spaces
from atrium.versions import ONBOARDINGS_HAVE_PHASES
from keyrack import Category, EventType, Meter, Plan, VersionChange


class Link(NamedTuple):
    """A page in the sidebar, for members with a permission (of `Caller.may`), or for all of them where it is None."""

    path: str
    title: str
    permission: str | None = None


class Metered(NamedTuple):
    """A meter, and how much of it plans without (`free`) and with API access (`paid`) hold. None: without an end."""

    meter: Meter
    free: int | None
    paid: int | None

    def quota(self, plan: Plan) -> int | None:
        """Return how much a plan holds of it."""
        return self.paid if plan.api_access else self.free


@dataclass(frozen=True, slots=True)
class Module:
    """A part of Atrium.

    `api` are routers below /api/v1, `pages` those of its pages, `links` what stands in the sidebar, in the order of `MODULES`.
    `parts_of_customers` go along when a customer is deleted.
    """

    name: str
    categories: tuple[Category, ...] = ()
    events: tuple[EventType, ...] = ()
    api: tuple[APIRouter, ...] = ()
    pages: tuple[APIRouter, ...] = ()
    links: tuple[Link, ...] = ()
    meters: tuple[Metered, ...] = ()
    versions: tuple[VersionChange, ...] = ()
    parts_of_customers: tuple[Part, ...] = ()


CUSTOMERS = Module(
    "customers",
    categories=(Category("customers", "Customers", "Customers and their contacts"),),
    events=tuple(CUSTOMER_EVENTS),
    api=(customers,),
    pages=(customer_pages,),
    links=(Link("/customers", "Customers", "customers:read"),),
    parts_of_customers=((Contact, CONTACT_DELETED),),
)
ONBOARDINGS = Module(
    "onboardings",
    categories=(Category("onboardings", "Onboardings", "How customers get started"),),
    events=tuple(ONBOARDING_EVENTS),
    api=(onboardings,),
    pages=(onboarding_pages,),
    links=(Link("/onboardings", "Onboardings", "onboardings:read"),),
    versions=(ONBOARDINGS_HAVE_PHASES,),
    parts_of_customers=((Onboarding, ONBOARDING_DELETED),),
)
SPACES = Module(
    "spaces",
    categories=(
        Category("messages", "Messages", "What is said in spaces", in_spaces=True),
        Category("items", "Items", "What is to be done in spaces", in_spaces=True),
    ),
    events=tuple(SPACE_EVENTS),
    api=(spaces,),
    pages=(space_pages,),
    links=(Link("/spaces", "Spaces"),),
    meters=(Metered(MESSAGES, free=10_000, paid=1_000_000),),
)
CHAT = Module(
    "chat",
    categories=(
        Category("chatbots", "Chatbots", "Chatbots, and what they say first"),
        Category("sources", "Sources", "What chatbots answer from"),
        Category("conversations", "Conversations", "What visitors and chatbots said"),
        Category("leads", "Leads", "Addresses that visitors left"),
    ),
    events=tuple(CHAT_EVENTS),
    api=(chat, chat_messages, chat_sources, widget),
    pages=(chatbot_pages, source_pages, conversation_pages, lead_pages, widget_pages),
    links=(
        Link("/chatbots", "Chatbots", "chatbots:read"),
        Link("/sources", "Sources", "sources:read"),
        Link("/conversations", "Conversations", "conversations:read"),
        Link("/leads", "Leads", "leads:read"),
        Link("/console/usage", "Usage"),
    ),
    meters=(
        Metered(CHATBOTS, free=1, paid=20),
        Metered(SOURCES, free=10, paid=1_000),
        Metered(MESSAGES, free=10_000, paid=1_000_000),
    ),
)
COMMUNITY = Module("community", pages=(thread_pages, community_pages), links=(Link("/community", "Community"),))
MODULES = (CUSTOMERS, ONBOARDINGS, SPACES, CHAT, COMMUNITY)


def switched_on(names: Collection[str]) -> tuple[Module, ...]:
    """Return the modules with these names, in their order. Raises ValueError for a name that none has."""
    known = [module.name for module in MODULES]
    if unknown := set(names) - set(known):
        raise ValueError(f"{', '.join(sorted(unknown))}: known modules are {', '.join(known)}")
    return tuple(module for module in MODULES if module.name in names)
