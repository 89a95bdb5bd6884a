"""The few finders that take no workspace."""

import asyncio
from dataclasses import replace

import pytest

from keyrack.model.keys import EndReason
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.sessions import Session
from keyrack.model.tokens import EndReason as TokenEndReason
from keyrack.model.tokens import FoundToken, Held, HeldThere
from keyrack.model.workspaces import Workspace
from keyrack.store import changes, integrations, keys, lookup, members, people, sessions, spaces, tokens, workspaces
from keyrack.store.database import Duplicate, Store
from keyrack.store.ids import new_id
from keyrack.store.lookup import UsedLink
from tests.store.nouns import NOW, a_digest, a_key, a_member, a_person, a_space, a_token, a_workspace, an_integration


async def test_a_credential_is_found_with_all_that_decides_about_it(store: Store, acme: Workspace) -> None:
    space = a_space(acme.id)
    made = an_integration(acme.id, rights=Rights(OrgAccess.READER, {"customers": Level.WRITE}, {space.id: SpaceRole.MANAGER}))
    key = a_key(made)
    async with store.changing() as c:
        await spaces.add(c, space, made_by="someone")
        await integrations.add(c, made)
        await keys.add(c, key)
        await changes.bump(c, {"something"}, new_id())
    async with store.reading() as c:
        assert await lookup.credential(c, key.digest) == lookup.FoundKey(key, made, acme, (), 1)
        assert await lookup.credential(c, a_digest()) is None


async def test_a_wildcard_reaches_every_living_space_of_its_workspace(store: Store, acme: Workspace, other: Workspace) -> None:
    made = an_integration(acme.id, rights=Rights(permissions={ALL: Level.WRITE}))
    key, first, second = a_key(made), a_space(acme.id), a_space(acme.id)
    async with store.changing() as c:
        await integrations.add(c, made)
        await keys.add(c, key)
        for space in (first, second, a_space(acme.id, deleted_at=NOW), a_space(other.id)):
            await spaces.add(c, space, made_by="someone")
    async with store.reading() as c:
        found = await lookup.credential(c, key.digest)
    assert isinstance(found, lookup.FoundKey)
    assert sorted(found.space_ids) == sorted([first.id, second.id])


async def test_ended_keys_and_those_of_deleted_integrations_are_found_so_that_their_calls_are_logged(store: Store, acme: Workspace) -> None:
    made = an_integration(acme.id)
    key = a_key(made).end(by="Ada", at=NOW, reason=EndReason.REVOKED)
    deleted = replace(made, deleted_at=NOW, deleted_by="Ada")
    closed = replace(acme, deleted_at=NOW)
    async with store.changing() as c:
        await integrations.add(c, made)
        await keys.add(c, key)
        await integrations.save(c, deleted)
        await workspaces.save(c, closed)
    async with store.reading() as c:
        assert await lookup.credential(c, key.digest) == lookup.FoundKey(key, deleted, closed, (), 0)


async def test_a_token_is_found_with_its_member_and_alone_when_they_are_gone(store: Store, acme: Workspace) -> None:
    space, person = a_space(acme.id), a_person("ada@example.com")
    member = a_member(acme.id, person, rights=Rights(OrgAccess.READER, {ALL: Level.WRITE}, {space.id: SpaceRole.MANAGER}))
    token = a_token(member, rights=Rights(permissions={"customers": Level.READ}, spaces={space.id: SpaceRole.VIEWER}))
    async with store.changing() as c:
        await spaces.add(c, space, made_by="someone")
        await people.add(c, person)
        await members.add(c, member)
        await tokens.add(c, token)
    async with store.reading() as c:
        found = FoundToken(token, person.name, person.email, member, acme, (space.id,), 0)
        assert found == await lookup.credential(c, token.digest)
        assert [HeldThere(Held(token, person.name, person.email, member), acme)] == await lookup.tokens_of(c, person.id, 9)
    async with store.changing() as c:
        await members.remove(c, acme.id, member.id)
    async with store.reading() as c:
        assert FoundToken(token, person.name, person.email, None, acme, (), 0) == await lookup.credential(c, token.digest)


