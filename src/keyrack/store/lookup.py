"""The closed list of finders that take no workspace. Each names the modules that may call it; a test holds them to it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from keyrack.model.integrations import Integration
from keyrack.model.keys import Key
from keyrack.model.members import Member
from keyrack.model.people import Person
from keyrack.model.sessions import Session
from keyrack.model.workspaces import Workspace
from keyrack.store import integrations as integration_rows
from keyrack.store import keys as key_rows
from keyrack.store import members as member_rows
from keyrack.store import people as person_rows
from keyrack.store import rights
from keyrack.store import workspaces as workspace_rows
from keyrack.store.database import Connection
from keyrack.store.paging import Place, newest_first
from keyrack.store.tables import COUNTER_ID, integrations, keys, members, people, revisions, sessions, sign_in_links, workspaces


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and all that decides what it may do, as one snapshot shows it.

    `space_ids` are all spaces of the workspace where the integration holds the wildcard; `revision` is the newest that the snapshot has.
    """

    key: Key
    integration: Integration
    workspace: Workspace
    space_ids: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that nobody ended, its member and all that decides what they may do. Whether it is over by the clock, callers compare."""

    session: Session
    member: Member
    workspace: Workspace
    space_ids: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class UsedLink:
    """Whom a sign-in link signs in, and where."""

    person_id: str
    workspace_id: str


async def credential(c: Connection, digest: bytes) -> FoundKey | None:
    """Return the key with this digest, also an ended one or one of a deleted integration. For `keyrack.feed.look_ups` alone."""
    joined = keys.join(integrations, integrations.c.id == keys.c.integration_id).join(workspaces, workspaces.c.id == keys.c.workspace_id)
    found = (
        select(keys, integrations, workspaces, rights.roles_of(integrations), rights.reached_by_all(integrations), _revision())
        .select_from(joined)
        .where(keys.c.digest == digest)
    )
    row = await c.first(found)
    if row is None:
        return None
    return FoundKey(
        key_rows.read(row), integration_rows.read(row), workspace_rows.read(row), rights.read_reached(row), row._mapping["newest_revision"]
    )


async def session(c: Connection, digest: bytes) -> FoundSession | None:
    """Return the session with this digest that nobody ended, with its member. For `keyrack.manage.sessions` alone."""
    joined = (
        sessions.join(members, (members.c.person_id == sessions.c.person_id) & (members.c.workspace_id == sessions.c.workspace_id))
        .join(people, people.c.id == sessions.c.person_id)
        .join(workspaces, workspaces.c.id == sessions.c.workspace_id)
    )
    found = (
        select(
            sessions,
            members,
            people.c.name,
            people.c.email,
            workspaces,
            rights.roles_of(members),
            rights.reached_by_all(members),
            _revision(),
        )
        .select_from(joined)
        .where(sessions.c.digest == digest, sessions.c.ended_at.is_(None), workspaces.c.deleted_at.is_(None))
    )
    row = await c.first(found)
    if row is None:
        return None
    of = row._mapping
    signed_in = Session(
        id=of[sessions.c.id],
        person_id=of[sessions.c.person_id],
        workspace_id=of[sessions.c.workspace_id],
        created_at=of[sessions.c.created_at],
        expires_at=of[sessions.c.expires_at],
    )
    return FoundSession(signed_in, member_rows.read(row), workspace_rows.read(row), rights.read_reached(row), of["newest_revision"])


async def use_sign_in_link(c: Connection, digest: bytes, now: int) -> UsedLink | None:
    """Use up a sign-in link, or return None: unknown, used or expired. Of two at once, one gets it. For `keyrack.manage.sessions` alone."""
    fresh = or_(sign_in_links.c.expires_at.is_(None), sign_in_links.c.expires_at > now)
    used = update(sign_in_links).where(sign_in_links.c.digest == digest, sign_in_links.c.used_at.is_(None), fresh).values(used_at=now)
    row = await c.first(used.returning(sign_in_links.c.person_id, sign_in_links.c.workspace_id))
    return UsedLink(row.person_id, row.workspace_id) if row else None


async def person(c: Connection, email: str) -> Person | None:
    """Return the person with this email, in whatever case. For `keyrack.manage.members` alone: it adds people to its workspace."""
    row = await c.first(select(people).where(people.c.email == email.lower()))
    return person_rows.read(row) if row else None


async def workspace(c: Connection, name: str) -> Workspace | None:
    """Return the workspace with this id or slug. For `keyrack.manage.workspaces` alone: the operator names one."""
    named = or_(workspaces.c.id == name, workspaces.c.slug == name)
    row = await c.first(select(workspaces).where(named, workspaces.c.deleted_at.is_(None)).limit(1))
    return workspace_rows.read(row) if row else None


async def all_workspaces(c: Connection, *, limit: int, after: Place | None = None) -> list[Workspace]:
    """Return the workspaces, newest first. For `keyrack.manage.workspaces` alone: the operator lists them."""
    found = newest_first(select(workspaces).where(workspaces.c.deleted_at.is_(None)), workspaces, after, limit)
    return [workspace_rows.read(row) for row in await c.all(found)]


def _revision() -> ColumnElement[Any]:
    return select(revisions.c.revision).where(revisions.c.id == COUNTER_ID).scalar_subquery().label("newest_revision")
