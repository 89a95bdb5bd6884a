"""What one person or one partner holds is ended in one change, and what somebody holds everywhere by themselves."""

import asyncio

import pytest

from keyrack.manage import access, integrations, keys, members, own_access, sessions, tokens
from keyrack.manage.desk import Desk
from keyrack.model.members import MemberStatus, Role
from keyrack.model.permissions import Level, OrgAccess, Rights
from keyrack.model.principals import Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND, Refused
from keyrack.store import changes
from tests.hosts import Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

PARTNER = "Northwind & Söhne"
READS = Rights(permissions={"customers": Level.READ})


@pytest.fixture
async def cy(host: Host, actors: Actors) -> Principal:
    """A partner's member who may use the API."""
    return await member(host, actors, "Cy", partner=PARTNER)


async def member(host: Host, actors: Actors, name: str, **fields: object) -> Principal:
    session = await actors.sign_in(name, Role.MEMBER)
    await members.edit(host.rack.assembly.desk, host.owner, session.member_id or "", may_use_api=True, **fields)
    return session


async def status(host: Host, *issued: tokens.Issued | keys.Issued) -> list[int]:
    return [(await host.get("/api/v1/me", one.secret.text)).status_code for one in issued]


async def revision(desk: Desk) -> int:
    async with desk.store.reading() as c:
        return await changes.newest(c)


async def test_partner_is_locked_out_in_one_change(host: Host, desk: Desk, actors: Actors, cy: Principal) -> None:
    other = await member(host, actors, "Bo")
    theirs = [await tokens.generate(desk, cy), await tokens.create(desk, cy, name="Zapier", rights=READS)]
    key, ours = await host.key(name="Northwind sync"), await tokens.generate(desk, other)
    rotated = await keys.rotate(desk, host.owner, key.key.id, overlap_seconds=3600)
    await integrations.edit(desk, host.owner, key.key.integration_id, partner=PARTNER)
    assert [200] * 5 == await status(host, *theirs, key, rotated, ours)
    before = await revision(desk)
    found = await access.revoke(desk, host.owner, partner=PARTNER)
    assert (2, 1, before + 1) == (len(found.tokens), len(found.integrations), await revision(desk))
    assert [401, 401, 401, 401, 200] == await status(host, *theirs, key, rotated, ours)
    with refused(INSUFFICIENT_PERMISSION, "may not use the API"):
        await tokens.generate(desk, cy)
    assert [PARTNER] == await access.partners(desk, host.owner)
    again = await access.revoke(desk, host.owner, partner=PARTNER)
    assert ((), 0) == (tuple(again.tokens), again.keys)


async def test_token_that_is_made_while_its_member_is_locked_out_does_not_survive(host: Host, desk: Desk, cy: Principal) -> None:
    first = await tokens.generate(desk, cy)

    async def generate() -> tokens.Issued | None:
        try:
            return await tokens.generate(desk, cy)
        except Refused as error:
            if error.refusal is not INSUFFICIENT_PERMISSION:
                raise
            return None

    made, *_ = await asyncio.gather(generate(), access.revoke(desk, host.owner, member_id=cy.member_id), generate())
    assert [401] == await status(host, first)
    assert made is None or [401] == await status(host, made)
    assert [] == [one.token.id for one in await tokens.page(desk, host.owner, limit=9, ended=False)]


async def test_only_an_admin_ends_what_others_hold_and_nobody_in_another_workspace(host: Host, desk: Desk, cy: Principal) -> None:
    neighbour = await host.other_workspace()
    stranger = await host.rack.workspaces.operator(neighbour.workspace.id)
    for whose in ({"member_id": cy.member_id}, {"partner": PARTNER}):
        with refused(INSUFFICIENT_PERMISSION, "org-level Admin"):
            await access.revoke(desk, cy, **whose)
        with refused(NOT_FOUND):
            await access.revoke(desk, stranger, **whose)
    assert [] == await access.partners(desk, stranger)


async def in_another_workspace(host: Host, session: Principal, email: str) -> Principal:
    """Sign the person behind a session in to another workspace, in which they may use the API."""
    desk = host.rack.assembly.desk
    workspace = await host.rack.workspaces.create("Elsewhere", slug="elsewhere")
    there = await host.rack.members.add(workspace.id, email=email, name="Cy", may_use_api=True)
    assert there.person_id == session.person_id
    link = await sessions.sign_in_link(desk, there.person_id, workspace.id)
    found = await sessions.find(desk, (await sessions.redeem(desk, link.text)).secret.text)
    assert found is not None
    return found


async def test_person_ends_what_they_hold_everywhere_also_where_they_may_act_no_more(host: Host, desk: Desk, cy: Principal) -> None:
    there = await in_another_workspace(host, cy, "cy@acme.test")
    here, elsewhere = await tokens.generate(desk, cy), await tokens.generate(desk, there)
    seen = [(one.workspace.id, [each.token.id for each in one.tokens]) for one in await own_access.held(desk, cy)]
    assert sorted([(cy.workspace.id, [here.held.id]), (there.workspace.id, [elsewhere.held.id])]) == sorted(seen)
    until = host.clock.now() + 60_000
    await members.edit(desk, await host.rack.workspaces.operator(there.workspace.id), there.member_id or "", access_until=until)
    host.clock.set(until)
    assert 2 == await own_access.revoke_all(desk, cy)
    assert [401, 401] == await status(host, here, elsewhere)
    assert 0 == await own_access.revoke_all(desk, cy)


async def test_nobody_ends_what_another_person_holds(host: Host, desk: Desk, actors: Actors, cy: Principal) -> None:
    theirs = await tokens.generate(desk, await member(host, actors, "Bo"))
    for doing in (own_access.revoke(desk, cy, theirs.held.id), own_access.find(desk, cy, theirs.held.id)):
        with refused(NOT_FOUND, "no such token"):
            await doing
    token = await actors.behind(await host.key(Rights(OrgAccess.ADMIN)))
    with refused(INSUFFICIENT_PERMISSION, "by yourself"):
        await own_access.revoke_all(desk, token)
    assert [200] == await status(host, theirs)


async def test_former_members_are_told_from_active_ones(host: Host, desk: Desk, actors: Actors, cy: Principal) -> None:
    bo, dee = await member(host, actors, "Bo"), await member(host, actors, "Dee")
    for one in (cy, bo, dee):
        await tokens.generate(desk, one)
    await members.edit(desk, host.owner, bo.member_id or "", status=MemberStatus.INACTIVE)
    await members.remove(desk, host.owner, dee.member_id or "")
    found = {
        (former, ended): {one.held.name for one in await tokens.page(desk, host.owner, limit=9, former=former, ended=ended)}
        for former in (True, False)
        for ended in (True, False)
    }
    assert {(True, True): {"Bo", "Dee"}, (True, False): set(), (False, True): set(), (False, False): {"Cy"}} == found
    assert ["Cy"] == [one.held.name for one in await tokens.page(desk, host.owner, limit=9, partner=PARTNER)]
