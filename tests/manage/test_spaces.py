"""Spaces as hosts change them, through `rack.spaces`."""

from keyrack.manage import spaces
from keyrack.manage.desk import Desk
from keyrack.model.members import Role
from keyrack.model.permissions import SpaceRole
from keyrack.model.refusals import NOT_FOUND
from tests.hosts import Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused


async def test_space_that_a_person_makes_is_theirs_to_manage(host: Host, desk: Desk, actors: Actors) -> None:
    admin = await actors.sign_in("ada", Role.ADMIN)
    space = await host.rack.spaces.create(host.workspace.id, "Launch", actor=admin)
    (holder,) = await spaces.holders(desk, admin, space.id, limit=10)
    assert (admin.member_id, "member", "ada", SpaceRole.MANAGER) == (holder.id, holder.kind, holder.name, holder.role)
    member = await host.rack.members.find(host.workspace.id, holder.id)
    assert member is not None
    assert {space.id: SpaceRole.MANAGER} == member.rights.spaces


async def test_space_that_the_host_makes_has_nobody_in_it(host: Host, desk: Desk) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    assert [] == await spaces.holders(desk, host.owner, space.id, limit=10)
    assert space == await host.rack.spaces.find(host.workspace.id, space.id)


async def test_space_is_found_in_its_own_workspace_alone(host: Host) -> None:
    neighbour = await host.other_workspace()
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    assert await host.rack.spaces.find(neighbour.workspace.id, space.id) is None
    assert [] == await host.rack.spaces.list(neighbour.workspace.id)
    for doing in (
        host.rack.spaces.rename(neighbour.workspace.id, space.id, "Mine"),
        host.rack.spaces.delete(neighbour.workspace.id, space.id),
        host.rack.spaces.set_role(neighbour.workspace.id, space.id, neighbour.key.integration.id, SpaceRole.VIEWER),
        host.rack.spaces.set_role(host.workspace.id, space.id, neighbour.key.integration.id, SpaceRole.VIEWER),
    ):
        with refused(NOT_FOUND):
            await doing


async def test_renaming_and_deleting_are_told_of_under_the_operator(host: Host, desk: Desk, actors: Actors) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    assert "Landing" == (await host.rack.spaces.rename(host.workspace.id, space.id, "Landing")).name
    await host.rack.spaces.delete(host.workspace.id, space.id)
    assert await host.rack.spaces.find(host.workspace.id, space.id) is None
    with refused(NOT_FOUND):
        await host.rack.spaces.delete(host.workspace.id, space.id)


async def test_deleted_integration_is_in_no_space(host: Host, desk: Desk) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    key = await host.key()
    await host.rack.spaces.set_role(host.workspace.id, space.id, key.integration.id, SpaceRole.VIEWER)
    await host.rack.spaces.remove_role(host.workspace.id, space.id, key.integration.id)
    assert [] == await spaces.holders(desk, host.owner, space.id, limit=10)
