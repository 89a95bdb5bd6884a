"""Keyrack: the “Settings → API & Webhooks” of a SaaS product, in one package."""

from keyrack.docs import Docs
from keyrack.embed.callers import Caller
from keyrack.model import refusals
from keyrack.model.brands import Brand, Words
from keyrack.model.events import EventType
from keyrack.model.limits import Limit
from keyrack.model.members import Member
from keyrack.model.meters import Meter
from keyrack.model.permissions import Category, SpaceRole
from keyrack.model.plans import Plan
from keyrack.model.refusals import Refused
from keyrack.server import Keyrack
from keyrack.settings import Settings
from keyrack.store.database import create_engine
from keyrack.store.ids import new_id
from keyrack.store.migrations import include_object

__all__ = [
    "Brand",
    "Caller",
    "Category",
    "Docs",
    "EventType",
    "Keyrack",
    "Limit",
    "Member",
    "Meter",
    "Plan",
    "Refused",
    "Settings",
    "SpaceRole",
    "Words",
    "create_engine",
    "include_object",
    "new_id",
    "refusals",
]
