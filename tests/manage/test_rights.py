"""Nobody gives more than they have, and nobody what there is not."""

from keyrack.manage import integrations, keys, rights, spaces
from keyrack.manage.desk import Desk
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND
from tests.hosts import ADMIN_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

EXCESSES = {
    "org-level admin": Rights(OrgAccess.ADMIN),
    "all permissions": Rights(permissions={ALL: Level.WRITE}),
    "onboardings:write": Rights(permissions={"customers": Level.WRITE, "onboardings": Level.WRITE}),
    "viewer in space another": Rights(spaces={"another": SpaceRole.VIEWER}),
}


async def test_what_the_giver_lacks_is_named(host: Host, desk: Desk, actors: Actors) -> None:
    giver = await actors.behind(await host.key(Rights(OrgAccess.READER, {"customers": Level.WRITE})))
    for excess, given in EXCESSES.items():
        with refused(INSUFFICIENT_PERMISSION, excess):
            rights.checked(desk, giver, given)
    own = Rights(OrgAccess.READER, {"customers": Level.WRITE, "onboardings": Level.READ})
    assert own == rights.checked(desk, giver, own)


async def test_org_level_admin_has_everything_to_give(host: Host, desk: Desk, actors: Actors) -> None:
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    giver = await actors.behind(await host.key(ADMIN_RIGHTS))
    everything = Rights(OrgAccess.ADMIN, {ALL: Level.WRITE}, {space.id: SpaceRole.MANAGER})
    made = await integrations.create(desk, giver, name="everything", rights=everything)
    assert everything == (await integrations.get(desk, giver, made.id)).rights


async def test_manager_of_one_space_says_nothing_about_another(host: Host, desk: Desk, actors: Actors) -> None:
    own, other = [await host.rack.spaces.create(host.workspace.id, name) for name in ("Own", "Other")]
    manager = await actors.behind(await host.key(Rights(spaces={own.id: SpaceRole.MANAGER, other.id: SpaceRole.CONTRIBUTOR})))
    assert manager.integration_id is not None
    with refused(INSUFFICIENT_PERMISSION, "contributor"):
        await spaces.set_role(desk, manager, other.id, manager.integration_id, SpaceRole.MANAGER)
    for doing in (spaces.delete(desk, manager, own.id), spaces.rename(desk, manager, own.id, "Mine"), spaces.create(desk, manager, "New")):
        with refused(INSUFFICIENT_PERMISSION, "org-level Admin"):
            await doing


IMPOSSIBLE: list[tuple[str, dict[str, Level]]] = [
    ("permissions.colours", {"colours": Level.READ}),
    ("permissions.colours", {"colours": Level.NONE}),
    ("permissions.messages", {"messages": Level.WRITE}),
    ("permissions", {ALL: Level.READ}),
    ("permissions", {ALL: Level.WRITE, "customers": Level.READ}),
]


async def test_permission_that_cannot_be_is_refused(host: Host, desk: Desk) -> None:
    for param, permissions in IMPOSSIBLE:
        with refused(INVALID_REQUEST) as raised:
            await integrations.create(desk, host.owner, name="x", rights=Rights(permissions=permissions))
        assert param == raised.value.param


async def test_refused_creation_leaves_nothing(host: Host, desk: Desk) -> None:
    unknown = Rights(spaces={"cl9bn00of0000g7l8gcq8c4xk": SpaceRole.VIEWER})
    with refused(NOT_FOUND):
        await integrations.create(desk, host.owner, name="x", rights=unknown)
    with refused(NOT_FOUND):
        await keys.create(desk, host.owner, name="x", rights=unknown)
    with refused(INVALID_REQUEST):
        await keys.create(desk, host.owner, name="x", rights=ADMIN_RIGHTS, expires_at=1)
    assert [] == await integrations.page(desk, host.owner, limit=10)
    assert [] == await keys.page(desk, host.owner, limit=10)
