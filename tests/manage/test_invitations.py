"""Invitations: to one email, through one link, into one workspace, once."""

import asyncio
from typing import Any

from sqlalchemy import update

from keyrack.manage import events, invitations, members, passwords, people, sessions
from keyrack.manage.desk import Desk
from keyrack.manage.operators import operator
from keyrack.manage.sessions import SignedIn
from keyrack.model.members import MemberStatus, Role
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, LINK_ENDED, NOT_FOUND, SIGN_IN_FAILED, Refused
from keyrack.store.tables import invitations as rows
from tests.hosts import ADMIN_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

FROM = "192.0.2.9"
PASSWORD = "correct horse battery"


async def invited(desk: Desk, actor: Principal, email: str = "mira@aurora.test", role: Role = Role.MEMBER) -> invitations.Invited:
    """An invitation."""
    return await invitations.create(desk, actor, email=email, role=role)


async def accepted(desk: Desk, made: invitations.Invited, password: str = PASSWORD) -> Principal:
    """Accept an invitation as somebody new, and return who that is now."""
    assert made.secret is not None
    signed_in = await invitations.accept(desk, made.secret.text, name="Mira Chen", password=password, address=FROM)
    principal = await sessions.find(desk, signed_in.secret.text)
    assert principal is not None
    return principal


async def test_invited_person_becomes_a_member_with_the_role_and_the_spaces(host: Host, desk: Desk, actors: Actors) -> None:
    owner = await actors.sign_in("olga", Role.OWNER)
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    gone = await host.rack.spaces.create(host.workspace.id, "Gone")
    roles = {space.id: SpaceRole.CONTRIBUTOR, gone.id: SpaceRole.VIEWER}
    made = await invitations.create(desk, owner, email=" Mira@Aurora.test", role=Role.ADMIN, spaces=roles)
    await host.rack.spaces.delete(host.workspace.id, gone.id)
    assert made.secret is not None
    offer = await invitations.look(desk, made.secret.text, address=FROM)
    assert ("mira@aurora.test", host.workspace.id, False) == (offer.invitation.email, offer.workspace.id, offer.has_password)
    mira = await accepted(desk, made)
    member = await members.get(desk, owner, mira.member_id or "")
    assert (Role.ADMIN, "Mira Chen", {space.id: SpaceRole.CONTRIBUTOR}) == (member.role, member.name, dict(member.rights.spaces))
    assert await sessions.sign_in(desk, email="mira@aurora.test", password=PASSWORD, address=FROM)
    (told,) = await events.page(desk, host.owner, limit=9, kind="invitation.accepted")
    assert ("Mira Chen", member.id) == (told.actor.name, told.data["member_id"])


async def test_link_works_once_and_not_after_it_was_taken_back_renewed_or_a_week(host: Host, desk: Desk) -> None:
    used, revoked, renewed, late = [await invited(desk, host.owner, f"m{n}@aurora.test") for n in range(4)]
    await accepted(desk, used)
    await invitations.revoke(desk, host.owner, revoked.invitation.id)
    await invitations.revoke(desk, host.owner, revoked.invitation.id)
    again = await invitations.renew(desk, host.owner, renewed.invitation.id)
    for one in (used, revoked, renewed):
        assert one.secret is not None
        with refused(LINK_ENDED):
            await accepted(desk, one)
        with refused(LINK_ENDED):
            await invitations.look(desk, one.secret.text, address=FROM)
    assert await accepted(desk, again)
    with refused(CONFLICT):
        await invitations.revoke(desk, host.owner, used.invitation.id)
    with refused(CONFLICT):
        await invitations.renew(desk, host.owner, revoked.invitation.id)
    host.clock.pass_seconds(invitations.VALID_SECONDS)
    with refused(LINK_ENDED):
        await accepted(desk, late)
    assert "expired" == late.invitation.state(host.clock.now())


async def test_of_two_who_accept_at_once_one_comes_in(host: Host, desk: Desk) -> None:
    made = await invited(desk, host.owner)
    assert made.secret is not None
    both = [invitations.accept(desk, made.secret.text, name=f"M{n}", password=PASSWORD, address=FROM) for n in range(2)]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert [False, True] == sorted(isinstance(one, SignedIn) for one in ended)
    assert [LINK_ENDED] == [one.refusal for one in ended if isinstance(one, Refused)]
    assert 1 == len(await members.page(desk, host.owner, limit=9, search="mira@"))


async def test_login_that_exists_is_joined_only_by_who_proves_it(host: Host, desk: Desk) -> None:
    first = await accepted(desk, await invited(desk, host.owner))
    neighbour = await host.other_workspace()
    there = await operator(desk, neighbour.workspace.id)
    made = await invited(desk, there)
    assert made.secret is not None
    assert (await invitations.look(desk, made.secret.text, address=FROM)).has_password
    with refused(SIGN_IN_FAILED):
        await accepted(desk, made, "another password")
    mallory = await accepted(desk, await invited(desk, host.owner, "mallory@aurora.test"))
    with refused(SIGN_IN_FAILED):
        await invitations.accept(desk, made.secret.text, session=mallory, address=FROM)
    joined = await invitations.accept(desk, made.secret.text, session=first, address=FROM)
    principal = await sessions.find(desk, joined.secret.text)
    assert principal is not None
    assert (neighbour.workspace.id, first.person_id) == (principal.workspace.id, principal.person_id)
    assert ["Neighbour", "VML"] == [one.workspace.name for one in await people.workspaces_of(desk, principal)]
    back = await sessions.switch(desk, principal, host.workspace.id)
    assert await sessions.find(desk, joined.secret.text) is None
    assert host.workspace.id == back.session.workspace_id
    with refused(NOT_FOUND):
        await sessions.switch(desk, mallory, neighbour.workspace.id)


