"""Members: let people in, edit what they may do, let them go, and find them.

A credential, whatever its rights, changes nobody's role, makes nobody an admin and touches no owner; a workspace always keeps an owner who
can act.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keyrack.manage import rights as choices
from keyrack.manage import token_endings
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.key_bounds import refuse_past
from keyrack.manage.operators import acting
from keyrack.model.events import EventType
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.people import Person
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND, Refused
from keyrack.model.sessions import LinkPurpose
from keyrack.model.times import iso
from keyrack.model.tokens import EndReason
from keyrack.store import invitations as invitation_rows
from keyrack.store import lookup
from keyrack.store import members as rows
from keyrack.store import people as person_rows
from keyrack.store import sessions as session_rows
from keyrack.store.ids import new_id

MEMBER_ADDED = EventType("member.added", description="A person became a member.")
MEMBER_UPDATED = EventType("member.updated", description="A member's role, rights or status were changed.")
MEMBER_REMOVED = EventType("member.removed", description="A person is no longer a member.")
WORKSPACE_TRANSFERRED = EventType("workspace.transferred", description="An owner handed the workspace over to another member.")
EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 100
# None of the signs by which a mail's header tells several addresses, names and comments apart: what is stored is where mail goes.
_PART = r'[^@\s,;:<>()\[\]"\\]+'
_EMAIL = re.compile(rf"{_PART}@{_PART}\.{_PART}")


async def get(desk: Desk, actor: Principal, member_id: str) -> Member:
    """Return a member. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("read members")
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, member_id)


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    role: Role | None = None,
    status: MemberStatus | None = None,
    search: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Member]:
    """Return members in an order, from beyond a place in it. `search` is part of a name or an email.

    `updated_after` (ms) includes that moment. Raises Refused 403 without org-level Admin.
    """
    actor.require_admin("list members")
    within: dict[str, Any] = {"role": role, "status": status, "search": search, "updated_after": updated_after}
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, after=after, order=order, **within)


async def admins(desk: Desk, actor: Principal, *, limit: int) -> list[Member]:
    """Return who has org-level Admin, owners first: they can help a member that lacks a right. Every member may know them."""
    async with desk.store.reading() as c:
        return await rows.admins(c, actor.workspace.id, now=desk.now(), limit=limit)


async def add(
    desk: Desk,
    actor: Principal,
    *,
    email: str,
    name: str,
    role: Role = Role.MEMBER,
    rights: Rights | None = None,
    may_use_api: bool = False,
) -> Member:
    """Make a person a member, with these rights or the role's own; who has no login yet gets one under this name.

    Raises Refused: 403 without org-level Admin, for a credential that gives a role above member or org-level Admin, or for more rights
    than the actor has; 409 where the person is a member already; 400 for an email that is none.
    """
    actor.require_admin("add members")
    async with change(desk, actor) as c:
        return await join(desk, c, actor, email=email, name=name, role=role, rights=rights, may_use_api=may_use_api)


async def join(
    desk: Desk, c: Change, actor: Principal, *, email: str, name: str, role: Role, rights: Rights | None = None, may_use_api: bool = False
) -> Member:
    """Make a person a member inside a change under way. Raises what `add` raises."""
    given = choices.checked(desk, actor, role.default_rights if rights is None else rights)
    await require_say_over_newcomer(c, actor, role, given)
    return await let_in(c, email=email, name=name, role=role, rights=given, may_use_api=may_use_api)


async def let_in(c: Change, *, email: str, name: str, role: Role, rights: Rights, may_use_api: bool = False) -> Member:
    """Make a person a member inside a change under way, with rights that somebody who had them has given.

    Raises Refused: 409 where the person is a member already, or for an owner without org-level Admin; 400 for an email that is none.
    """
    person = await _person(c, email, name)
    member = Member(
        id=new_id(),
        workspace_id=c.workspace_id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        role=role,
        status=MemberStatus.ACTIVE,
        may_use_api=may_use_api,
        created_at=c.now,
        updated_at=c.now,
        rights=rights,
    )
    require_admin_owner(role, rights)
    await rows.add(c.connection, member)
    await _end_resets(c, member)
    # A membership links a person, whom caches may know from elsewhere.
    c.touch(person.id)
    c.record(MEMBER_ADDED, member.id, shown(member))
    return member


