"""Invitations: made, listed, sent again and revoked by admins, and accepted through their link by whoever they are for."""

from dataclasses import dataclass, replace
from typing import Any

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.manage import attempts, mail, members, passwords, people, rights, sessions
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.sessions import SignedIn, digest_of
from keyrack.model.events import EventType
from keyrack.model.invitations import Invitation
from keyrack.model.members import Role
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, LINK_ENDED, NOT_FOUND, SIGN_IN_FAILED
from keyrack.model.workspaces import Workspace
from keyrack.store import invitations as rows
from keyrack.store import lookup
from keyrack.store import members as member_rows
from keyrack.store import people as person_rows
from keyrack.store import spaces as space_rows
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

INVITATION_CREATED = EventType("invitation.created", description="Somebody was invited to become a member.")
INVITATION_RENEWED = EventType("invitation.renewed", description="An invitation was given a new link, in place of the one before.")
INVITATION_REVOKED = EventType("invitation.revoked", description="An invitation was taken back.")
INVITATION_ACCEPTED = EventType("invitation.accepted", description="An invitation was accepted.")

VALID_SECONDS = 7 * 24 * 3600
_USED = "This invitation was accepted or taken back before, or has expired. Ask whoever invited you for a new one."


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its link, which leaves here once: by mail, then `secret` is None, or to whoever invites, to be handed on."""

    invitation: Invitation
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation's link shows before it is accepted. `has_password`: accepting takes the password that its person has."""

    invitation: Invitation
    workspace: Workspace
    has_password: bool


async def get(desk: Desk, actor: Principal, invitation_id: str) -> Invitation:
    """Return an invitation, whatever came of it. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("read invitations")
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, invitation_id)


async def page(
    desk: Desk, actor: Principal, *, limit: int, after: Place | None = None, is_open: bool | None = None, order: Order = NEWEST
) -> list[Invitation]:
    """Return invitations in an order; `is_open` chooses those that wait, or the others. Raises Refused 403 without org-level Admin.

    The order is by `created_at` or `expires_at`.
    """
    actor.require_admin("list invitations")
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, now=desk.now(), limit=limit, after=after, is_open=is_open, order=order)


async def create(
    desk: Desk,
    actor: Principal,
    *,
    email: str,
    role: Role = Role.MEMBER,
    may_use_api: bool = False,
    **parts: Any,
) -> Invited:
    """Invite somebody, for a week. The link goes by mail where mail is set up; else it is in the answer, to be handed on.

    `parts` are `org_access`, `permissions` and `spaces`, each the role's own unless it is named.

    Raises Refused: 403 without org-level Admin, for a credential that gives a role above member or org-level Admin, for an owner's role
    unless an owner gives it, and for more rights than the actor has; 409 for a member, where an invitation of this email waits, and for
    an owner without org-level Admin; 404 for an unknown space; 400 for an email that is none, and for levels that cannot be.
    """
    actor.require_admin("invite people")
    address = members.checked_email(email)
    given = rights.checked(desk, actor, rights.changed(role.default_rights, parts))
    members.require_admin_owner(role, given)
    secret = _mint(desk)
    async with change(desk, actor) as c:
        invitation = Invitation(
            id=new_id(),
            workspace_id=actor.workspace.id,
            email=address,
            role=role,
            made_by=actor.owner_id,
            made_by_name=actor.credential_name,
            created_at=c.now,
            expires_at=c.now + VALID_SECONDS * 1000,
            rights=given,
            may_use_api=may_use_api,
        )
        await _check(c, actor, invitation)
        await rows.add(c.connection, invitation, digest_of(secret))
        c.record(INVITATION_CREATED, invitation.id, shown(invitation))
        return await _hand_over(desk, c, actor, invitation, secret)


async def renew(desk: Desk, actor: Principal, invitation_id: str) -> Invited:
    """Give an invitation a new link for another week, sent or handed over as the first; the one before works no more.

    Raises Refused: 403 as `create` does; 404; 409 where it was accepted or revoked.
    """
    actor.require_admin("invite people")
    secret = _mint(desk)
    async with change(desk, actor) as c:
        invitation = await rows.get(c.connection, actor.workspace.id, invitation_id)
        await members.require_say_over_newcomer(c, actor, invitation.role, invitation.rights)
        expires_at = c.now + VALID_SECONDS * 1000
        if not await rows.renew(c.connection, actor.workspace.id, invitation_id, digest_of(secret), expires_at):
            raise CONFLICT(f"This invitation is {invitation.state(c.now)}: make a new one.")
        renewed = replace(invitation, expires_at=expires_at)
        c.record(INVITATION_RENEWED, invitation_id, shown(renewed))
        return await _hand_over(desk, c, actor, renewed, secret)


async def revoke(desk: Desk, actor: Principal, invitation_id: str) -> Invitation:
    """Take an invitation back: when this returns, its link lets nobody in. Twice is the same as once.

    Raises Refused: 403 without org-level Admin; 404; 409 where it was accepted.
    """
    actor.require_admin("revoke invitations")
    async with change(desk, actor) as c:
        invitation = await rows.get(c.connection, actor.workspace.id, invitation_id)
        if invitation.accepted_at is not None:
            raise CONFLICT("This invitation was accepted: remove the member instead.")
        if invitation.revoked_at is not None:
            return invitation
        await rows.revoke(c.connection, actor.workspace.id, invitation_id, c.now)
        invitation = replace(invitation, revoked_at=c.now)
        c.record(INVITATION_REVOKED, invitation_id, shown(invitation))
    return invitation


async def look(desk: Desk, secret_text: str, *, address: str) -> Offer:
    """Return what a link offers, without using it up. Raises Refused `link_ended`, `too_many_failures`."""
    attempts.count_of_address(desk, address)
    async with desk.store.reading() as c:
        found = await _open_one(desk, secret_text, c)
        login = await lookup.login(c, found.invitation.email)
    return Offer(found.invitation, found.workspace, login is not None and login.password_hash is not None)


async def accept(
    desk: Desk,
    secret_text: str,
    *,
    address: str,
    name: str = "",
    password: str = "",
    session: Principal | None = None,
) -> SignedIn:
    """Accept an invitation, once, and begin a session in its workspace.

    Somebody new gives their name and chooses a password. Whoever has a login proves that it is theirs: by its password, or by the session
    in which they are signed in already.

    Raises Refused: `link_ended`; `sign_in_failed` for a wrong password; 409 for a member, and for a login without a password, whose
    person asks for a link to choose one first; 400 for a name or a password that cannot be; `too_many_failures`.
    """
    async with desk.store.reading() as c:
        found = await _open_one(desk, secret_text, c)
        login = await lookup.login(c, found.invitation.email)
    invitation = found.invitation
    attempts.count(desk, invitation.email, address)
    stored = None
    if login is None:
        passwords.check(desk, password, invitation.email)
        stored = await desk.passwords.hash(password)
    elif session is None or not session.decides_roles or session.person_id != login.person.id:
        if login.password_hash is None:
            raise CONFLICT("There is a login with this email, which has no password yet: ask for a link to choose one.")
        if not await desk.passwords.matches(password, login.password_hash):
            raise SIGN_IN_FAILED("This is not the password of the login with this email.", param="password")
    known_as = login.person.name if login else members.checked_name(name)
    async with change(desk, people.newcomer(desk, found.workspace, invitation.id, known_as)) as c:
        return await _join(desk, c, invitation, login, name, stored)


def shown(invitation: Invitation) -> dict[str, Any]:
    """What events tell of an invitation."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role.value,
        "may_use_api": invitation.may_use_api,
        **rights.shown(invitation.rights),
    }


