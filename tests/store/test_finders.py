"""What is saved is what is found, page after page."""

from dataclasses import replace

import pytest

from keyrack.model.keys import EndReason
from keyrack.model.members import MemberStatus, Role
from keyrack.model.orders import Place
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Mode
from keyrack.model.refusals import CONFLICT, NOT_FOUND, Refused
from keyrack.model.spaces import Holder
from keyrack.model.workspaces import Workspace
from keyrack.store import integrations, keys, members, people, spaces, workspaces
from keyrack.store.database import Connection, Store
from keyrack.store.ids import new_id
from tests.store.nouns import NOW, a_key, a_member, a_person, a_space, a_workspace, an_integration


async def test_a_workspace_is_found_as_it_was_saved(store: Store, acme: Workspace) -> None:
    saved = replace(acme, name="Acme 2", plan="pro", api_enabled=False, updated_at=NOW + 1)
    async with store.changing() as c:
        await workspaces.save(c, saved)
    async with store.reading() as c:
        assert await workspaces.get(c, acme.id) == saved


async def test_a_deleted_workspace_is_not_found(store: Store, acme: Workspace) -> None:
    async with store.changing() as c:
        await workspaces.save(c, replace(acme, deleted_at=NOW))
    with pytest.raises(Refused) as refused:
        async with store.reading() as c:
            await workspaces.get(c, acme.id)
    assert refused.value.refusal is NOT_FOUND


async def test_two_workspaces_never_share_a_slug(store: Store, acme: Workspace, other: Workspace) -> None:
    for attempt, workspace in ((workspaces.add, a_workspace("acme")), (workspaces.save, replace(other, slug="acme"))):
        with pytest.raises(Refused) as refused:
            async with store.changing() as c:
                await attempt(c, workspace)
        assert (refused.value.refusal, refused.value.param) == (CONFLICT, "slug")


async def test_a_member_is_found_with_name_email_and_rights(store: Store, acme: Workspace) -> None:
    space, person = a_space(acme.id), a_person("ada@example.com")
    rights = Rights(OrgAccess.READER, {"customers": Level.WRITE, "leads": Level.READ}, {space.id: SpaceRole.MANAGER})
    member = a_member(acme.id, person, rights=rights, role=Role.ADMIN, access_until=NOW + 5)
    async with store.changing() as c:
        await spaces.add(c, space, made_by="someone")
        await people.add(c, person)
        await members.add(c, member)
        saved = replace(member, status=MemberStatus.INACTIVE, may_use_api=False, rights=Rights(permissions={ALL: Level.WRITE}))
    async with store.reading() as c:
        assert await members.get(c, acme.id, member.id) == member
        assert await members.of_person(c, acme.id, person.id) == member
        assert await people.get(c, acme.id, person.id) == person
    async with store.changing() as c:
        await members.save(c, saved)
    async with store.reading() as c:
        assert await members.get(c, acme.id, member.id) == saved


async def test_a_person_is_one_member_of_a_workspace_and_one_login(store: Store, acme: Workspace) -> None:
    person = a_person("ada@example.com")
    async with store.changing() as c:
        await people.add(c, person)
        await members.add(c, a_member(acme.id, person))
    with pytest.raises(Refused, match="conflict"):
        async with store.changing() as c:
            await members.add(c, a_member(acme.id, person))
    with pytest.raises(Refused, match="conflict"):
        async with store.changing() as c:
            await people.add(c, a_person("ada@example.com"))


async def test_members_are_filtered_and_counted(store: Store, acme: Workspace) -> None:
    async with store.changing() as c:
        for name, role, status in (
            ("owner", Role.OWNER, MemberStatus.ACTIVE),
            ("gone", Role.OWNER, MemberStatus.INACTIVE),
            ("mia", Role.MEMBER, MemberStatus.ACTIVE),
        ):
            person = a_person(f"{name}@example.com")
            await people.add(c, person)
            await members.add(c, a_member(acme.id, person, role=role, status=status))
    async with store.reading() as c:
        assert await members.count_of_role(c, acme.id, Role.OWNER) == 1
        assert {m.name for m in await members.page(c, acme.id, limit=9, role=Role.OWNER)} == {"Owner", "Gone"}
        assert {m.name for m in await members.page(c, acme.id, limit=9, status=MemberStatus.ACTIVE)} == {"Owner", "Mia"}
        assert {m.name for m in await members.page(c, acme.id, limit=9, search="MIA@")} == {"Mia"}


