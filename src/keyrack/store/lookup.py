"""The closed list of finders that take no workspace. Each names the modules that may call it; a test holds them to it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import LargeBinary, Row, Text, bindparam, case, delete, exists, insert, literal_column, null, or_, select, update

from keyrack.model.app_tokens import FoundAppToken
from keyrack.model.embed_keys import FoundEmbedKey
from keyrack.model.grants import FoundAccess
from keyrack.model.integrations import Integration
from keyrack.model.invitations import Invitation
from keyrack.model.keys import Key
from keyrack.model.leaks import Hit
from keyrack.model.members import Member
from keyrack.model.orders import Place
from keyrack.model.people import Person
from keyrack.model.portal_links import PortalLink
from keyrack.model.sessions import LinkPurpose, Session
from keyrack.model.tokens import FoundToken, HeldThere
from keyrack.model.workspaces import Workspace
from keyrack.store import changes, oauth_lookup, rights
from keyrack.store import embed_keys as embed_key_rows
from keyrack.store import integrations as integration_rows
from keyrack.store import invitations as invitation_rows
from keyrack.store import keys as key_rows
from keyrack.store import members as member_rows
from keyrack.store import people as person_rows
from keyrack.store import tokens as token_rows
from keyrack.store import workspaces as workspace_rows
from keyrack.store.database import Connection
from keyrack.store.embed_key_tables import embed_keys
from keyrack.store.oauth_tables import access_tokens, app_tokens
from keyrack.store.paging import keyset
from keyrack.store.tables import (
    COUNTER_ID,
    identities,
    integrations,
    invitations,
    key_notices,
    keys,
    members,
    people,
    portal_links,
    revisions,
    sessions,
    set_up_links,
    sign_in_links,
    workspaces,
)
from keyrack.store.token_tables import tokens

MEMBERSHIPS_MAX = 100


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
    purpose: LinkPurpose = LinkPurpose.SIGN_IN


@dataclass(frozen=True, slots=True)
class Login:
    """A person with what is stored of their password. The repr hides it."""

    person: Person
    password_hash: str | None = field(repr=False)
    email_verified_at: int | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A workspace that a person is in, and the member that they are there."""

    workspace: Workspace
    member: Member


@dataclass(frozen=True, slots=True)
class FoundInvitation:
    """An invitation and the workspace that it is into."""

    invitation: Invitation
    workspace: Workspace


Found = FoundKey | FoundToken | FoundAccess | FoundAppToken | FoundEmbedKey


# Written once: to make such a statement anew, and to find its columns again, takes as long as all else that a look-up does.
_DIGEST = bindparam("digest", type_=LargeBinary)
_OTHERS = (tokens, access_tokens, app_tokens, embed_keys)
# The other tables are asked only where it is no key's.
_IN_OTHERS = ((exists().where(table.c.digest == _DIGEST), literal_column(f"'{table.name}'", Text)) for table in _OTHERS)
_IN_WHICH = case((keys.c.id.is_not(None), null()), *_IN_OTHERS)
_KEY_OR_ELSE = (
    select(
        keys,
        integrations,
        workspaces,
        rights.roles_of(integrations),
        rights.reached_by_all(integrations),
        revisions.c.revision.label("newest_revision"),
        _IN_WHICH.label("in_which"),
    )
    .select_from(
        revisions.outerjoin(keys, keys.c.digest == _DIGEST)
        .outerjoin(integrations, integrations.c.id == keys.c.integration_id)
        .outerjoin(workspaces, workspaces.c.id == keys.c.workspace_id)
    )
    .where(revisions.c.id == COUNTER_ID)
)
_TOKEN = token_rows.everywhere(rights.reached_by_all(members), changes.newest_column()).where(tokens.c.digest == _DIGEST)
_OF_WORKSPACE = workspaces.c.id == embed_keys.c.workspace_id
_EMBED_KEY = select(embed_keys, workspaces, changes.newest_column()).join(workspaces, _OF_WORKSPACE).where(embed_keys.c.digest == _DIGEST)


