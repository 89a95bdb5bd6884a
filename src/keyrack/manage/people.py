"""People: which workspaces somebody is in, and how they are remembered as the actor of what they did with a link."""

from keyrack.manage.desk import Desk
from keyrack.model.members import Member
from keyrack.model.permissions import Rights, compile_rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.workspaces import Workspace
from keyrack.store import lookup


async def workspaces_of(desk: Desk, actor: Principal) -> list[lookup.Membership]:
    """Return the workspaces in which the person behind a session may act, each with the member they are there, by name.

    A session that a portal link began stays in its workspace, and sees that one alone.
    """
    async with desk.store.reading() as c:
        found = await lookup.memberships(c, actor.person_id or "")
    now = desk.now()
    here = [one for one in found if one.member.active(now) and (actor.decides_roles or one.workspace.id == actor.workspace.id)]
    return sorted(here, key=lambda one: (one.workspace.name.lower(), one.workspace.id))


def acting(desk: Desk, workspace: Workspace, member: Member) -> Principal:
    """Return a member as the actor of what they do about themselves without being signed in: they may do nothing else with it."""
    return _nobody(desk, workspace, member.id, member.name)


def newcomer(desk: Desk, workspace: Workspace, invitation_id: str, name: str) -> Principal:
    """Return whoever accepts an invitation as the actor of that: they may do nothing else with it."""
    return _nobody(desk, workspace, invitation_id, name)


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