async def edit(desk: Desk, actor: Principal, member_id: str, **fields: Any) -> Member:
    """Change a member's `role`, `status`, `may_use_api`, `partner`, `access_until`, `org_access`, `permissions`, `spaces`; others stay.

    A new role brings its own rights, as far as none are named with it; roles in spaces stay. Who may invite nobody any more has what they
    offered taken back; who may use the API no more has their personal tokens ended.

    Raises Refused: 403 without org-level Admin, for a role changed or org-level Admin given by a credential, for an owner touched by
    anybody but an owner, or for more rights than the actor has; 404; 409 where the last owner would be lost.
    """
    actor.require_admin("edit members")
    async with change(desk, actor) as c:
        member = await rows.get(c.connection, actor.workspace.id, member_id)
        edited = _edited(desk, actor, member, fields)
        if edited == member:
            c.found_done()
            return member
        await _require_say_over(c, actor, member, edited)
        edited = replace(edited, updated_at=c.now)
        await _save(c, member, edited)
        await _require_owner_left(c, member)
    return edited


async def remove(desk: Desk, actor: Principal, member_id: str) -> Member:
    """Let a member go: when this returns, they are signed out and reach nothing here.

    Raises Refused: 403 without org-level Admin, or for an owner removed by anybody but an owner; 404; 409 for the last owner.
    """
    actor.require_admin("remove members")
    async with change(desk, actor) as c:
        member = await rows.get(c.connection, actor.workspace.id, member_id)
        await _require_say_over(c, actor, member, member)
        await _remove(c, member)
    return member


async def leave(desk: Desk, actor: Principal) -> Member:
    """Let the actor go, by their own wish: when this returns, they are signed out of this workspace.

    Raises Refused: 403 for anybody but a person who signed in by themselves; 409 for the last owner.
    """
    _require_person(actor)
    async with change(desk, actor) as c:
        member = await rows.get(c.connection, actor.workspace.id, actor.member_id or "")
        await _remove(c, member)
    return member


async def transfer(desk: Desk, actor: Principal, member_id: str) -> Member:
    """Hand the workspace over: another active member becomes its owner, and the actor an admin, at once or not at all.

    Raises Refused: 403 for anybody but an owner who signed in by themselves; 404; 409 for oneself, or for a member who is inactive.
    """
    _require_person(actor)
    async with change(desk, actor) as c:
        await require_say(c, actor, Role.OWNER)
        own = await rows.get(c.connection, actor.workspace.id, actor.member_id or "")
        heir = await rows.get(c.connection, actor.workspace.id, member_id)
        if heir.id == own.id or not heir.active(c.now):
            raise CONFLICT("Hand the workspace over to another member, who is active.")
        made = [(heir, Role.OWNER), (own, Role.ADMIN)]
        saved = [await _save(c, one, _with_role(one, role, c.now)) for one, role in made]
        c.record(WORKSPACE_TRANSFERRED, actor.workspace.id, {"from_member_id": own.id, "to_member_id": heir.id, "to_name": heir.name})
    return saved[0]


def shown(member: Member) -> dict[str, Any]:
    """What events tell of a member."""
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role.value,
        "status": member.status.value,
        "may_use_api": member.may_use_api,
        "partner": member.partner,
        "access_until": None if member.access_until is None else iso(member.access_until),
        **choices.shown(member.rights),
    }