async def test_an_integration_is_found_with_its_rights(store: Store, acme: Workspace) -> None:
    first, second = a_space(acme.id), a_space(acme.id)
    roles = {first.id: SpaceRole.VIEWER, second.id: SpaceRole.CONTRIBUTOR}
    made = an_integration(acme.id, rights=Rights(OrgAccess.ADMIN, {"customers": Level.READ}, roles))
    async with store.changing() as c:
        for space in (first, second):
            await spaces.add(c, space, made_by="someone")
        await integrations.add(c, made)
    async with store.reading() as c:
        assert await integrations.get(c, acme.id, made.id) == made
    saved = replace(made, name="Renamed", rights=Rights(spaces={second.id: SpaceRole.MANAGER}))
    async with store.changing() as c:
        await integrations.save(c, saved)
    async with store.reading() as c:
        assert await integrations.get(c, acme.id, made.id) == saved


async def test_a_deleted_integration_is_neither_found_nor_listed(store: Store, acme: Workspace) -> None:
    made = an_integration(acme.id)
    async with store.changing() as c:
        await integrations.add(c, made)
        await integrations.save(c, replace(made, deleted_at=NOW, deleted_by="Ada"))
    async with store.reading() as c:
        assert await integrations.page(c, acme.id, limit=9) == []
        with pytest.raises(Refused, match="not_found"):
            await integrations.get(c, acme.id, made.id)


async def test_who_is_in_a_space_is_listed_by_name_and_ends_with_the_space(store: Store, acme: Workspace) -> None:
    space, person, made = a_space(acme.id), a_person("ada@example.com"), an_integration(acme.id)
    member = a_member(acme.id, person)
    async with store.changing() as c:
        await spaces.add(c, space, made_by="someone")
        await people.add(c, person)
        await members.add(c, member)
        await integrations.add(c, made)
        await spaces.set_role(c, acme.id, space.id, kind="member", holder_id=member.id, role=SpaceRole.VIEWER, at=NOW)
        await spaces.set_role(c, acme.id, space.id, kind="member", holder_id=member.id, role=SpaceRole.MANAGER, at=NOW)
        await spaces.set_role(c, acme.id, space.id, kind="integration", holder_id=made.id, role=SpaceRole.CONTRIBUTOR, at=NOW)
    first = Holder(space.id, "member", member.id, "Ada", SpaceRole.MANAGER)
    second = Holder(space.id, "integration", made.id, "Sync", SpaceRole.CONTRIBUTOR)
    async with store.reading() as c:
        assert sorted(await spaces.holders(c, acme.id, space.id, limit=9), key=lambda h: h.kind) == [second, first]
        below = await spaces.holders(c, acme.id, space.id, limit=9, after=min(member.id, made.id))
        assert [holder.id for holder in below] == [max(member.id, made.id)]
        assert (await members.get(c, acme.id, member.id)).rights.spaces == {space.id: SpaceRole.MANAGER}
    async with store.changing() as c:
        assert await spaces.remove_role(c, acme.id, space.id, member.id, NOW)
        assert not await spaces.remove_role(c, acme.id, space.id, member.id, NOW)
        await spaces.save(c, replace(space, deleted_at=NOW))
    async with store.reading() as c:
        assert (await integrations.get(c, acme.id, made.id)).rights.spaces == {}
        assert await spaces.holders(c, acme.id, space.id, limit=9) == []
        assert await spaces.page(c, acme.id, limit=9) == []


async def test_a_key_is_found_as_it_was_saved(store: Store, acme: Workspace) -> None:
    made = an_integration(acme.id)
    key = a_key(made, expires_at=NOW + 9, ip_ranges=("203.0.113.0/24", "2001:db8::/32"), mode=Mode.TEST)
    ended = replace(key.end(by="Ada", at=NOW + 3, reason=EndReason.ROTATED, successor_id=new_id()), disabled_at=NOW, name="Old")
    async with store.changing() as c:
        await integrations.add(c, made)
        await keys.add(c, key)
    async with store.reading() as c:
        assert await keys.get(c, acme.id, key.id) == key
    async with store.changing() as c:
        await keys.save(c, ended)
    async with store.reading() as c:
        assert await keys.get(c, acme.id, key.id) == ended