async def test_login_without_a_password_is_taken_by_nobody_with_an_invitation(host: Host, desk: Desk) -> None:
    neighbour = await host.other_workspace()
    await host.rack.members.add(neighbour.workspace.id, email="mira@aurora.test", name="Mira")
    with refused(CONFLICT, "no password"):
        await accepted(desk, await invited(desk, host.owner))


async def test_invitation_of_another_workspace_looks_missing(host: Host, desk: Desk) -> None:
    neighbour = await host.other_workspace()
    theirs = await invited(desk, await operator(desk, neighbour.workspace.id))
    words = set()
    for function in (invitations.get, invitations.revoke, invitations.renew):
        for one in (theirs.invitation.id, "cl9bn00of0000g7l8gcq8c4xk"):
            with refused(NOT_FOUND) as raised:
                await function(desk, host.owner, one)
            words.add(raised.value.detail)
    assert {"There is no such invitation."} == words
    assert [] == await invitations.page(desk, host.owner, limit=9)


async def test_nobody_invites_to_more_than_they_may_give(host: Host, desk: Desk, actors: Actors) -> None:
    admin, plain = await actors.sign_in("bo", Role.ADMIN), await actors.sign_in("cy", Role.MEMBER)
    key = await actors.behind(await host.key(ADMIN_RIGHTS))
    for actor, role in ((plain, Role.MEMBER), (admin, Role.OWNER), (key, Role.ADMIN)):
        with refused(INSUFFICIENT_PERMISSION):
            await invited(desk, actor, role=role)
    with refused(NOT_FOUND, "space"):
        await invitations.create(desk, admin, email="x@acme.test", spaces={"cl9bn00of0000g7l8gcq8c4xk": SpaceRole.VIEWER})
    with refused(INVALID_REQUEST, "email"):
        await invited(desk, admin, "nobody")
    assert await invited(desk, key)
    for email in ("mira@aurora.test", "bo@acme.test"):
        with refused(CONFLICT):
            await invited(desk, admin, email)


async def test_member_gets_the_rights_that_the_invitation_names_and_else_those_of_the_role(host: Host, desk: Desk) -> None:
    chosen: dict[str, Any] = {"org_access": OrgAccess.NONE, "permissions": {"customers": Level.READ, "onboardings": Level.NONE}}
    expected = [Rights(permissions={"customers": Level.READ}), Role.ADMIN.default_rights, Role.MEMBER.default_rights]
    made = [
        await invitations.create(desk, host.owner, email="a@aurora.test", **chosen),
        await invitations.create(desk, host.owner, email="b@aurora.test", role=Role.ADMIN),
        await invitations.create(desk, host.owner, email="c@aurora.test", org_access=OrgAccess.NONE),
    ]
    # One that was made before invitations said more than the role.
    older = made[2].invitation.id
    async with desk.store.changing() as c:
        await c.execute(update(rows).where(rows.c.id == older).values(org_access=None, permissions=None))
    assert expected == [(await invitations.get(desk, host.owner, one.invitation.id)).rights for one in made]
    for one, rights in zip(made, expected, strict=True):
        joined = await accepted(desk, one)
        assert rights == (await members.get(desk, host.owner, joined.member_id or "")).rights


async def test_no_invitation_reaches_further_than_who_makes_it_or_hands_it_over(host: Host, desk: Desk, actors: Actors) -> None:
    admin, key = await actors.sign_in("bo", Role.ADMIN), await actors.behind(await host.key(ADMIN_RIGHTS))
    with refused(INSUFFICIENT_PERMISSION, "makes nobody an admin"):
        await invitations.create(desk, key, email="x@acme.test", org_access=OrgAccess.ADMIN)
    made = await invitations.create(desk, admin, email="x@acme.test", org_access=OrgAccess.ADMIN)
    with refused(INSUFFICIENT_PERMISSION, "makes nobody an admin"):
        await invitations.renew(desk, key, made.invitation.id)
    with refused(CONFLICT, "An owner has org-level Admin"):
        await invitations.create(desk, host.owner, email="y@acme.test", role=Role.OWNER, org_access=OrgAccess.READER)
    for levels in ({"nothing": Level.READ}, {"messages": Level.READ}, {ALL: Level.READ}):
        with refused(INVALID_REQUEST):
            await invitations.create(desk, admin, email="y@acme.test", permissions=levels)


async def test_invitations_end_with_the_say_of_who_made_them(host: Host, desk: Desk, actors: Actors) -> None:
    await actors.sign_in("olga", Role.OWNER)
    made = []
    for number, change in enumerate(({"role": Role.MEMBER}, {"status": MemberStatus.INACTIVE}, None)):
        admin = await actors.sign_in(f"admin{number}", Role.ADMIN)
        made.append(await invited(desk, admin, f"x{number}@acme.test"))
        if change is None:
            await host.rack.members.remove(host.workspace.id, admin.member_id or "")
        else:
            await host.rack.members.edit(host.workspace.id, admin.member_id or "", **change)
    for one in made:
        with refused(LINK_ENDED):
            await accepted(desk, one)


async def test_weak_password_leaves_the_invitation_as_it_was(host: Host, desk: Desk) -> None:
    made = await invited(desk, host.owner)
    with refused(INVALID_REQUEST):
        await accepted(desk, made, "short")
    assert await accepted(desk, made)
    assert 8 <= passwords.PASSWORD_PLACES_MIN
