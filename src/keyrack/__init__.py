"""Keyrack: the “Settings → API & Webhooks” of a SaaS product, in one package."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# Where each public name is from. What a program does not ask for it does not import: a client needs no server.
_PLACES = {
    "Brand": "keyrack.model.brands",
    "Caller": "keyrack.embed.callers",
    "Category": "keyrack.model.permissions",
    "DeprecatedOperation": "keyrack.model.versions",
    "Docs": "keyrack.docs",
    "Embeddable": "keyrack.model.embed_keys",
    "Event": "keyrack.model.events",
    "EventType": "keyrack.model.events",
    "Keyrack": "keyrack.server",
    "Letter": "keyrack.model.mail",
    "Limit": "keyrack.model.limits",
    "ListQuery": "keyrack.api.lists",
    "Member": "keyrack.model.members",
    "Meter": "keyrack.model.meters",
    "NamedQuery": "keyrack.api.lists",
    "NotSent": "keyrack.model.outgoing_calls",
    "OutgoingMail": "keyrack.model.vendors",
    "Page": "keyrack.api.lists",
    "Plan": "keyrack.model.plans",
    "Refusal": "keyrack.model.refusals",
    "Refused": "keyrack.model.refusals",
    "ResendMails": "keyrack.model.vendors",
    "Settings": "keyrack.settings",
    "SlackMessages": "keyrack.model.vendors",
    "SortedQuery": "keyrack.api.lists",
    "SpaceRole": "keyrack.model.permissions",
    "StripeCustomer": "keyrack.model.vendors",
    "StripeCustomers": "keyrack.model.vendors",
    "VersionChange": "keyrack.model.versions",
    "Words": "keyrack.model.brands",
    "create_engine": "keyrack.store.database",
    "include_object": "keyrack.store.migrations",
    "keyset": "keyrack.store.paging",
    "new_id": "keyrack.store.ids",
    "refusals": "keyrack.model",
}

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


if not TYPE_CHECKING:  # which knows the names, and shall refuse others

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for (PEP 562)."""
        place = _PLACES.get(name)
        if place is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(place), name)
        return found


def __dir__() -> list[str]:
    """The public names, and what every module has."""
    return sorted({*globals(), *__all__})
