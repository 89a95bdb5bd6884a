"""A form that is sent twice is carried out once, also where both arrive together."""

import asyncio

import pytest

from keyrack.manage import keys, spaces
from keyrack.manage.desk import Desk
from keyrack.manage.once import DoneBefore, once
from keyrack.model.refusals import INVALID_REQUEST
from tests.hosts import Host
from tests.manage.refused import refused


async def test_the_second_of_two_is_told_what_the_first_has_made(host: Host, desk: Desk) -> None:
    async with once(desk, host.owner, "mark"):
        issued = await keys.create(desk, host.owner, name="local-dev")
    with pytest.raises(DoneBefore) as done:
        async with once(desk, host.owner, "mark"):
            await keys.create(desk, host.owner, name="local-dev")
    assert (issued.key.id, issued.integration.id, None) == tuple(done.value.id_of(kind) for kind in ("key", "integration", "space"))
    async with once(desk, host.owner, "another"):
        await keys.create(desk, host.owner, name="local-dev")
    assert 2 == len(await keys.page(desk, host.owner, limit=9))


async def test_of_many_at_once_one_does_it(host: Host, desk: Desk) -> None:
    async def press() -> str | None:
        try:
            async with once(desk, host.owner, "mark"):
                return (await spaces.create(desk, host.owner, "Launch")).id
        except DoneBefore as done:
            return done.id_of("space")

    ids = await asyncio.gather(*(press() for _ in range(8)))
    (space,) = await spaces.page(desk, host.owner, limit=9)
    assert {space.id} == set(ids)


async def test_what_failed_may_be_tried_again(host: Host, desk: Desk) -> None:
    with refused(INVALID_REQUEST):
        async with once(desk, host.owner, "mark"):
            await keys.create(desk, host.owner, name="local-dev", ip_ranges=["nowhere"])
    async with once(desk, host.owner, "mark"):
        await keys.create(desk, host.owner, name="local-dev")
    assert 1 == len(await keys.page(desk, host.owner, limit=9))


async def test_marks_of_others_stand_for_nothing(host: Host, desk: Desk) -> None:
    neighbour = await host.other_workspace()
    other = await host.rack.workspaces.operator(neighbour.workspace.id)
    for actor in (host.owner, other):
        async with once(desk, actor, "mark"):
            await spaces.create(desk, actor, "Launch")