async def test_a_member_has_one_default_token_whatever_is_written(store: Store, acme: Workspace) -> None:
    person = a_person("ada@example.com")
    member = a_member(acme.id, person)
    first = a_token(member)
    async with store.changing() as c:
        await people.add(c, person)
        await members.add(c, member)
        await tokens.add(c, first)
        await tokens.add(c, a_token(member, is_default=False))
    with pytest.raises(Duplicate):
        async with store.changing() as c:
            await tokens.add(c, a_token(member))
    async with store.changing() as c:
        assert 1 == await tokens.end(c, acme.id, [first.id], at=NOW, by="Ada", reason=TokenEndReason.REPLACED)
        await tokens.add(c, a_token(member))


async def test_a_session_is_found_with_its_member_until_it_ends(store: Store, acme: Workspace) -> None:
    person, digest = a_person("ada@example.com"), a_digest()
    member = a_member(acme.id, person, rights=Rights(OrgAccess.ADMIN))
    session = Session(new_id(), person.id, acme.id, NOW, NOW + 9, NOW)
    async with store.changing() as c:
        await people.add(c, person)
        await members.add(c, member)
        await sessions.add(c, session, digest)
    async with store.reading() as c:
        assert await lookup.session(c, digest) == lookup.FoundSession(session, member, acme, (), 0)
    async with store.changing() as c:
        assert await sessions.end(c, acme.id, session.id, NOW)
        assert not await sessions.end(c, acme.id, session.id, NOW)
    async with store.reading() as c:
        assert await lookup.session(c, digest) is None


async def test_of_many_who_follow_a_sign_in_link_at_once_one_is_let_in(store: Store, acme: Workspace) -> None:
    person, digest = a_person("ada@example.com"), a_digest()
    async with store.changing() as c:
        await people.add(c, person)
        await sessions.add_link(c, acme.id, person.id, digest=digest, created_at=NOW, expires_at=None)

    async def follow() -> UsedLink | None:
        async with store.changing() as c:
            return await lookup.use_sign_in_link(c, digest, NOW)

    used = await asyncio.gather(*[follow() for _ in range(8)])
    assert sorted(used, key=lambda link: link is None) == [UsedLink(person.id, acme.id), *[None] * 7]


async def test_a_sign_in_link_ends_at_its_time(store: Store, acme: Workspace) -> None:
    person, digest = a_person("ada@example.com"), a_digest()
    async with store.changing() as c:
        await people.add(c, person)
        await sessions.add_link(c, acme.id, person.id, digest=digest, created_at=NOW, expires_at=NOW + 60)
        assert await lookup.use_sign_in_link(c, digest, NOW + 60) is None
        assert await lookup.use_sign_in_link(c, digest, NOW + 59) == UsedLink(person.id, acme.id)


async def test_a_person_is_found_by_email_in_any_case(store: Store) -> None:
    person = a_person("ada@example.com")
    async with store.changing() as c:
        await people.add(c, person)
    async with store.reading() as c:
        assert await lookup.person(c, "Ada@Example.com") == person
        assert await lookup.person(c, "bob@example.com") is None


async def test_the_operator_finds_workspaces_by_id_slug_and_page(store: Store, acme: Workspace, other: Workspace) -> None:
    gone = replace(a_workspace("gone"), deleted_at=NOW)
    async with store.changing() as c:
        await workspaces.add(c, gone)
    async with store.reading() as c:
        assert await lookup.workspace(c, acme.id) == acme
        assert await lookup.workspace(c, "other") == other
        assert await lookup.workspace(c, "gone") is None
        first = await lookup.all_workspaces(c, limit=1)
        second = await lookup.all_workspaces(c, limit=9, after=(first[0].created_at, first[0].id))
    assert sorted([*first, *second], key=lambda w: w.slug) == [acme, other]