async def test_keys_are_filtered_by_integration_mode_end_and_name(store: Store, acme: Workspace) -> None:
    first, second = an_integration(acme.id), an_integration(acme.id)
    live, test, old = a_key(first, "Live 100%"), a_key(first, "Test_1", mode=Mode.TEST), a_key(second, "Old", ends_at=NOW)
    ending = a_key(second, "Ending", ends_at=NOW + 1)
    async with store.changing() as c:
        for integration in (first, second):
            await integrations.add(c, integration)
        for key in (live, test, old, ending):
            await keys.add(c, key)

    async def names(c: Connection, **filters: object) -> set[str]:
        return {key.name for key in await keys.page(c, acme.id, now=NOW, limit=9, **filters)}  # type: ignore[arg-type]

    async with store.reading() as c:
        assert await names(c) == {"Live 100%", "Test_1", "Old", "Ending"}
        assert await names(c, integration_id=first.id) == {"Live 100%", "Test_1"}
        assert await names(c, mode=Mode.TEST) == {"Test_1"}
        assert await names(c, ended=True) == {"Old"}
        assert await names(c, ended=False) == {"Live 100%", "Test_1", "Ending"}
        assert await names(c, search="live") == {"Live 100%"}
        assert await names(c, search="%") == {"Live 100%"}
        assert await names(c, search="_") == {"Test_1"}
        assert await names(c, integration_id=second.id, ended=False) == {"Ending"}


async def test_ended_ending_and_expired_keys_do_not_count_as_lasting(store: Store, acme: Workspace) -> None:
    made = an_integration(acme.id)
    async with store.changing() as c:
        await integrations.add(c, made)
        await keys.add(c, a_key(made))
        for expires_at in (NOW, NOW + 1):
            await keys.add(c, a_key(made, expires_at=expires_at))
        for ends_at in (NOW, NOW + 1):
            await keys.add(c, a_key(made, ends_at=ends_at))
    async with store.reading() as c:
        assert await keys.count_of_integration(c, acme.id, made.id, NOW) == 2


async def test_all_keys_of_one_mode_end_but_for_their_successor(store: Store, acme: Workspace) -> None:
    made = an_integration(acme.id)
    successor, old, ending, ended = a_key(made), a_key(made), a_key(made, ends_at=NOW + 9), a_key(made, ends_at=NOW - 9)
    test = a_key(made, mode=Mode.TEST)
    async with store.changing() as c:
        await integrations.add(c, made)
        for key in (successor, old, ending, ended, test):
            await keys.add(c, key)
        count = await keys.end_of_integration(
            c, acme.id, made.id, at=NOW, by="Ada", reason=EndReason.ROTATED, mode=Mode.LIVE, successor_id=successor.id
        )
    async with store.reading() as c:
        ends = {key.id: key.ends_at for key in await keys.page(c, acme.id, now=NOW, limit=9)}
    assert count == 2
    assert ends == {successor.id: None, old.id: NOW, ending.id: NOW, ended.id: NOW - 9, test.id: None}


async def test_pages_show_each_row_once_newest_first_also_when_times_are_equal(store: Store, acme: Workspace) -> None:
    made = [an_integration(acme.id, f"{n}", created_at=NOW + n // 4) for n in range(11)]
    async with store.changing() as c:
        for integration in made:
            await integrations.add(c, integration)
    seen = []
    after: Place | None = None
    async with store.reading() as c:
        while found := await integrations.page(c, acme.id, limit=3, after=after):
            seen += found
            after = (found[-1].created_at, found[-1].id)
    assert seen == sorted(made, key=lambda i: (i.created_at, i.id), reverse=True)


async def test_a_page_of_spaces_is_bounded_to_those_one_may_see(store: Store, acme: Workspace) -> None:
    mine, theirs = a_space(acme.id, "Mine"), a_space(acme.id, "Theirs")
    async with store.changing() as c:
        await spaces.add(c, mine, made_by="someone")
        await spaces.add(c, theirs, made_by="someone")
    async with store.reading() as c:
        assert await spaces.page(c, acme.id, limit=9, within=[mine.id]) == [mine]
        assert await spaces.page(c, acme.id, limit=9, within=[]) == []
        assert await spaces.page(c, acme.id, limit=9, search="their") == [theirs]
