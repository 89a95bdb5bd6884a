"""What keys were never used for is found from the log, taken, and given back."""

import pytest

from keyrack.manage import events, integrations, keys, unused_permissions
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Issued
from keyrack.model.permissions import ALL, Level, Rights, SpaceRole
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, NOT_FOUND
from tests.hosts import ALL_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

BOTH = Rights(permissions={"customers": Level.WRITE, "onboardings": Level.WRITE})


async def unused_by(host: Host, desk: Desk, key: Issued) -> tuple[str, ...]:
    integration = await integrations.get(desk, host.owner, key.integration.id)
    found = await unused_permissions.of(desk, host.owner, host.rack.assembly.catalog, [integration])
    return found[integration.id].permissions if found else ()


async def use(host: Host, key: Issued, *calls: tuple[str, str]) -> None:
    """Make calls, and let what they leave be where it is looked for."""
    for method, path in calls:
        answer = await host.send(method, f"/api/v1{path}", key, **({"json": {"name": "Aurora"}} if method == "POST" else {}))
        assert answer.is_success, answer.text
    await host.rack.assembly.moving.turn()


async def test_what_no_key_of_an_integration_was_used_for_is_named(host: Host, desk: Desk) -> None:
    key = await host.key(BOTH)
    await use(host, key, ("GET", "/me"))
    assert () == await unused_by(host, desk, key)
    await use(host, key, ("GET", "/customers"))
    assert ("customers:write", "onboardings:write") == await unused_by(host, desk, key)
    successor = await keys.rotate(desk, host.owner, key.key.id)
    await use(host, successor, ("POST", "/customers"))
    assert ("onboardings:write",) == await unused_by(host, desk, key)
    assert () == await unused_by(host, desk, await host.key(BOTH))


async def test_a_right_that_was_missing_is_not_used_by_being_refused(host: Host, desk: Desk) -> None:
    key = await host.key(Rights(permissions={"customers": Level.READ}))
    await use(host, key, ("GET", "/customers"))
    assert 403 == (await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"})).status_code
    await host.rack.assembly.moving.turn()
    await host.edit_rights(key, BOTH)
    assert ("customers:write", "onboardings:write") == await unused_by(host, desk, key)


async def test_narrowing_takes_effect_at_once_is_told_and_can_be_undone(host: Host, desk: Desk) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    key, catalog = await host.key(ALL_RIGHTS), host.rack.assembly.catalog
    await use(host, key, ("GET", "/customers"), ("POST", f"/spaces/{space.id}/messages"))
    narrowed = await unused_permissions.narrow(desk, host.owner, catalog, key.integration.id)
    assert ("customers:write", "onboardings:write") == narrowed.permissions
    assert Rights(permissions={"customers": Level.READ}, spaces={space.id: SpaceRole.CONTRIBUTOR}) == narrowed.after.rights
    assert 403 == (await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"})).status_code
    (event, *_) = await events.page(desk, host.owner, limit=1, kind="integration.updated")
    assert {"customers": "read"} == event.data["permissions"]
    with refused(CONFLICT):
        await unused_permissions.narrow(desk, host.owner, catalog, key.integration.id)
    await unused_permissions.widen(desk, host.owner, key.integration.id, narrowed.after.updated_at, narrowed.before.rights)
    assert 201 == (await host.send("POST", "/api/v1/customers", key, json={"name": "Aurora"})).status_code
    assert {ALL: Level.WRITE} == (await integrations.get(desk, host.owner, key.integration.id)).rights.permissions


async def test_what_was_changed_in_between_is_not_set_back(host: Host, desk: Desk) -> None:
    key = await host.key(BOTH)
    await use(host, key, ("GET", "/customers"))
    narrowed = await unused_permissions.narrow(desk, host.owner, host.rack.assembly.catalog, key.integration.id)
    host.clock.pass_seconds(1)
    await integrations.edit(desk, host.owner, key.integration.id, permissions={"onboardings": Level.READ})
    with refused(CONFLICT):
        await unused_permissions.widen(desk, host.owner, key.integration.id, narrowed.after.updated_at, narrowed.before.rights)
    held = (await integrations.get(desk, host.owner, key.integration.id)).rights.permissions
    assert {"onboardings": Level.READ} == held


async def test_nobody_learns_or_narrows_what_they_may_not(host: Host, desk: Desk, actors: Actors) -> None:
    catalog, key = host.rack.assembly.catalog, await host.key(BOTH)
    await use(host, key, ("GET", "/customers"))
    plain = await actors.behind(key)
    with refused(INSUFFICIENT_PERMISSION):
        await unused_permissions.narrow(desk, plain, catalog, key.integration.id)
    with refused(INSUFFICIENT_PERMISSION):
        await unused_permissions.widen(desk, plain, key.integration.id, key.integration.updated_at, ALL_RIGHTS)
    neighbour = await host.other_workspace()
    with refused(NOT_FOUND):
        await unused_permissions.narrow(desk, host.owner, catalog, neighbour.key.integration.id)


@pytest.mark.parametrize("count", [unused_permissions.KEYS_MAX])
async def test_nothing_is_said_of_an_integration_with_more_keys_than_are_looked_at(host: Host, desk: Desk, count: int) -> None:
    key = await host.key(BOTH)
    for _ in range(count - 1):
        await keys.create(desk, host.owner, name="more", integration_id=key.integration.id)
    await use(host, key, ("GET", "/customers"))
    assert () == await unused_by(host, desk, key)