class Members:
    """The members of workspaces, for the host's own code. Where no `actor` is named, the host acts by itself, as the operator.

    Changes take effect everywhere before they return; made while `rack.transaction` is open they raise `change_inside_transaction`.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def find(self, workspace_id: str, member_id: str) -> Member | None:
        """Return a member, or None."""
        try:
            async with self._desk.store.reading() as c:
                return await rows.get(c, workspace_id, member_id)
        except Refused as refused:
            if refused.refusal is NOT_FOUND:
                return None
            raise

    async def list(self, workspace_id: str, *, limit: int = 100, after: Place | None = None) -> list[Member]:
        """Return a page of members, newest first, from below the place (`created_at` and `id`) where the last one ended."""
        async with self._desk.store.reading() as c:
            return await rows.page(c, workspace_id, limit=limit, after=after)

    async def add(
        self,
        workspace_id: str,
        *,
        email: str,
        name: str,
        role: Role = Role.MEMBER,
        rights: Rights | None = None,
        may_use_api: bool = False,
        actor: Principal | None = None,
    ) -> Member:
        """Make a person a member, with these rights or the role's own. Raises Refused 400, 403, 404, 409."""
        by = await acting(self._desk, workspace_id, actor)
        return await add(self._desk, by, email=email, name=name, role=role, rights=rights, may_use_api=may_use_api)

    async def edit(self, workspace_id: str, member_id: str, *, actor: Principal | None = None, **fields: Any) -> Member:
        """Change what `keyrack.manage.members.edit` names. Raises Refused 400, 403, 404, 409."""
        return await edit(self._desk, await acting(self._desk, workspace_id, actor), member_id, **fields)

    async def remove(self, workspace_id: str, member_id: str, *, actor: Principal | None = None) -> Member:
        """Let a member go. Raises Refused 403, 404, 409."""
        return await remove(self._desk, await acting(self._desk, workspace_id, actor), member_id)


def checked_email(email: str) -> str:
    """Return an email as it is stored. Raises Refused 400 for one that is none."""
    address = email.strip().lower()
    # "=?" begins a word that mail programs decode (RFC 2047).
    if len(address) > EMAIL_LENGTH_MAX or not address.isprintable() or "=?" in address or not _EMAIL.fullmatch(address):
        raise INVALID_REQUEST("Write an email like mira@aurora.com.", param="email")
    return address


