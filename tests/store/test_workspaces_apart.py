"""What belongs to one workspace cannot be found, changed or linked through another."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from keyrack.model.apps import App
from keyrack.model.grants import EndReason as GrantEndReason
from keyrack.model.grants import Grant
from keyrack.model.permissions import Rights, SpaceRole
from keyrack.model.refusals import NOT_FOUND, Refused
from keyrack.model.sessions import Session
from keyrack.model.tokens import EndReason
from keyrack.model.workspaces import Workspace
from keyrack.store import apps, embed_keys, events, grants, integrations, keys, members, partners, people, sessions, spaces, tokens
from keyrack.store.database import Connection, Store
from keyrack.store.ids import new_id
from tests.store.nouns import NOW, a_digest, a_key, a_member, a_person, a_space, a_token, an_embed_key, an_event, an_integration

Attempt = Callable[[Connection], Awaitable[object]]


async def test_another_workspace_finds_and_changes_nothing(store: Store, acme: Workspace, other: Workspace) -> None:
    space, person, made = a_space(acme.id), a_person("ada@example.com"), an_integration(acme.id)
    member, key = a_member(acme.id, person), a_key(made)
    session = Session(new_id(), person.id, acme.id, NOW, NOW + 9)
    async with store.changing() as c:
        await spaces.add(c, space, made_by="someone")
        await people.add(c, person)
        await members.add(c, member)
        await integrations.add(c, made)
        await keys.add(c, key)
        await sessions.add(c, session, a_digest())
        await events.add(c, an_event(acme.id))
        await events.number(c)
        await spaces.set_role(c, acme.id, space.id, kind="member", holder_id=member.id, role=SpaceRole.VIEWER, at=NOW)
    stranger = other.id
    refused: list[Attempt] = [
        lambda c: spaces.get(c, stranger, space.id),
        lambda c: people.get(c, stranger, person.id),
        lambda c: members.get(c, stranger, member.id),
        lambda c: integrations.get(c, stranger, made.id),
        lambda c: keys.get(c, stranger, key.id),
        lambda c: spaces.save(c, replace(space, workspace_id=stranger)),
        lambda c: members.save(c, replace(member, workspace_id=stranger)),
        lambda c: integrations.save(c, replace(made, workspace_id=stranger)),
        lambda c: keys.save(c, replace(key, workspace_id=stranger)),
        lambda c: spaces.holder(c, stranger, space.id, member.id),
        lambda c: spaces.set_role(c, stranger, space.id, kind="integration", holder_id=made.id, role=SpaceRole.VIEWER, at=NOW),
    ]
    for attempt in refused:
        with pytest.raises(Refused) as refusal:
            async with store.changing() as c:
                await attempt(c)
        assert refusal.value.refusal is NOT_FOUND
    empty: list[Attempt] = [
        lambda c: spaces.page(c, stranger, limit=9),
        lambda c: spaces.holders(c, stranger, space.id, limit=9),
        lambda c: spaces.count_holders(c, stranger, [space.id]),
        lambda c: spaces.remove_role(c, stranger, space.id, member.id, NOW),
        lambda c: members.page(c, stranger, limit=9),
        lambda c: members.of_person(c, stranger, person.id),
        lambda c: integrations.page(c, stranger, limit=9),
        lambda c: keys.page(c, stranger, now=NOW, limit=9),
        lambda c: keys.of_integrations(c, stranger, [made.id], now=NOW, each=9),
        lambda c: keys.count_of_integration(c, stranger, made.id, NOW),
        lambda c: sessions.end(c, stranger, session.id, NOW),
        lambda c: events.page(c, stranger, limit=9),
    ]
    async with store.changing() as c:
        assert not any([await attempt(c) for attempt in empty])


async def test_another_workspace_finds_and_ends_no_token_and_knows_no_partner(store: Store, acme: Workspace, other: Workspace) -> None:
    person, stranger = a_person("ada@example.com"), other.id
    member = a_member(acme.id, person, partner="Northwind")
    token = a_token(member)
    async with store.changing() as c:
        await people.add(c, person)
        await members.add(c, member)
        await integrations.add(c, an_integration(acme.id, partner="Northwind"))
        await tokens.add(c, token)
    for find in (tokens.get, tokens.held):
        with pytest.raises(Refused) as refusal:
            async with store.reading() as c:
                await find(c, stranger, token.id)
        assert refusal.value.refusal is NOT_FOUND
    async with store.changing() as c:
        assert not any(
            [
                await tokens.page(c, stranger, now=NOW, limit=9),
                await tokens.live(c, stranger, [member.id]),
                await tokens.made_with(c, stranger, [token.id]),
                await tokens.count_named(c, stranger, member.id),
                await tokens.end(c, stranger, [token.id], at=NOW, by="x", reason=EndReason.REVOKED),
                await partners.names(c, stranger, limit=9),
                await partners.member_ids(c, stranger, "Northwind", limit=9),
                await partners.integration_ids(c, stranger, "Northwind", limit=9),
            ]
        )
        assert ["Northwind"] == await partners.names(c, acme.id, limit=9)


async def test_another_workspace_finds_no_embed_key(store: Store, acme: Workspace, other: Workspace) -> None:
    key = an_embed_key(acme.id)
    async with store.changing() as c:
        await embed_keys.add(c, key)
        assert [key] == await embed_keys.page(c, acme.id, limit=9, object_id="w1", search="acme_embed")
        await embed_keys.save(c, replace(key, workspace_id=other.id, name="Theirs"))
        assert ([], key) == (await embed_keys.page(c, other.id, limit=9), await embed_keys.get(c, acme.id, key.id))
    with pytest.raises(Refused) as refusal:
        async with store.reading() as c:
            await embed_keys.get(c, other.id, key.id)
    assert refusal.value.refusal is NOT_FOUND


async def test_a_holder_gets_no_role_in_a_space_of_another_workspace(store: Store, acme: Workspace, other: Workspace) -> None:
    theirs, mine = a_space(acme.id), an_integration(other.id)
    async with store.changing() as c:
        await spaces.add(c, theirs, made_by="someone")
        await integrations.add(c, mine)
    with pytest.raises(Refused) as refusal:
        async with store.changing() as c:
            await integrations.save(c, replace(mine, rights=Rights(spaces={theirs.id: SpaceRole.MANAGER})))
    assert refusal.value.refusal is NOT_FOUND


async def test_another_workspace_finds_and_ends_no_app_and_no_grant(store: Store, acme: Workspace, other: Workspace) -> None:
    person = a_person("ada@acme.test")
    member = a_member(acme.id, person)
    app = App("app_1", acme.id, "client_1", "Mirror", ("https://app.example/",), ("customers:read",), NOW, NOW, "someone", "Ada")
    grant = Grant("grant_1", acme.id, app.id, member.id, person.id, app.scopes, NOW, NOW)
    async with store.changing() as c:
        await people.add(c, person)
        await members.add(c, member)
        await apps.add(c, app)
        await grants.add(c, grant)
    found: tuple[tuple[Callable[..., Awaitable[object]], str], ...] = ((apps.get, app.id), (grants.held, grant.id))
    for find, name in found:
        with pytest.raises(Refused) as refusal:
            async with store.reading() as c:
                await find(c, other.id, name)
        assert refusal.value.refusal is NOT_FOUND
    async with store.changing() as c:
        assert ([], [], []) == (
            await apps.page(c, other.id, limit=9),
            await grants.page(c, other.id, now=NOW, limit=9),
            await grants.live(c, other.id, [member.id]),
        )
        assert 0 == await grants.end(c, other.id, [grant.id], at=NOW, by="Eve", reason=GrantEndReason.REVOKED)
        assert [grant] == await grants.live(c, acme.id, [member.id])
