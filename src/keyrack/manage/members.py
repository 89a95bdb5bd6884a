"""Members: let people in, edit what they may do, let them go, and find them.

A credential, whatever its rights, changes nobody's role and touches no owner; a workspace always keeps an owner who can act.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keyrack.manage import rights as choices
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.operators import DECIDES_ROLES, acting
from keyrack.model.events import EventType
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.people import Person
from keyrack.model.permissions import OrgAccess, Rights
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND, Refused
from keyrack.store import lookup
from keyrack.store import members as rows
from keyrack.store import people as person_rows
from keyrack.store.ids import new_id
from keyrack.store.paging import Place

MEMBER_ADDED = EventType("member.added", description="A person became a member.")
MEMBER_UPDATED = EventType("member.updated", description="A member's role, rights or status were changed.")
MEMBER_REMOVED = EventType("member.removed", description="A person is no longer a member.")
EMAIL_LENGTH_MAX = 254
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


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
) -> list[Member]:
    """Return members, newest first. `search` is part of a name or an email. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list members")
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, after=after, role=role, status=status, search=search)


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

    Raises Refused: 403 without org-level Admin, for a credential that gives a role above member, or for more rights than the actor has;
    409 where the person is a member already; 400 for an email that is none.
    """
    actor.require_admin("add members")
    async with change(desk, actor) as c:
        return await join(desk, c, actor, email=email, name=name, role=role, rights=rights, may_use_api=may_use_api)


async def join(
    desk: Desk, c: Change, actor: Principal, *, email: str, name: str, role: Role, rights: Rights | None = None, may_use_api: bool = False
) -> Member:
    """Make a person a member inside a change under way. Raises what `add` raises."""
    if role is not Role.MEMBER:
        await _require_say(c, actor, role)
    person = await _person(c, email, name)
    member = Member(
        id=new_id(),
        workspace_id=actor.workspace.id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        role=role,
        status=MemberStatus.ACTIVE,
        may_use_api=may_use_api,
        created_at=c.now,
        updated_at=c.now,
        rights=choices.checked(desk, actor, role.default_rights if rights is None else rights),
    )
    _require_admin_owner(member)
    await rows.add(c.connection, member)
    # A membership links a person, whom caches may know from elsewhere.
    c.touch(person.id)
    c.record(MEMBER_ADDED, member.id, shown(member))
    return member


async def edit(desk: Desk, actor: Principal, member_id: str, **fields: Any) -> Member:
    """Change a member's `role`, `status`, `may_use_api`, `org_access`, `permissions` or `spaces`; what is not named stays.

    A new role brings its own rights, as far as none are named with it; roles in spaces stay.

    Raises Refused: 403 without org-level Admin, for a role changed by a credential, for an owner touched by anybody but an owner, or for
    more rights than the actor has; 404; 409 where the last owner would be lost.
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
        await rows.save(c.connection, edited)
        await _require_owner_left(c, member)
        c.touch(edited.id, edited.person_id)
        c.record(MEMBER_UPDATED, edited.id, shown(edited))
    return edited


async def remove(desk: Desk, actor: Principal, member_id: str) -> Member:
    """Let a member go: when this returns, they are signed out and reach nothing here.

    Raises Refused: 403 without org-level Admin, or for an owner removed by anybody but an owner; 404; 409 for the last owner.
    """
    actor.require_admin("remove members")
    async with change(desk, actor) as c:
        member = await rows.get(c.connection, actor.workspace.id, member_id)
        await _require_say_over(c, actor, member, member)
        await rows.remove(c.connection, actor.workspace.id, member.id)
        await _require_owner_left(c, member)
        c.touch(member.id, member.person_id)
        c.record(MEMBER_REMOVED, member.id, shown(member))
    return member


def shown(member: Member) -> dict[str, Any]:
    """What events tell of a member."""
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role.value,
        "status": member.status.value,
        "may_use_api": member.may_use_api,
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
        """Change a member's `role`, `status`, `may_use_api`, `org_access`, `permissions` or `spaces`. Raises Refused 403, 404, 409."""
        return await edit(self._desk, await acting(self._desk, workspace_id, actor), member_id, **fields)

    async def remove(self, workspace_id: str, member_id: str, *, actor: Principal | None = None) -> Member:
        """Let a member go. Raises Refused 403, 404, 409."""
        return await remove(self._desk, await acting(self._desk, workspace_id, actor), member_id)


async def _person(c: Change, email: str, name: str) -> Person:
    address = email.strip().lower()
    if len(address) > EMAIL_LENGTH_MAX or not address.isprintable() or not _EMAIL.fullmatch(address):
        raise INVALID_REQUEST("Write an email like mira@aurora.com.", param="email")
    person = await lookup.person(c.connection, address)
    if person is None:
        person = Person(new_id(), address, name.strip() or address, c.now, c.now)
        await person_rows.add(c.connection, person)
    return person


def _edited(desk: Desk, actor: Principal, member: Member, fields: Mapping[str, Any]) -> Member:
    edited = replace(member, **{name: value for name, value in fields.items() if name not in choices.PARTS})
    parts = {name: value for name, value in fields.items() if name in choices.PARTS}
    base = member.rights
    if edited.role is not member.role:
        base = replace(edited.role.default_rights, spaces=member.rights.spaces)
    rights = choices.changed(base, parts)
    if rights != member.rights:
        edited = replace(edited, rights=choices.checked(desk, actor, rights))
    _require_admin_owner(edited)
    return edited


def _require_admin_owner(member: Member) -> None:
    if member.role is Role.OWNER and member.rights.org_access is not OrgAccess.ADMIN:
        raise CONFLICT("An owner has org-level Admin: give them another role first.", param="org_access")


async def _require_say_over(c: Change, actor: Principal, member: Member, edited: Member) -> None:
    for role in {member.role, edited.role} if edited.role is not member.role else {member.role} & {Role.OWNER}:
        await _require_say(c, actor, role)


async def _require_say(c: Change, actor: Principal, role: Role) -> None:
    """Refuse unless the actor may give or take a role: no credential may, and an owner's only an owner, or the operator."""
    if actor.kind not in DECIDES_ROLES:
        raise INSUFFICIENT_PERMISSION("A credential changes nobody's role and no owner: sign in to the console to do that.", param="role")
    if role is Role.OWNER and actor.kind is not Kind.OPERATOR:
        own = await rows.get(c.connection, actor.workspace.id, actor.member_id or "")
        if own.role is not Role.OWNER:
            raise INSUFFICIENT_PERMISSION("Only an owner makes owners, and changes or removes them.", param="role")


async def _require_owner_left(c: Change, before: Member) -> None:
    if before.role is Role.OWNER and not await rows.count_of_role(c.connection, before.workspace_id, Role.OWNER):
        raise CONFLICT("This is the last owner: make somebody else an owner first.")
