"""Members: roles are for people, owners for owners, and one owner always stays."""

import asyncio
from typing import Any

import pytest

from keyrack.manage import members, sessions
from keyrack.manage.desk import Desk
from keyrack.model.members import MemberStatus, Role
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND, Refused
from tests.hosts import ADMIN_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused


async def test_role_brings_its_rights_unless_others_are_named(host: Host) -> None:
    plain = await host.rack.members.add(host.workspace.id, email=" Mira@Aurora.Test ", name="Mira Chen")
    assert ("mira@aurora.test", Rights(OrgAccess.READER)) == (plain.email, plain.rights)
    admin = await host.rack.members.add(host.workspace.id, email="a@acme.test", name="Ada", role=Role.ADMIN)
    assert Rights(OrgAccess.ADMIN, {ALL: Level.WRITE}) == admin.rights
    chosen = Rights(permissions={"customers": Level.READ})
    assert chosen == (await host.rack.members.add(host.workspace.id, email="b@acme.test", name="Bo", rights=chosen)).rights


async def test_person_is_one_login_in_several_workspaces_and_one_member_of_each(host: Host) -> None:
    neighbour = await host.other_workspace()
    here = await host.rack.members.add(host.workspace.id, email="mira@aurora.test", name="Mira Chen")
    there = await host.rack.members.add(neighbour.workspace.id, email="MIRA@aurora.test", name="M. C.")
    assert (here.person_id, "Mira Chen") == (there.person_id, there.name)
    with refused(CONFLICT):
        await host.rack.members.add(host.workspace.id, email="mira@aurora.test", name="Mira again")
    assert await host.rack.members.find(host.workspace.id, there.id) is None
    assert there == await host.rack.members.find(neighbour.workspace.id, there.id)


async def test_email_that_is_none_is_refused(host: Host) -> None:
    for email in ("", "mira", "mira@aurora", "mi ra@aurora.test", f"{'m' * 250}@a.test", "m@a.test\nx"):
        with refused(INVALID_REQUEST, "email"):
            await host.rack.members.add(host.workspace.id, email=email, name="Mira")


async def test_demotion_takes_the_rights_of_the_role_and_leaves_the_spaces(host: Host, actors: Actors) -> None:
    owner = await actors.sign_in("olga", Role.OWNER)
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    admin = await host.rack.members.add(host.workspace.id, email="a@acme.test", name="Ada", role=Role.ADMIN)
    await host.rack.spaces.set_role(host.workspace.id, space.id, admin.id, SpaceRole.MANAGER)
    demoted = await host.rack.members.edit(host.workspace.id, admin.id, actor=owner, role=Role.MEMBER)
    assert Rights(OrgAccess.READER, spaces={space.id: SpaceRole.MANAGER}) == demoted.rights
    named = await host.rack.members.edit(host.workspace.id, admin.id, actor=owner, role=Role.ADMIN, org_access=OrgAccess.NONE)
    assert OrgAccess.NONE is named.rights.org_access


async def test_who_can_help_is_who_has_org_level_admin_now_whatever_the_role(host: Host, actors: Actors) -> None:
    workspace_id = host.workspace.id
    owner = await actors.sign_in("olga", Role.OWNER)
    narrowed = await host.rack.members.add(workspace_id, email="ada@acme.test", name="Ada", role=Role.ADMIN)
    await host.rack.members.edit(workspace_id, narrowed.id, actor=owner, org_access=OrgAccess.NONE)
    raised = await host.rack.members.add(workspace_id, email="mira@acme.test", name="Mira", rights=Rights(OrgAccess.ADMIN))
    gone = await host.rack.members.add(workspace_id, email="bo@acme.test", name="Bo", role=Role.ADMIN)
    await host.rack.members.edit(workspace_id, gone.id, actor=owner, status=MemberStatus.INACTIVE)
    everybody = await members.admins(host.rack.assembly.desk, owner, limit=5)
    assert [owner.member_id, raised.id] == [one.id for one in everybody]
    assert everybody[:1] == await members.admins(host.rack.assembly.desk, owner, limit=1)


