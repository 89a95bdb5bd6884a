"""Keyrack: the “Settings → API & Webhooks” of a SaaS product, in one package."""

from keyrack.api.lists import ListQuery, NamedQuery, Page, SortedQuery
from keyrack.docs import Docs
from keyrack.embed.callers import Caller
from keyrack.model import refusals
from keyrack.model.brands import Brand, Words
from keyrack.model.embed_keys import Embeddable
from keyrack.model.events import Event, EventType
from keyrack.model.limits import Limit
from keyrack.model.mail import Letter
from keyrack.model.members import Member
from keyrack.model.meters import Meter
from keyrack.model.outgoing_calls import NotSent
from keyrack.model.permissions import Category, SpaceRole
from keyrack.model.plans import Plan
from keyrack.model.refusals import Refusal, Refused
from keyrack.model.vendors import OutgoingMail, ResendMails, SlackMessages, StripeCustomer, StripeCustomers
from keyrack.model.versions import DeprecatedOperation, VersionChange
from keyrack.server import Keyrack
from keyrack.settings import Settings
from keyrack.store.database import create_engine
from keyrack.store.ids import new_id
from keyrack.store.migrations import include_object
from keyrack.store.paging import keyset

__all__ = [
    "Brand",
    "Caller",
    "Category",
    "DeprecatedOperation",
    "Docs",
    "Embeddable",
    "Event",
    "EventType",
    "Keyrack",
    "Letter",
    "Limit",
    "ListQuery",
    "Member",
    "Meter",
    "NamedQuery",
    "NotSent",
    "OutgoingMail",
    "Page",
    "Plan",
    "Refusal",
    "Refused",
    "ResendMails",
    "Settings",
    "SlackMessages",
    "SortedQuery",
    "SpaceRole",
    "StripeCustomer",
    "StripeCustomers",
    "VersionChange",
    "Words",
    "create_engine",
    "include_object",
    "keyset",
    "new_id",
    "refusals",
]