async def _join(desk: Desk, c: Change, invitation: Invitation, login: lookup.Login | None, name: str, stored: str | None) -> SignedIn:
    if not await rows.accept(c.connection, invitation.workspace_id, invitation.id, c.now):
        raise LINK_ENDED(_USED)
    now_there = await lookup.login(c.connection, invitation.email)
    if (now_there is None) != (login is None):
        raise CONFLICT("A login with this email was made at the same time: open the link again.")
    # Spaces that were deleted meanwhile give no role.
    living = await space_rows.page(c.connection, invitation.workspace_id, limit=rights.SPACES_MAX, within=list(invitation.spaces))
    kept = replace(invitation.rights, spaces={one.id: invitation.spaces[one.id] for one in living})
    role, may_use_api = invitation.role, invitation.may_use_api
    member = await members.let_in(c, email=invitation.email, name=name, role=role, rights=kept, may_use_api=may_use_api)
    if stored is not None:
        # The link reached them by mail where mail is set up: nobody else has seen it.
        verified = desk.outside.sends_mail
        await person_rows.set_password(c.connection, invitation.workspace_id, member.person_id, stored, c.now, verified=verified)
    c.record(INVITATION_ACCEPTED, invitation.id, {**shown(invitation), "member_id": member.id})
    return await sessions.begin(desk, c.connection, member.person_id, invitation.workspace_id, proved_at=c.now if stored else 0)


async def _hand_over(desk: Desk, c: Change, actor: Principal, invitation: Invitation, secret: Secret) -> Invited:
    if not desk.outside.sends_mail:
        return Invited(invitation, secret)
    await mail.queue(desk, c.connection, mail.invitation_letter(desk, actor.workspace, invitation, secret))
    return Invited(invitation, None)


async def _check(c: Change, actor: Principal, invitation: Invitation) -> None:
    await members.require_say_over_newcomer(c, actor, invitation.role, invitation.rights)
    known = await space_rows.page(c.connection, invitation.workspace_id, limit=rights.SPACES_MAX, within=list(invitation.spaces))
    if len(known) != len(invitation.spaces):
        raise NOT_FOUND("There is no such space.", param="spaces")
    login = await lookup.login(c.connection, invitation.email)
    if login is not None and await member_rows.of_person(c.connection, invitation.workspace_id, login.person.id) is not None:
        raise CONFLICT("This person is a member already.", param="email")
    if await rows.open_for(c.connection, invitation.workspace_id, invitation.email, c.now) is not None:
        raise CONFLICT("An invitation of this email waits: send it again, or take it back.", param="email")


async def _open_one(desk: Desk, secret_text: str, c: Connection) -> lookup.FoundInvitation:
    if not well_formed(secret_text):
        raise LINK_ENDED("This is not a whole link: copy it again, from its first character to its last.")
    found = await lookup.invitation(c, digest(secret_text.encode()))
    if found is None or found.invitation.state(desk.now()) != "open":
        raise LINK_ENDED(_USED)
    return found


def _mint(desk: Desk) -> Secret:
    return mint(f"{desk.brand.key_prefix}_invitation")
