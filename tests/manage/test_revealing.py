"""Revealing: for keys made since it was switched on, by an admin who has just proved that it is them, and as an event each time."""

import base64
from typing import Any

import pytest

from keyrack.crypto.seal import Sealer
from keyrack.manage import events, keys, passwords, portal_links, revealing, sessions
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Issued
from keyrack.manage.operators import operator
from keyrack.model.members import Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, NOT_FOUND, PROOF_REQUIRED
from keyrack.store import keys as rows
from tests.hosts import ADMIN_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

FROM = "192.0.2.9"


async def proven(host: Host, desk: Desk, email: str = "ada@acme.test", role: Role = Role.ADMIN) -> Principal:
    """A member who has just signed in with a password."""
    member = await host.rack.members.add(host.workspace.id, email=email, name=email.partition("@")[0], role=role)
    link = await passwords.reset_link(desk, await operator(desk, host.workspace.id), member.id)
    signed_in = await passwords.reset(desk, link.text, new="correct horse battery", address=FROM)
    found = await sessions.find(desk, signed_in.secret.text)
    assert found is not None
    return found


@pytest.fixture
async def admin(host: Host, desk: Desk) -> Principal:
    """An admin who has just signed in with a password, where secrets are revealed."""
    found = await proven(host, desk)
    await revealing.switch(desk, found, True)
    return found


async def kept(desk: Desk, made: Issued) -> bytes | None:
    """The sealed copy of a key's secret."""
    async with desk.store.reading() as c:
        return await rows.sealed(c, made.key.workspace_id, made.key.id)


async def test_key_made_since_is_shown_again_and_each_time_is_an_event(host: Host, desk: Desk) -> None:
    admin = await proven(host, desk)
    before = await host.key(name="before")
    await revealing.switch(desk, admin, True)
    made = await host.key(name="after")
    assert (False, True) == (before.key.revealable, made.key.revealable)
    assert (
        made.secret.text
        == (await revealing.reveal(desk, admin, made.key.id)).text
        == (await revealing.reveal(desk, admin, made.key.id)).text
    )
    told = await events.page(desk, host.owner, limit=9, kind="key.revealed")
    assert [(made.key.id, "ada")] * 2 == [(event.object_id, event.actor.name) for event in told]
    with refused(CONFLICT, "not kept"):
        await revealing.reveal(desk, admin, before.key.id)


async def test_secret_that_a_portal_session_was_shown_tells_of_the_key_behind_it(
    host: Host, desk: Desk, admin: Principal, actors: Actors
) -> None:
    made, asking = await host.key(name="other"), await host.key(ADMIN_RIGHTS, name="host")
    caller = await actors.behind(asking)
    link = await portal_links.create(desk, caller, member_id=admin.member_id or "", auth_time=host.clock.now())
    signed_in = await portal_links.redeem(desk, link.secret.text)
    through = await sessions.find(desk, signed_in.secret.text)
    assert through is not None
    for actor in (through, admin):
        await revealing.reveal(desk, actor, made.key.id)
    told = await events.page(desk, host.owner, limit=9, kind="key.revealed")
    assert [None, asking.key.id] == [event.data["through_key_id"] for event in told]
    with refused(INSUFFICIENT_PERMISSION):
        await revealing.switch(desk, through, False)


async def test_switched_off_all_copies_are_destroyed(host: Host, desk: Desk, admin: Principal) -> None:
    made = await host.key()
    assert await kept(desk, made) is not None
    await revealing.switch(desk, admin, False)
    assert await kept(desk, made) is None
    await revealing.switch(desk, admin, True)
    with refused(CONFLICT):
        await revealing.reveal(desk, admin, made.key.id)


async def test_nobody_but_a_proven_admin_reveals(host: Host, desk: Desk, admin: Principal, actors: Actors) -> None:
    made = await host.key()
    credential = await actors.behind(await host.key(ADMIN_RIGHTS))
    plain = await proven(host, desk, "cy@acme.test", Role.MEMBER)
    for actor in (credential, plain, host.owner):
        with refused(INSUFFICIENT_PERMISSION):
            await revealing.reveal(desk, actor, made.key.id)
        with refused(INSUFFICIENT_PERMISSION):
            await revealing.switch(desk, actor, False)
    unproven = await actors.sign_in("bo", Role.ADMIN)
    host.clock.pass_seconds(601)
    for actor in (unproven, admin):
        with refused(PROOF_REQUIRED):
            await revealing.reveal(desk, actor, made.key.id)
        with refused(PROOF_REQUIRED):
            await revealing.switch(desk, actor, False)


async def test_ended_key_loses_its_copy(host: Host, desk: Desk, admin: Principal) -> None:
    revoked, rotated, replaced = [await host.key(name=name) for name in ("revoked", "rotated", "replaced")]
    await keys.revoke(desk, host.owner, revoked.key.id)
    await keys.rotate(desk, host.owner, rotated.key.id, overlap_seconds=60)
    await keys.rotate_all(desk, host.owner, replaced.key.integration_id)
    for one in (revoked, rotated, replaced):
        assert await kept(desk, one) is None
        with refused(CONFLICT):
            await revealing.reveal(desk, admin, one.key.id)


async def test_key_of_another_workspace_is_missing(host: Host, desk: Desk, admin: Principal) -> None:
    with refused(NOT_FOUND):
        await revealing.reveal(desk, admin, (await host.other_workspace()).key.key.id)


async def test_edited_key_keeps_its_copy(host: Host, desk: Desk, admin: Principal) -> None:
    made = await host.key()
    await keys.edit(desk, host.owner, made.key.id, name="renamed")
    assert made.secret.text == (await revealing.reveal(desk, admin, made.key.id)).text


def test_newest_key_seals_and_all_open_for_the_same_owner_alone() -> None:
    old, both = Sealer(["one"], "key"), Sealer(["two", "one"], "key")
    sealed = old.seal(b"a secret", "workspace key")
    assert b"a secret" == both.open(sealed, "workspace key")
    assert sealed != old.seal(b"a secret", "workspace key")
    attempts: list[Any] = [
        (both, sealed, "another key"),
        (Sealer(["one"], "mail"), sealed, "workspace key"),
        (Sealer(["two"], "key"), sealed, "workspace key"),
    ]
    attempts += [(both, sealed[:-1] + bytes([sealed[-1] ^ 1]), "workspace key"), (old, both.seal(b"x", "workspace key"), "workspace key")]
    for sealer, text, owner in attempts:
        with pytest.raises(ValueError, match="no key"):
            sealer.open(text, owner)
    assert b"a secret" not in base64.b64encode(sealed) + sealed