async def credential(c: Connection, digest: bytes) -> Found | None:
    """Return the key or token with this digest, also an ended one. For `keyrack.feed.look_ups` alone.

    One statement reads a key, or says which of the other tables has the digest: what a credential's own prefix says is not believed.
    """
    row = await c.first(_KEY_OR_ELSE, {"digest": digest})
    if row is None:
        return None
    of = row._mapping
    if of[keys.c.id] is not None:
        reached, revision = rights.read_reached(row), of["newest_revision"]
        return FoundKey(key_rows.read(row), integration_rows.read(row), workspace_rows.read(row), reached, revision)
    find = _FINDERS.get(of["in_which"])
    return await find(c, digest) if find else None


async def _token(c: Connection, digest: bytes) -> FoundToken | None:
    row = await c.first(_TOKEN, {"digest": digest})
    if row is None:
        return None
    one, revision = token_rows.read_held(row), row._mapping["newest_revision"]
    return FoundToken(one.token, one.name, one.email, one.member, workspace_rows.read(row), rights.read_reached(row), revision)


async def _embed_key(c: Connection, digest: bytes) -> FoundEmbedKey | None:
    row = await c.first(_EMBED_KEY, {"digest": digest})
    if row is None:
        return None
    return FoundEmbedKey(embed_key_rows.read(row), workspace_rows.read(row), row._mapping["newest_revision"])


_FINDERS: Mapping[str | None, Callable[[Connection, bytes], Awaitable[Found | None]]] = {
    tokens.name: _token,
    access_tokens.name: oauth_lookup.access_token,
    app_tokens.name: oauth_lookup.app_token,
    embed_keys.name: _embed_key,
}


async def tokens_of(c: Connection, person_id: str, limit: int) -> list[HeldThere]:
    """Return what one person holds: their tokens that nobody has ended, in every workspace. For `keyrack.manage.own_access` alone."""
    theirs = token_rows.everywhere().where(tokens.c.person_id == person_id, tokens.c.ended_at.is_(None), workspaces.c.deleted_at.is_(None))
    ordered = theirs.order_by(workspaces.c.name, workspaces.c.id, tokens.c.is_default.desc(), tokens.c.created_at.desc(), tokens.c.id)
    return [HeldThere(token_rows.read_held(row), workspace_rows.read(row)) for row in await c.all(ordered.limit(limit))]


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
            changes.newest_column(),
        )
        .select_from(joined)
        .where(sessions.c.digest == digest, sessions.c.ended_at.is_(None), workspaces.c.deleted_at.is_(None))
    )
    row = await c.first(found)
    if row is None:
        return None
    reached, revision = rights.read_reached(row), row._mapping["newest_revision"]
    return FoundSession(_session(row), member_rows.read(row), workspace_rows.read(row), reached, revision)


async def use_sign_in_link(
    c: Connection, digest: bytes, now: int, purposes: Collection[LinkPurpose] = (LinkPurpose.SIGN_IN,)
) -> UsedLink | None:
    """Use up a link of one of these purposes, or return None: unknown, used or expired. Of two at once, one gets it.

    For `keyrack.manage.sessions` and `keyrack.manage.passwords`.
    """
    fresh = or_(sign_in_links.c.expires_at.is_(None), sign_in_links.c.expires_at > now)
    used = update(sign_in_links).where(sign_in_links.c.digest == digest, sign_in_links.c.used_at.is_(None), fresh).values(used_at=now)
    used = used.where(sign_in_links.c.purpose.in_([purpose.value for purpose in purposes]))
    row = await c.first(used.returning(sign_in_links.c.person_id, sign_in_links.c.workspace_id, sign_in_links.c.purpose))
    return UsedLink(row.person_id, row.workspace_id, LinkPurpose(row.purpose)) if row else None


async def use_portal_link(c: Connection, digest: bytes, now: int) -> PortalLink | None:
    """Use up a portal link; None: unknown, used or expired. Of two at once, one gets it. For `keyrack.manage.portal_links` alone."""
    waiting = (portal_links.c.digest == digest) & portal_links.c.used_at.is_(None) & (portal_links.c.expires_at > now)
    row = await c.first(update(portal_links).where(waiting).values(used_at=now).returning(portal_links))
    if row is None:
        return None
    return PortalLink(row.workspace_id, row.member_id, row.key_id, row.created_at, row.expires_at, row.auth_time, row.origin)