def checked_name(name: str) -> str:
    """Return a person's name as it is stored. Raises Refused 400 for one that is none."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= NAME_LENGTH_MAX or not stripped.isprintable():
        raise INVALID_REQUEST(f"A name has 1 to {NAME_LENGTH_MAX} printable characters.", param="name")
    return stripped


async def _person(c: Change, email: str, name: str) -> Person:
    address = checked_email(email)
    person = await lookup.person(c.connection, address)
    if person is None:
        person = Person(new_id(), address, name.strip() or address, c.now, c.now)
        await person_rows.add(c.connection, person)
    return person


def _edited(desk: Desk, actor: Principal, member: Member, fields: Mapping[str, Any]) -> Member:
    edited = replace(member, **{name: value for name, value in fields.items() if name not in choices.PARTS})
    parts = {name: value for name, value in fields.items() if name in choices.PARTS}
    edited = replace(edited, partner=choices.checked_partner(edited.partner))
    if edited.access_until != member.access_until:
        refuse_past(edited.access_until, desk.now(), "access_until")
    base = member.rights
    if edited.role is not member.role:
        base = replace(edited.role.default_rights, spaces=member.rights.spaces)
    rights = choices.changed(base, parts)
    if rights != member.rights:
        edited = replace(edited, rights=choices.checked(desk, actor, rights))
    require_admin_owner(edited.role, edited.rights)
    if edited.role is Role.OWNER and edited.access_until is not None:
        raise CONFLICT("An owner's access has no end: give them another role first.", param="access_until")
    return edited


def require_admin_owner(role: Role, rights: Rights) -> None:
    """Raise Refused 409 for an owner without org-level Admin."""
    if role is Role.OWNER and rights.org_access is not OrgAccess.ADMIN:
        raise CONFLICT("An owner has org-level Admin: give them another role first.", param="org_access")


def _with_role(member: Member, role: Role, now: int) -> Member:
    access_until = None if role is Role.OWNER else member.access_until
    rights = replace(role.default_rights, spaces=member.rights.spaces)
    return replace(member, role=role, rights=rights, access_until=access_until, updated_at=now)


async def _save(c: Change, before: Member, member: Member) -> Member:
    await rows.save(c.connection, member)
    if before.invites and not member.invites:
        await invitation_rows.revoke_made_by(c.connection, member.workspace_id, member.id, c.now)
    if member.role is Role.OWNER and before.role is not Role.OWNER:
        await _end_resets(c, member)
    if not member.active(c.now):
        # Whoever is let in again later begins anew: a session of before may be in other hands by then.
        await session_rows.end_of_member(c.connection, member.workspace_id, member.person_id, c.now)
    await token_endings.end_of_changed(c, before, member)
    c.touch(member.id, member.person_id)
    c.record(MEMBER_UPDATED, member.id, shown(member))
    return member


async def _end_resets(c: Change, member: Member) -> None:
    # An admin who was handed such a link for them may make none any more: else it would open what the member has reached since.
    await session_rows.end_links(c.connection, member.workspace_id, member.person_id, c.now, [LinkPurpose.RESET])


async def _remove(c: Change, member: Member) -> None:
    await rows.remove(c.connection, member.workspace_id, member.id)
    await session_rows.end_of_member(c.connection, member.workspace_id, member.person_id, c.now)
    await invitation_rows.revoke_made_by(c.connection, member.workspace_id, member.id, c.now)
    await token_endings.end_of(c, [member.id], by=c.actor_name, reason=EndReason.MEMBER_REMOVED)
    await _require_owner_left(c, member)
    c.touch(member.id, member.person_id)
    c.record(MEMBER_REMOVED, member.id, shown(member))


def _require_person(actor: Principal) -> None:
    if actor.kind is not Kind.SESSION or not actor.decides_roles:
        raise INSUFFICIENT_PERMISSION("Only a person who signed in by themselves does this.")


def _require_person_for_admin(actor: Principal, *, was_one: bool, is_one: bool) -> None:
    # A member signs in, and may then do what no credential may: else a key would reach that through somebody whom it let in (again).
    if is_one and not was_one and not actor.decides_roles:
        raise INSUFFICIENT_PERMISSION("A credential makes nobody an admin: sign in to the console to do that.", param="org_access")


async def _require_say_over(c: Change, actor: Principal, member: Member, edited: Member) -> None:
    for role in {member.role, edited.role} if edited.role is not member.role else {member.role} & {Role.OWNER}:
        await require_say(c, actor, role)
    ends, end = member.access_until, edited.access_until
    is_longer = ends is not None and (end is None or end > ends)
    _require_person_for_admin(actor, was_one=member.invites and not is_longer, is_one=edited.invites)


async def require_say_over_newcomer(c: Change, actor: Principal, role: Role, rights: Rights) -> None:
    """Raise Refused 403 unless the actor may let somebody in with a role and rights: no credential makes an admin."""
    if role is not Role.MEMBER:
        await require_say(c, actor, role)
    _require_person_for_admin(actor, was_one=False, is_one=rights.org_access is OrgAccess.ADMIN)


async def require_say(c: Change, actor: Principal, role: Role) -> None:
    """Raise Refused 403 unless the actor may give or take a role: no credential may, and an owner's only an owner, or the operator."""
    if not actor.decides_roles:
        raise INSUFFICIENT_PERMISSION("A credential changes nobody's role and no owner: sign in to the console to do that.", param="role")
    if role is Role.OWNER and actor.kind is not Kind.OPERATOR:
        own = await rows.get(c.connection, actor.workspace.id, actor.member_id or "")
        if own.role is not Role.OWNER:
            raise INSUFFICIENT_PERMISSION("Only an owner makes owners, and changes or removes them.", param="role")


async def _require_owner_left(c: Change, before: Member) -> None:
    if before.role is Role.OWNER and not await rows.count_of_role(c.connection, before.workspace_id, Role.OWNER):
        raise CONFLICT("This is the last owner: make somebody else an owner first.")
