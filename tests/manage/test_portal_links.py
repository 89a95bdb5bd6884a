"""Portal links: one member, once, within the minute, and never further than the key that asked."""

import asyncio

import pytest

from keyrack.manage import keys, members, portal_links, revealing, sessions, workspaces
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Issued
from keyrack.manage.sessions import SignedIn
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.permissions import Level, OrgAccess, Rights
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, LINK_ENDED, NOT_FOUND, PROOF_REQUIRED
from tests.hosts import ADMIN_RIGHTS, ALL_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused


@pytest.fixture
async def owner(host: Host) -> Member:
    """An owner."""
    return await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada", role=Role.OWNER)


@pytest.fixture
async def admin_key(host: Host) -> Issued:
    """The key with which the host asks for links."""
    return await host.key(ADMIN_RIGHTS, name="host")


async def opened(desk: Desk, caller: Principal, member: Member, auth_time: int | None = None) -> tuple[SignedIn, Principal]:
    """Ask for a link, and follow it."""
    made = await portal_links.create(desk, caller, member_id=member.id, auth_time=auth_time)
    signed_in = await portal_links.redeem(desk, made.secret.text)
    found = await sessions.find(desk, signed_in.secret.text)
    assert found is not None
    return signed_in, found


async def test_link_opens_a_session_of_the_member_once(host: Host, desk: Desk, actors: Actors, owner: Member, admin_key: Issued) -> None:
    made = await portal_links.create(desk, await actors.behind(admin_key), member_id=owner.id)
    follow = [portal_links.redeem(desk, made.secret.text) for _ in range(3)]
    ended = await asyncio.gather(*follow, return_exceptions=True)
    (signed_in,) = [one for one in ended if isinstance(one, SignedIn)]
    found = await sessions.find(desk, signed_in.secret.text)
    assert found is not None
    assert (owner.id, admin_key.key.id, 0) == (found.member_id, found.through_key_id, found.proved_at)


async def test_link_ends_within_the_minute(host: Host, desk: Desk, actors: Actors, owner: Member, admin_key: Issued) -> None:
    caller = await actors.behind(admin_key)
    made = await portal_links.create(desk, caller, member_id=owner.id)
    host.clock.pass_seconds(60)
    with refused(LINK_ENDED):
        await portal_links.redeem(desk, made.secret.text)
    for seconds in (0, 61):
        with refused(INVALID_REQUEST):
            await portal_links.create(desk, caller, member_id=owner.id, valid_seconds=seconds)


async def test_session_reaches_no_further_than_key_and_member_at_each_moment(
    host: Host, desk: Desk, actors: Actors, owner: Member, admin_key: Issued
) -> None:
    caller = await actors.behind(admin_key)
    plain = await host.rack.members.add(
        host.workspace.id, email="cy@acme.test", name="Cy", rights=Rights(permissions={"customers": Level.READ})
    )
    signed_in, session = await opened(desk, caller, owner)
    assert session.is_admin
    assert not (await opened(desk, caller, plain))[1].is_admin
    await host.edit_rights(admin_key, Rights(OrgAccess.NONE, {"customers": Level.READ}))
    narrowed = await sessions.find(desk, signed_in.secret.text)
    assert narrowed is not None
    assert Rights(OrgAccess.NONE, {"customers": Level.READ}) == narrowed.rights
    await keys.revoke(desk, host.owner, admin_key.key.id)
    assert await sessions.find(desk, signed_in.secret.text) is None


async def test_session_does_nothing_that_a_credential_never_does(
    host: Host, desk: Desk, actors: Actors, owner: Member, admin_key: Issued
) -> None:
    other = await host.rack.members.add(host.workspace.id, email="cy@acme.test", name="Cy")
    _, session = await opened(desk, await actors.behind(admin_key), owner, host.clock.now())
    await workspaces.switch_api(desk, session, False)
    for attempt in (
        workspaces.switch_api(desk, session, True),
        members.edit(desk, session, other.id, role=Role.ADMIN),
        members.transfer(desk, session, other.id),
        members.leave(desk, session),
        revealing.switch(desk, session, True),
        sessions.end_all(desk, session),
        portal_links.create(desk, session, member_id=other.id),
    ):
        with refused(INSUFFICIENT_PERMISSION):
            await attempt
    with refused(NOT_FOUND):
        await sessions.switch(desk, session, host.workspace.id)


async def test_proof_that_the_host_saw_holds_for_ten_minutes_from_then(
    host: Host, desk: Desk, actors: Actors, owner: Member, admin_key: Issued
) -> None:
    caller, now = await actors.behind(admin_key), host.clock.now()
    for auth_time in (now, now + 4000, now - 599_000):
        sessions.require_proof(desk, (await opened(desk, caller, owner, auth_time))[1])
    for old in (now - 601_000, None):
        with refused(PROOF_REQUIRED):
            sessions.require_proof(desk, (await opened(desk, caller, owner, old))[1])
    with refused(INVALID_REQUEST, "future"):
        await opened(desk, caller, owner, now + 60_000)


async def test_link_is_made_by_an_admin_key_for_an_active_member_of_its_workspace(
    host: Host, desk: Desk, actors: Actors, owner: Member, admin_key: Issued
) -> None:
    caller = await actors.behind(admin_key)
    for actor in (await actors.behind(await host.key(ALL_RIGHTS)), await actors.sign_in("bo", Role.ADMIN), host.owner):
        with refused(INSUFFICIENT_PERMISSION):
            await portal_links.create(desk, actor, member_id=owner.id)
    theirs = await host.rack.members.add((await host.other_workspace()).workspace.id, email="t@them.test", name="Them")
    with refused(NOT_FOUND):
        await portal_links.create(desk, caller, member_id=theirs.id)
    idle = await host.rack.members.add(host.workspace.id, email="idle@acme.test", name="Idle")
    made = await portal_links.create(desk, caller, member_id=idle.id)
    await host.rack.members.edit(host.workspace.id, idle.id, status=MemberStatus.INACTIVE)
    with refused(LINK_ENDED):
        await portal_links.redeem(desk, made.secret.text)
    with refused(CONFLICT):
        await portal_links.create(desk, caller, member_id=idle.id)
    with refused(INVALID_REQUEST, "origin"):
        await portal_links.create(desk, caller, member_id=owner.id, origin="https://evil.example")


async def test_session_of_a_test_key_is_a_test_session(host: Host, desk: Desk, actors: Actors, owner: Member) -> None:
    key = await host.key(ADMIN_RIGHTS, name="test", mode=Mode.TEST)
    assert Mode.TEST is (await opened(desk, await actors.behind(key), owner))[1].mode
