"""Nouns as a test needs them: whole, and each its own."""

from itertools import count
from typing import Any

from keyrack.model.embed_keys import EmbedKey
from keyrack.model.events import Actor, Event
from keyrack.model.integrations import Integration
from keyrack.model.keys import Key
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.people import Person
from keyrack.model.principals import Kind, Mode
from keyrack.model.spaces import Space
from keyrack.model.tokens import Token
from keyrack.model.workspaces import Workspace
from keyrack.store.ids import new_id, new_workspace_id

NOW = 1_700_000_000_000
_numbers = count()


def a_digest() -> bytes:
    """A digest of no secret."""
    return next(_numbers).to_bytes(32, "big")


def a_workspace(slug: str) -> Workspace:
    """A workspace with this slug."""
    return Workspace(new_workspace_id(), slug.title(), slug, "free", True, NOW, NOW)


def a_person(email: str) -> Person:
    """A person with this email."""
    return Person(new_id(), email, email.partition("@")[0].title(), NOW, NOW)


def a_member(workspace_id: str, person: Person, **fields: Any) -> Member:
    """A member of a workspace."""
    told: dict[str, Any] = {"role": Role.MEMBER, "status": MemberStatus.ACTIVE, "may_use_api": True, "created_at": NOW, "updated_at": NOW}
    return Member(id=new_id(), workspace_id=workspace_id, person_id=person.id, name=person.name, email=person.email, **told | fields)


def a_space(workspace_id: str, name: str = "Project", **fields: Any) -> Space:
    """A space of a workspace."""
    told: dict[str, Any] = {"id": new_id(), "workspace_id": workspace_id, "name": name, "created_at": NOW, "updated_at": NOW}
    return Space(**told | fields)


def an_integration(workspace_id: str, name: str = "Sync", **fields: Any) -> Integration:
    """An integration of a workspace."""
    told: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": name,
        "created_at": NOW,
        "updated_at": NOW,
        "made_by": "someone",
        "made_by_name": "Ada",
    }
    return Integration(**told | fields)


def a_key(integration: Integration, name: str = "Key", **fields: Any) -> Key:
    """A key of an integration."""
    told: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": integration.workspace_id,
        "integration_id": integration.id,
        "name": name,
        "mode": Mode.LIVE,
        "prefix": "acme_abc1",
        "digest": a_digest(),
        "created_at": NOW,
        "updated_at": NOW,
        "made_by": "someone",
        "made_by_name": "Ada",
    }
    return Key(**told | fields)


def a_token(member: Member, **fields: Any) -> Token:
    """A default token of a member."""
    told: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": member.workspace_id,
        "member_id": member.id,
        "person_id": member.person_id,
        "name": "Default token",
        "is_default": True,
        "prefix": "acme_pat_abc1",
        "digest": a_digest(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Token(**told | fields)


def an_embed_key(workspace_id: str, **fields: Any) -> EmbedKey:
    """An embed key of a workspace."""
    told: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "name": "Our site",
        "object_type": "widget",
        "object_id": "w1",
        "text": "acme_embed_abc1",
        "digest": a_digest(),
        "origins": ("https://www.example.com",),
        "calls_per_minute": 30,
        "created_at": NOW,
        "updated_at": NOW,
        "made_by": "someone",
        "made_by_name": "Ada",
    }
    return EmbedKey(**told | fields)


def an_event(workspace_id: str, **fields: Any) -> Event:
    """An event of a workspace."""
    told: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "type": "customer.created",
        "object_type": "customer",
        "object_id": new_id(),
        "actor": Actor(Kind.KEY, "key-id", "Key", integration_id="integration-id"),
        "mode": Mode.LIVE,
        "created_at": NOW,
        "data": {"name": "Ärzte & Söhne"},
    }
    return Event(**told | fields)