@pytest.mark.parametrize(
    "change", [{"role": Role.ADMIN}, {"status": MemberStatus.INACTIVE}, {"role": Role.MEMBER, "org_access": OrgAccess.NONE}, None]
)
async def test_last_owner_stays(host: Host, actors: Actors, change: dict[str, Any] | None) -> None:
    owner = await actors.sign_in("olga", Role.OWNER)
    assert owner.member_id is not None
    for actor in (owner, None):
        with refused(CONFLICT, "last owner"):
            if change is None:
                await host.rack.members.remove(host.workspace.id, owner.member_id, actor=actor)
            else:
                await host.rack.members.edit(host.workspace.id, owner.member_id, actor=actor, **change)
    second = await actors.sign_in("oleg", Role.OWNER)
    if change is None:
        await host.rack.members.remove(host.workspace.id, owner.member_id, actor=second)
    else:
        await host.rack.members.edit(host.workspace.id, owner.member_id, actor=second, **change)


async def test_inactive_owner_does_not_count_as_one_who_stays(host: Host, actors: Actors) -> None:
    owner, second = await actors.sign_in("olga", Role.OWNER), await actors.sign_in("oleg", Role.OWNER)
    assert owner.member_id is not None
    assert second.member_id is not None
    await host.rack.members.edit(host.workspace.id, second.member_id, actor=owner, status=MemberStatus.INACTIVE)
    with refused(CONFLICT, "last owner"):
        await host.rack.members.remove(host.workspace.id, owner.member_id, actor=owner)


async def test_owner_has_org_level_admin(host: Host, actors: Actors) -> None:
    owner = await actors.sign_in("olga", Role.OWNER)
    assert owner.member_id is not None
    with refused(CONFLICT, "org-level Admin"):
        await host.rack.members.edit(host.workspace.id, owner.member_id, actor=owner, org_access=OrgAccess.READER)


async def test_admin_changes_roles_below_owner_and_no_owner(host: Host, actors: Actors) -> None:
    owner, admin = await actors.sign_in("olga", Role.OWNER), await actors.sign_in("ada", Role.ADMIN)
    member = await host.rack.members.add(host.workspace.id, email="m@acme.test", name="Mo")
    assert owner.member_id is not None
    assert admin.member_id is not None
    assert Role.ADMIN is (await host.rack.members.edit(host.workspace.id, member.id, actor=admin, role=Role.ADMIN)).role
    for member_id in (member.id, admin.member_id):
        with refused(INSUFFICIENT_PERMISSION, "owner"):
            await host.rack.members.edit(host.workspace.id, member_id, actor=admin, role=Role.OWNER)
    with refused(INSUFFICIENT_PERMISSION, "owner"):
        await host.rack.members.edit(host.workspace.id, owner.member_id, actor=admin, role=Role.MEMBER)
    with refused(INSUFFICIENT_PERMISSION, "owner"):
        await host.rack.members.remove(host.workspace.id, owner.member_id, actor=admin)
    assert Role.OWNER is (await host.rack.members.edit(host.workspace.id, member.id, actor=owner, role=Role.OWNER)).role


async def test_credential_gives_no_role_above_member(host: Host, desk: Desk, actors: Actors) -> None:
    caller = await actors.behind(await host.key(ADMIN_RIGHTS))
    assert Kind.KEY is caller.kind
    with refused(INSUFFICIENT_PERMISSION, "credential"):
        await members.add(desk, caller, email="x@acme.test", name="X", role=Role.ADMIN)
    assert Role.MEMBER is (await members.add(desk, caller, email="x@acme.test", name="X")).role


async def test_member_without_org_level_admin_manages_nobody(host: Host, desk: Desk, actors: Actors) -> None:
    plain = await actors.sign_in("mo", Role.MEMBER)
    assert plain.member_id is not None
    with refused(INSUFFICIENT_PERMISSION):
        await members.page(desk, plain, limit=10)
    with refused(INSUFFICIENT_PERMISSION):
        await members.edit(desk, plain, plain.member_id, org_access=OrgAccess.ADMIN)
    with refused(INSUFFICIENT_PERMISSION):
        await members.add(desk, plain, email="x@acme.test", name="X")


async def test_member_who_was_let_go_or_deactivated_is_signed_out(host: Host, desk: Desk, actors: Actors) -> None:
    await actors.sign_in("olga", Role.OWNER)
    member = await host.rack.members.add(host.workspace.id, email="m@acme.test", name="Mo")
    signed_in = await sessions.redeem(desk, (await sessions.sign_in_link(desk, member.person_id, host.workspace.id)).text)
    assert await sessions.find(desk, signed_in.secret.text) is not None
    await host.rack.members.edit(host.workspace.id, member.id, status=MemberStatus.INACTIVE)
    assert await sessions.find(desk, signed_in.secret.text) is None
    await host.rack.members.edit(host.workspace.id, member.id, status=MemberStatus.ACTIVE)
    assert await sessions.find(desk, signed_in.secret.text) is None
    signed_in = await sessions.redeem(desk, (await sessions.sign_in_link(desk, member.person_id, host.workspace.id)).text)
    assert await sessions.find(desk, signed_in.secret.text) is not None
    await host.rack.members.remove(host.workspace.id, member.id)
    assert await sessions.find(desk, signed_in.secret.text) is None
    with refused(NOT_FOUND):
        await host.rack.members.remove(host.workspace.id, member.id)