async def expiring_keys(c: Connection, *, now: int, days: int, limit: int) -> list[tuple[Key, Workspace]]:
    """Return keys that expire within so many days, which were made before that, go on until then, and were not told of at this notice.

    Of what was told of nearer to the end, nothing more is said. For `keyrack.manage.key_notices` alone: a due job.
    """
    ahead = days * 24 * 3600 * 1000
    told = select(key_notices.c.key_id).where(
        key_notices.c.key_id == keys.c.id, key_notices.c.expires_at == keys.c.expires_at, key_notices.c.days <= days
    )
    found = select(keys, workspaces).join(workspaces, workspaces.c.id == keys.c.workspace_id)
    due = found.where(
        keys.c.expires_at > now,
        keys.c.expires_at <= now + ahead,
        keys.c.created_at <= keys.c.expires_at - ahead,
        keys.c.ends_at.is_(None),
        workspaces.c.deleted_at.is_(None),
        ~told.exists(),
    )
    return [(key_rows.read(row), workspace_rows.read(row)) for row in await c.all(due.order_by(keys.c.expires_at).limit(limit))]


async def leaked_keys(c: Connection, digests: Collection[bytes]) -> list[Hit]:
    """Return the keys with these digests, whatever became of them. For `keyrack.manage.leaks` alone."""
    found = select(keys.c.digest, keys.c.id.label("hit_id"), workspaces).join(workspaces, workspaces.c.id == keys.c.workspace_id)
    return [Hit(row.digest, row.hit_id, workspace_rows.read(row)) for row in await c.all(found.where(keys.c.digest.in_(digests)))]


async def leaked_tokens(c: Connection, digests: Collection[bytes]) -> list[Hit]:
    """Return the personal tokens with these digests, whatever became of them. For `keyrack.manage.leaks` alone."""
    found = select(tokens.c.digest, tokens.c.id.label("hit_id"), workspaces).join(workspaces, workspaces.c.id == tokens.c.workspace_id)
    return [Hit(row.digest, row.hit_id, workspace_rows.read(row)) for row in await c.all(found.where(tokens.c.digest.in_(digests)))]


async def end_sessions(c: Connection, person_id: str, at: int, but: str | None = None) -> int:
    """End what one person holds: their sessions in every workspace, but the one with the id `but`. Returns how many.

    For `keyrack.manage.sessions`, `keyrack.manage.passwords` and `keyrack.manage.openid`.
    """
    theirs = (sessions.c.person_id == person_id) & sessions.c.ended_at.is_(None)
    if but is not None:
        theirs &= sessions.c.id != but
    return await c.execute(update(sessions).where(theirs).values(ended_at=at))


async def open_sessions(c: Connection, person_id: str, now: int, limit: int) -> list[tuple[Session, str]]:
    """Return what one person holds: their sessions that go on, the newest first, each with its workspace's name.

    For `keyrack.manage.sessions` alone.
    """
    found = select(sessions, workspaces.c.name.label("workspace_name")).join(workspaces, workspaces.c.id == sessions.c.workspace_id)
    theirs = found.where(sessions.c.person_id == person_id, sessions.c.ended_at.is_(None), sessions.c.expires_at > now)
    rows = await c.all(theirs.order_by(sessions.c.created_at.desc(), sessions.c.id).limit(limit))
    return [(_session(row), str(row.workspace_name)) for row in rows]


async def login(c: Connection, email: str) -> Login | None:
    """Return the person with this email, in whatever case, as they sign in.

    For `keyrack.manage.sessions`, `keyrack.manage.passwords`, `keyrack.manage.invitations`, `keyrack.manage.set_ups` and
    `keyrack.manage.openid`.
    """
    return _login(await c.first(select(people).where(people.c.email == email.strip().lower())))


async def login_of(c: Connection, person_id: str) -> Login | None:
    """Return a person as they sign in. For `keyrack.manage.sessions` and `keyrack.manage.passwords`."""
    return _login(await c.first(select(people).where(people.c.id == person_id)))


async def identity(c: Connection, issuer: str, subject: str) -> str | None:
    """Return the id of the person whom an identity provider calls so, or None. For `keyrack.manage.openid` alone."""
    row = await c.first(select(identities.c.person_id).where(identities.c.issuer == issuer, identities.c.subject == subject))
    return str(row.person_id) if row else None


async def has_identity(c: Connection, person_id: str) -> bool:
    """Whether any identity provider knows a person. For `keyrack.manage.passwords` alone."""
    return await c.first(select(identities.c.person_id).where(identities.c.person_id == person_id).limit(1)) is not None


