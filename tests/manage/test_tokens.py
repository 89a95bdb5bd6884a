"""Personal tokens: a member's own, bounded by what they may do at that moment, and over when they may no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyrack.crypto.digest import digest
from keyrack.manage import events, members, own_access, tokens, workspaces
from keyrack.manage.desk import Desk
from keyrack.manage.people import acting_as
from keyrack.manage.tokens import Issued
from keyrack.model.brands import Brand
from keyrack.model.members import MemberStatus, Role
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Kind, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND
from tests.backends import Backend
from tests.hosts import Host, running
from tests.manage.conftest import Actors
from tests.manage.refused import refused

PATH = "/api/v1/customers"
READS = Rights(permissions={"customers": Level.READ})
WRITES = Rights(permissions={"customers": Level.WRITE})
DAY = 24 * 3600 * 1000


class People:
    """Members who sign in, with the right to use the API."""

    def __init__(self, host: Host, actors: Actors) -> None:
        self._host, self._actors = host, actors

    async def sign_in(self, name: str = "Cy", role: Role = Role.MEMBER, **fields: Any) -> Principal:
        """Add a member, let them use the API, and sign them in."""
        session = await self._actors.sign_in(name, role)
        await self.edit(session, may_use_api=True, **fields)
        return session

    async def edit(self, session: Principal, **fields: Any) -> None:
        """Change what somebody may do."""
        await members.edit(self._host.rack.assembly.desk, self._host.owner, session.member_id or "", **fields)

    async def behind(self, issued: Issued) -> Principal:
        """Return whom a token proves at this moment."""
        found = await self._host.rack.assembly.look_ups.prove(digest(issued.secret.text.encode()))
        assert found is not None
        return found


@pytest.fixture
def people(host: Host, actors: Actors) -> People:
    """Who can hold tokens."""
    return People(host, actors)


async def status(host: Host, issued: Issued, method: str = "GET", path: str = PATH, **options: Any) -> int:
    """What a call with a token is answered."""
    return (await host.send(method, path, issued.secret.text, **options)).status_code


async def told(host: Host, issued: Issued) -> tuple[str, str]:
    """The code and the words of a refusal."""
    answer = (await host.get(PATH, issued.secret.text)).json()
    return answer["code"], answer["detail"]


async def test_default_token_reaches_what_its_member_may_do_in_each_header(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    issued = await tokens.generate(desk, cy)
    assert issued.secret.text.startswith("acme_pat_")
    for name in ("x-api-token", "x-api-key"):
        assert 200 == (await host.get(PATH, headers={name: issued.secret.text})).status_code
    assert [200, 403] == [await status(host, issued), await status(host, issued, "POST", json={"name": "x"})]
    me = (await host.get("/api/v1/me", issued.secret.text)).json()
    assert ("personal_token_identity", "Default token", cy.member_id, "Cy") == tuple(
        me[name] for name in ("object", "key_name", "member_id", "member_name")
    )


async def test_generating_ends_the_token_before_and_unless_told_otherwise_the_named_ones(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    first, named = await tokens.generate(desk, cy), await tokens.create(desk, cy, name="Zapier", rights=READS)
    second = await tokens.generate(desk, cy, end_named=False)
    assert [401, 200, 200] == [await status(host, one) for one in (first, second, named)]
    third = await tokens.generate(desk, cy)
    assert [401, 401, 200] == [await status(host, one) for one in (second, named, third)]
    code, words = await told(host, second)
    assert ("token_revoked", True) == (code, "Cy generated a new one" in words)
    assert 2 == len(third.ended)


async def test_of_two_who_generate_at_once_one_default_token_goes_on(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    issued = await asyncio.gather(*[tokens.generate(desk, cy) for _ in range(6)])
    assert sorted([200, *[401] * 5]) == sorted([await status(host, one) for one in issued])
    assert [True] == [one.token.is_default for one in await tokens.own(desk, cy)]


@pytest.mark.parametrize("change", ["revoke", "forbid", "deactivate", "remove"])
async def test_token_is_refused_when_the_change_that_ends_it_returns(host: Host, desk: Desk, people: People, change: str) -> None:
    cy, bo = await people.sign_in("Cy"), await people.sign_in("Bo")
    issued, other = [await tokens.generate(desk, one) for one in (cy, bo)]
    named = await tokens.create(desk, cy, name="Zapier", rights=READS)
    assert [200, 200, 200] == [await status(host, one) for one in (issued, named, other)]
    ends: dict[str, Callable[[], Awaitable[object]]] = {
        "revoke": lambda: tokens.revoke(desk, cy, issued.held.id),
        "forbid": lambda: people.edit(cy, may_use_api=False),
        "deactivate": lambda: people.edit(cy, status=MemberStatus.INACTIVE),
        "remove": lambda: members.remove(desk, host.owner, cy.member_id or ""),
    }
    await ends[change]()
    assert [401, 200 if change == "revoke" else 401, 200] == [await status(host, one) for one in (issued, named, other)]
    assert "token_revoked" == (await told(host, issued))[0]
    ended = await events.page(desk, host.owner, limit=9, kind="token.ended")
    assert {issued.held.id, *([named.held.id] if change != "revoke" else [])} == {event.object_id for event in ended}


async def test_right_that_is_given_back_brings_no_token_back(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    issued = await tokens.generate(desk, cy)
    for fields in ({"may_use_api": False}, {"may_use_api": True}, {"status": MemberStatus.INACTIVE}, {"status": MemberStatus.ACTIVE}):
        await people.edit(cy, **fields)
        assert 401 == await status(host, issued)


async def test_membership_that_ends_by_the_clock_takes_its_tokens_along(host: Host, desk: Desk, people: People) -> None:
    until = host.clock.now() + DAY
    cy = await people.sign_in(access_until=until)
    issued = await tokens.generate(desk, cy)
    host.clock.set(until - 1)
    assert 200 == await status(host, issued)
    host.clock.set(until)
    code, words = await told(host, issued)
    assert ("token_revoked", True) == (code, "Cy has access until" in words)


async def test_named_token_ends_after_90_days_unless_another_end_is_given(host: Host, desk: Desk, people: People) -> None:
    cy, now = await people.sign_in(), host.clock.now()
    usual = await tokens.create(desk, cy, name="usual", rights=READS)
    short = await tokens.create(desk, cy, name="short", rights=READS, expires_at=now + DAY)
    assert [now + 90 * DAY, now + DAY] == [one.held.token.expires_at for one in (usual, short)]
    host.clock.set(now + DAY)
    assert [200, 401] == [await status(host, one) for one in (usual, short)]
    assert "token_expired" == (await told(host, short))[0]
    for wrong in (now, host.clock.now() + 366 * DAY):
        with refused(INVALID_REQUEST) as raised:
            await tokens.create(desk, cy, name="wrong", rights=READS, expires_at=wrong)
        assert "expires_at" == raised.value.param


async def test_member_whose_rights_shrink_takes_them_from_the_token_before_its_next_call(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in(org_access=OrgAccess.NONE, permissions={"customers": Level.WRITE})
    session = await refreshed(host, cy)
    default, named = await tokens.generate(desk, session), await tokens.create(desk, session, name="writer", rights=WRITES)
    for level, expected in ((Level.WRITE, [200, 201]), (Level.READ, [200, 403]), (Level.NONE, [403, 403]), (Level.WRITE, [200, 201])):
        await people.edit(cy, permissions={"customers": level})
        for token in (default, named):
            assert expected == [await status(host, token), await status(host, token, "POST", json={"name": "x"})]


async def refreshed(host: Host, session: Principal) -> Principal:
    """Return a signed-in member with the rights of this moment."""
    member = await host.rack.members.find(host.workspace.id, session.member_id or "")
    assert member is not None
    return Principal(**{name: getattr(session, name) for name in Principal.__slots__} | {"rights": member.rights})


async def test_named_token_reaches_what_both_it_and_its_member_have(host: Host, desk: Desk, people: People) -> None:
    space, other = [await host.rack.spaces.create(host.workspace.id, name) for name in ("Launch", "Board")]
    rights = Rights(OrgAccess.READER, {ALL: Level.WRITE}, {space.id: SpaceRole.MANAGER})
    cy = await people.sign_in(org_access=rights.org_access, permissions=rights.permissions, spaces=rights.spaces)
    session = await refreshed(host, cy)
    chosen = Rights(permissions={"onboardings": Level.READ}, spaces={space.id: SpaceRole.VIEWER})
    named = await tokens.create(desk, session, name="narrow", rights=chosen)
    principal = await people.behind(named)
    assert chosen == principal.rights
    assert {space.id: SpaceRole.VIEWER} == principal.masks.spaces
    everything = await people.behind(await tokens.generate(desk, session))
    assert (rights, {space.id: SpaceRole.MANAGER, other.id: SpaceRole.CONTRIBUTOR}) == (everything.rights, everything.masks.spaces)
    await host.rack.spaces.delete(host.workspace.id, space.id)
    assert {} == (await people.behind(named)).masks.spaces


@pytest.mark.parametrize(
    "rights",
    [
        WRITES,
        Rights(OrgAccess.ADMIN),
        Rights(permissions={ALL: Level.WRITE}),
    ],
)
async def test_nobody_makes_a_token_with_more_than_they_have(desk: Desk, people: People, rights: Rights) -> None:
    cy = await people.sign_in()
    with refused(INSUFFICIENT_PERMISSION, "Nobody can give more"):
        await tokens.create(desk, cy, name="more", rights=rights)


async def test_token_without_rights_or_in_a_strange_space_is_none(host: Host, desk: Desk, actors: Actors, people: People) -> None:
    ada = await people.sign_in("Ada", Role.ADMIN)
    with refused(INVALID_REQUEST, "Say what"):
        await tokens.create(desk, ada, name="nothing", rights=Rights())
    neighbour = await host.other_workspace()
    theirs = await host.rack.spaces.create(neighbour.workspace.id, "Theirs")
    with refused(NOT_FOUND, "space"):
        await tokens.create(desk, ada, name="strange", rights=Rights(spaces={theirs.id: SpaceRole.VIEWER}))


async def test_who_may_not_use_the_api_and_who_is_no_member_makes_no_token(host: Host, desk: Desk, actors: Actors, people: People) -> None:
    dee = await actors.sign_in("Dee", Role.ADMIN)
    admin = await actors.behind(await host.key(Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})))
    for actor in (dee, admin, host.owner):
        for making in (tokens.generate(desk, actor), tokens.create(desk, actor, name="x", rights=READS)):
            with refused(INSUFFICIENT_PERMISSION):
                await making
    cy = await people.sign_in()
    await people.edit(cy, may_use_api=False)
    with refused(INSUFFICIENT_PERMISSION, "may not use the API"):
        await tokens.generate(desk, cy)


async def test_session_of_another_product_makes_none_and_ends_nothing_elsewhere(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    framed = replace(cy, through_key_id=(await host.key()).key.id)
    for doing in (
        tokens.generate(desk, framed),
        tokens.create(desk, framed, name="x", rights=READS),
        own_access.held(desk, framed),
        own_access.revoke_all(desk, framed),
    ):
        with refused(INSUFFICIENT_PERMISSION, "by yourself"):
            await doing


async def test_brand_without_personal_tokens_makes_none(empty_backend: Backend, tmp_path: Path) -> None:
    async with running(empty_backend, tmp_path, Brand("Pivot", "pivot", personal_tokens=False)) as host:
        desk = host.rack.assembly.desk
        member = await host.rack.members.add(host.workspace.id, email="cy@acme.test", name="Cy", may_use_api=True)
        with refused(NOT_FOUND, "no personal tokens"):
            await tokens.generate(desk, acting_as(desk, host.workspace, member.id, "Cy"))


async def test_only_a_default_token_makes_tokens_and_they_end_with_it(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    default = await tokens.generate(desk, cy)
    made = await tokens.create(desk, await people.behind(default), name="made", rights=READS)
    kept = await tokens.create(desk, cy, name="kept", rights=READS)
    assert [default.held.id, None] == [one.held.token.made_with for one in (made, kept)]
    for making in (
        tokens.create(desk, await people.behind(made), name="third", rights=READS),
        tokens.generate(desk, await people.behind(kept)),
    ):
        with refused(INSUFFICIENT_PERMISSION, "only a member's default token"):
            await making
    successor = await tokens.generate(desk, await people.behind(default), end_named=False)
    assert [401, 401, 200, 200] == [await status(host, one) for one in (default, made, kept, successor)]
    assert "the token that it was made with ended" in (await told(host, made))[1]


async def test_ended_token_makes_nothing_though_its_call_was_let_in(desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    default = await tokens.generate(desk, cy)
    principal = await people.behind(default)
    await tokens.revoke(desk, cy, default.held.id)
    for making in (tokens.generate(desk, principal), tokens.create(desk, principal, name="late", rights=READS)):
        with refused(INSUFFICIENT_PERMISSION):
            await making


async def test_others_tokens_are_seen_and_ended_by_admins_alone(host: Host, desk: Desk, actors: Actors, people: People) -> None:
    cy, bo = await people.sign_in("Cy"), await people.sign_in("Bo")
    theirs = await tokens.generate(desk, bo)
    narrow = await people.behind(await tokens.create(desk, cy, name="narrow", rights=READS))
    own = await tokens.generate(desk, cy, end_named=False)
    for actor in (cy, narrow, await people.behind(own), await actors.behind(await host.key())):
        for doing in (tokens.get(desk, actor, theirs.held.id), tokens.revoke(desk, actor, theirs.held.id)):
            with refused(NOT_FOUND, "no such token"):
                await doing
        assert theirs.held.id not in [one.token.id for one in await tokens.page(desk, actor, limit=9)]
    with refused(NOT_FOUND):
        await tokens.revoke(desk, narrow, own.held.id)
    assert [narrow.credential_id] == [one.token.id for one in await tokens.page(desk, narrow, limit=1)]
    admin = await actors.behind(await host.key(Rights(OrgAccess.ADMIN)))
    assert 3 == len(await tokens.page(desk, admin, limit=9))
    await tokens.revoke(desk, admin, theirs.held.id)
    assert [401, 200] == [await status(host, one) for one in (theirs, own)]
    await tokens.revoke(desk, narrow, narrow.credential_id)


async def test_another_workspaces_tokens_look_like_missing_ones(host: Host, desk: Desk, people: People) -> None:
    issued = await tokens.generate(desk, await people.sign_in())
    neighbour = await host.other_workspace()
    stranger = await host.rack.workspaces.operator(neighbour.workspace.id)
    for doing in (tokens.get(desk, stranger, issued.held.id), tokens.revoke(desk, stranger, issued.held.id)):
        with refused(NOT_FOUND, "no such token"):
            await doing
    assert [] == await tokens.page(desk, stranger, limit=9)
    assert 200 == await status(host, issued)


async def test_toggle_and_plan_cover_tokens(host: Host, desk: Desk, people: People) -> None:
    issued = await tokens.generate(desk, await people.sign_in())
    await workspaces.switch_api(desk, host.owner, False)
    assert "api_disabled" == (await told(host, issued))[0]
    await workspaces.switch_api(desk, host.owner, True)
    assert 200 == await status(host, issued)
    await host.rack.workspaces.set_plan(host.workspace.id, "free")
    assert "plan_upgrade_required" == (await told(host, issued))[0]


async def test_member_has_fifty_named_tokens_at_most_expired_or_not(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    for number in range(50):
        await tokens.create(desk, cy, name=f"token {number}", rights=READS, expires_at=host.clock.now() + 1000)
    host.clock.pass_seconds(2)
    with refused(CONFLICT, "50 named tokens"):
        await tokens.create(desk, cy, name="one more", rights=READS)


async def test_token_in_a_url_is_refused_with_why(host: Host, desk: Desk, people: People) -> None:
    issued = await tokens.generate(desk, await people.sign_in())
    for url in (f"{PATH}?api_token={issued.secret.text}", f"{PATH}?search={issued.secret.text}", f"{PATH}?api_token=anything"):
        answer = await host.get(url, issued.secret.text)
        assert (400, "key_in_url") == (answer.status_code, answer.json()["code"])
        assert issued.secret.text not in answer.text
        assert ("api_token" in url) == ("`api_token`" in answer.json()["detail"])


async def test_calls_are_logged_under_the_member(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    issued = await tokens.generate(desk, cy)
    answer = await host.get(PATH, issued.secret.text)
    await tokens.revoke(desk, cy, issued.held.id)
    after = await host.get(PATH, issued.secret.text)
    admin = await host.key(Rights(OrgAccess.ADMIN))
    for one, code in ((answer, None), (after, "token_revoked")):
        line = (await host.get(f"/api/v1/logs/{one.headers['x-request-id']}", admin)).json()
        assert (Kind.PERSONAL_TOKEN, issued.held.id, cy.member_id, "Cy (Default token)", code) == tuple(
            line[name] for name in ("credential_kind", "credential_id", "member_id", "credential_name", "code")
        )
    assert issued.secret.text not in repr(issued)


async def test_narrow_token_learns_nothing_of_what_the_others_call(host: Host, desk: Desk, people: People) -> None:
    cy = await people.sign_in()
    default, narrow = await tokens.generate(desk, cy), await tokens.create(desk, cy, name="narrow", rights=READS)
    asked = await host.get(f"{PATH}/c1", default.secret.text)
    log = f"/api/v1/logs/{asked.headers['x-request-id']}"
    assert [200, 404] == [await status(host, one, path=log) for one in (default, narrow)]


async def test_credential_gives_no_admin_longer_access(host: Host, desk: Desk, actors: Actors, people: People) -> None:
    bo = await people.sign_in("Bo", Role.ADMIN, access_until=host.clock.now() + DAY)
    admin = await actors.behind(await host.key(Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})))
    for later in (None, host.clock.now() + 2 * DAY):
        with refused(INSUFFICIENT_PERMISSION, "makes nobody an admin"):
            await members.edit(desk, admin, bo.member_id or "", access_until=later)
    await members.edit(desk, admin, bo.member_id or "", access_until=host.clock.now() + 1000)
    await people.edit(bo, access_until=None)


async def test_owners_access_has_no_end(desk: Desk, host: Host, people: People) -> None:
    ada = await people.sign_in("Ada", Role.OWNER)
    with refused(CONFLICT, "no end"):
        await people.edit(ada, access_until=host.clock.now() + DAY)
