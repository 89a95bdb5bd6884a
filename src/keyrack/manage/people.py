"""People: which workspaces somebody is in, by their own wish too, and how they are remembered as the actor of what they did with a link."""

from dataclasses import replace

from keyrack.manage import members
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.model.events import EventType
from keyrack.model.members import Member, Role
from keyrack.model.permissions import Rights, compile_rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND
from keyrack.model.workspaces import Workspace
from keyrack.store import lookup
from keyrack.store import members as member_rows
from keyrack.store import people as rows
from keyrack.store import workspaces as workspace_rows

PERSON_RENAMED = EventType("person.renamed", description="A member chose another name.")


async def workspaces_of(desk: Desk, actor: Principal) -> list[lookup.Membership]:
    """Return the workspaces in which the person behind a session may act, each with the member they are there, by name.

    A session that a portal link began stays in its workspace, and sees that one alone.
    """
    found = await workspaces_of_person(desk, actor.person_id or "")
    return [one for one in found if actor.decides_roles or one.workspace.id == actor.workspace.id]


async def workspaces_of_person(desk: Desk, person_id: str) -> list[lookup.Membership]:
    """Return the workspaces in which a person may act, each with the member they are there, by name."""
    async with desk.store.reading() as c:
        found = await lookup.memberships(c, person_id)
    active = [one for one in found if one.member.active(desk.now())]
    return sorted(active, key=lambda one: (one.workspace.name.lower(), one.workspace.id))


async def rename(desk: Desk, session: Principal, name: str) -> str:
    """Give the person behind a session another name, in every workspace, and return it as it is stored.

    Raises Refused: 400 for a name that cannot be; 403 for a session that a portal link began.
    """
    person_id = _person(session)
    chosen = members.checked_name(name)
    async with change(desk, session) as c:
        if chosen == session.credential_name:
            c.found_done()
            return chosen
        await rows.rename(c.connection, session.workspace.id, person_id, chosen, c.now)
        c.touch(person_id)
        c.record(PERSON_RENAMED, person_id, {"id": person_id, "name": chosen})
    return chosen


async def join(desk: Desk, session: Principal, workspace_id: str) -> Member:
    """Make the person behind a session a member of another workspace, which the host opens to them: without any right, nor the API's use.

    Raises Refused: 403 for a session that a portal link began; 404; 409 where they are a member already, also an inactive one.
    """
    person_id = _person(session)
    async with desk.store.reading() as c:
        workspace = await workspace_rows.get(c, workspace_id)
        person = await rows.get(c, session.workspace.id, person_id)
    async with change(desk, newcomer(desk, workspace, person_id, person.name)) as c:
        return await members.let_in(c, email=person.email, name=person.name, role=Role.MEMBER, rights=Rights())


async def leave(desk: Desk, session: Principal, workspace_id: str) -> Member:
    """Let the person behind a session go from another workspace, by their own wish.

    Raises Refused: 403 for a session that a portal link began; 404 where they are no member there; 409 for the last owner.
    """
    person_id = _person(session)
    async with desk.store.reading() as c:
        workspace = await workspace_rows.get(c, workspace_id)
        member = await member_rows.of_person(c, workspace_id, person_id)
    if member is None:
        raise NOT_FOUND("There is no such workspace.")
    return await members.leave(desk, acting_as(desk, workspace, member.id, member.name))


class People:
    """People beyond the workspace in which they have signed in, for the host's own code. Changes take effect before they return."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def member(self, person_id: str, workspace_id: str) -> Member | None:
        """Return who a person is in a workspace, also where they are inactive; None where they are no member."""
        async with self._desk.store.reading() as c:
            return await member_rows.of_person(c, workspace_id, person_id)

    async def join(self, session: Principal, workspace_id: str) -> Member:
        """Make whoever is signed in (`caller.principal`) a member of a workspace that is open to them. Raises Refused 403, 404, 409."""
        return await join(self._desk, session, workspace_id)

    async def leave(self, session: Principal, workspace_id: str) -> Member:
        """Let whoever is signed in leave a workspace. Raises Refused 403, 404, 409."""
        return await leave(self._desk, session, workspace_id)


def acting(desk: Desk, workspace: Workspace, member: Member) -> Principal:
    """Return a member as the actor of what they do about themselves without being signed in: they may do nothing else with it."""
    return _nobody(desk, workspace, member.id, member.name)


def acting_as(desk: Desk, workspace: Workspace, member_id: str, name: str) -> Principal:
    """Return the same of a member by their id, who may be inactive there: what is theirs they may end all the same."""
    return replace(_nobody(desk, workspace, member_id, name), member_id=member_id)


def newcomer(desk: Desk, workspace: Workspace, invitation_id: str, name: str) -> Principal:
    """Return whoever accepts an invitation as the actor of that: they may do nothing else with it."""
    return _nobody(desk, workspace, invitation_id, name)


def _person(session: Principal) -> str:
    if not session.decides_roles or session.person_id is None:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")
    return session.person_id


def _nobody(desk: Desk, workspace: Workspace, credential_id: str, name: str) -> Principal:
    return Principal(
        kind=Kind.SESSION,
        workspace=workspace,
        credential_id=credential_id,
        credential_name=name,
        prefix="",
        mode=Mode.LIVE,
        rights=Rights(),
        masks=compile_rights(Rights(), desk.categories),
        derived_from=frozenset({credential_id, workspace.id}),
    )