async def memberships(c: Connection, person_id: str) -> list[Membership]:
    """Return what workspaces a person is in, the newest membership first: at most 100.

    For `keyrack.manage.sessions`, `keyrack.manage.people`, `keyrack.manage.passwords` and `keyrack.manage.openid`.
    """
    joined = members.join(people, people.c.id == members.c.person_id).join(workspaces, workspaces.c.id == members.c.workspace_id)
    found = select(members, people.c.name, people.c.email, workspaces, rights.roles_of(members)).select_from(joined)
    theirs = found.where(members.c.person_id == person_id, workspaces.c.deleted_at.is_(None))
    rows = await c.all(keyset(theirs, members.c, limit=MEMBERSHIPS_MAX))
    return [Membership(workspace_rows.read(row), member_rows.read(row)) for row in rows]


async def invitation(c: Connection, digest: bytes) -> FoundInvitation | None:
    """Return the invitation with this digest, whatever came of it, in a workspace that was not deleted.

    For `keyrack.manage.invitations` alone.
    """
    joined = invitations.join(workspaces, workspaces.c.id == invitations.c.workspace_id)
    found = select(invitations, workspaces).select_from(joined)
    row = await c.first(found.where(invitations.c.digest == digest, workspaces.c.deleted_at.is_(None)))
    return FoundInvitation(invitation_rows.read(row), workspace_rows.read(row)) if row else None


async def anybody(c: Connection) -> bool:
    """Whether anybody at all has a password. For `keyrack.manage.set_ups` alone."""
    return await c.first(select(people.c.id).where(people.c.password_hash.is_not(None)).limit(1)) is not None


async def add_set_up_link(c: Connection, digest: bytes, created_at: int, expires_at: int) -> None:
    """Add the link that lets the first person in, in place of those before it. For `keyrack.manage.set_ups` alone."""
    await c.execute(delete(set_up_links))
    await c.execute(insert(set_up_links).values(digest=digest, created_at=created_at, expires_at=expires_at))


async def use_set_up_link(c: Connection, digest: bytes, now: int) -> bool:
    """Use up the link that lets the first person in; False: unknown, used or expired. For `keyrack.manage.set_ups` alone."""
    waiting = (set_up_links.c.digest == digest) & set_up_links.c.used_at.is_(None) & (set_up_links.c.expires_at > now)
    return bool(await c.execute(update(set_up_links).where(waiting).values(used_at=now)))


async def person(c: Connection, email: str) -> Person | None:
    """Return the person with this email, in whatever case. For `keyrack.manage.members`: it adds people to its workspace."""
    row = await c.first(select(people).where(people.c.email == email.lower()))
    return person_rows.read(row) if row else None


async def workspace(c: Connection, name: str) -> Workspace | None:
    """Return the workspace with this id or slug. For `keyrack.manage.workspaces` alone: the operator names one."""
    named = or_(workspaces.c.id == name, workspaces.c.slug == name)
    row = await c.first(select(workspaces).where(named, workspaces.c.deleted_at.is_(None)).limit(1))
    return workspace_rows.read(row) if row else None


async def all_workspaces(c: Connection, *, limit: int, after: Place | None = None) -> list[Workspace]:
    """Return the workspaces, newest first. For `keyrack.manage.workspaces` alone: the operator lists them."""
    there = select(workspaces).where(workspaces.c.deleted_at.is_(None))
    return [workspace_rows.read(row) for row in await c.all(keyset(there, workspaces.c, limit=limit, after=after))]


def _session(row: Row[Any]) -> Session:
    of = row._mapping
    return Session(
        id=of[sessions.c.id],
        person_id=of[sessions.c.person_id],
        workspace_id=of[sessions.c.workspace_id],
        created_at=of[sessions.c.created_at],
        expires_at=of[sessions.c.expires_at],
        proved_at=of[sessions.c.proved_at],
        through_key_id=of[sessions.c.through_key_id],
        origin=of[sessions.c.origin],
        address=of[sessions.c.address],
        device=of[sessions.c.device],
    )


def _login(row: Row[Any] | None) -> Login | None:
    return Login(person_rows.read(row), row.password_hash, row.email_verified_at) if row else None