async def test_actor_of_another_workspace_changes_nobody_here(host: Host, actors: Actors) -> None:
    neighbour = await host.other_workspace()
    owner = await actors.sign_in("olga", Role.OWNER)
    with refused(NOT_FOUND):
        await host.rack.members.add(neighbour.workspace.id, email="x@acme.test", name="X", actor=owner)
    theirs = await host.rack.members.add(neighbour.workspace.id, email="t@them.test", name="Them")
    with refused(NOT_FOUND):
        await host.rack.members.edit(host.workspace.id, theirs.id, may_use_api=True)


async def test_two_owners_who_demote_each_other_at_once_leave_one(host: Host, actors: Actors) -> None:
    olga, oleg = await actors.sign_in("olga", Role.OWNER), await actors.sign_in("oleg", Role.OWNER)
    for change in ({"role": Role.MEMBER}, {"status": MemberStatus.INACTIVE}, None):
        both = [_let_go(host, one, other, change) for one, other in ((olga, oleg), (oleg, olga))]
        ended = await asyncio.gather(*both, return_exceptions=True)
        assert 1 == len([one for one in ended if isinstance(one, Refused)]), ended
        owners = await host.rack.members.list(host.workspace.id)
        (left,) = [one for one in owners if one.role is Role.OWNER and one.status is MemberStatus.ACTIVE]
        gone = olga if left.id == oleg.member_id else oleg
        if change is not None:
            await host.rack.members.edit(host.workspace.id, gone.member_id or "", role=Role.OWNER, status=MemberStatus.ACTIVE)


async def _let_go(host: Host, actor: Principal, other: Principal, change: dict[str, Any] | None) -> object:
    if change is None:
        return await host.rack.members.remove(host.workspace.id, other.member_id or "", actor=actor)
    return await host.rack.members.edit(host.workspace.id, other.member_id or "", actor=actor, **change)


async def test_member_leaves_and_the_last_owner_stays(host: Host, desk: Desk, actors: Actors) -> None:
    owner, plain = await actors.sign_in("olga", Role.OWNER), await actors.sign_in("mo", Role.MEMBER)
    with refused(CONFLICT, "last owner"):
        await members.leave(desk, owner)
    await members.leave(desk, plain)
    assert await host.rack.members.find(host.workspace.id, plain.member_id or "") is None
    with refused(INSUFFICIENT_PERMISSION):
        await members.leave(desk, await actors.behind(await host.key(ADMIN_RIGHTS)))


async def test_owner_hands_the_workspace_over_in_one_change(host: Host, desk: Desk, actors: Actors) -> None:
    owner, admin = await actors.sign_in("olga", Role.OWNER), await actors.sign_in("ada", Role.ADMIN)
    idle = await host.rack.members.add(host.workspace.id, email="idle@acme.test", name="Idle")
    await host.rack.members.edit(host.workspace.id, idle.id, status=MemberStatus.INACTIVE)
    for heir in (idle.id, owner.member_id or ""):
        with refused(CONFLICT):
            await members.transfer(desk, owner, heir)
    for actor in (admin, await actors.behind(await host.key(ADMIN_RIGHTS)), host.owner):
        with refused(INSUFFICIENT_PERMISSION):
            await members.transfer(desk, actor, admin.member_id or "")
    assert Role.OWNER is (await members.transfer(desk, owner, admin.member_id or "")).role
    before = await members.get(desk, host.owner, owner.member_id or "")
    assert (Role.ADMIN, OrgAccess.ADMIN) == (before.role, before.rights.org_access)
    with refused(INSUFFICIENT_PERMISSION):
        await members.transfer(desk, owner, idle.id)


async def test_partner_is_shown_and_taken_away(host: Host) -> None:
    member = await host.rack.members.add(host.workspace.id, email="p@agency.test", name="Pat")
    assert "Agency Ltd" == (await host.rack.members.edit(host.workspace.id, member.id, partner=" Agency Ltd ")).partner
    assert (await host.rack.members.edit(host.workspace.id, member.id, partner="")).partner is None
    with refused(INVALID_REQUEST):
        await host.rack.members.edit(host.workspace.id, member.id, partner="x" * 101)
