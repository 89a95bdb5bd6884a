"""Workspaces: made whole or not at all, apart from each other, and gone for everybody at once."""

from dataclasses import replace
from pathlib import Path

from keyrack.manage import members, workspaces
from keyrack.manage.desk import Desk
from keyrack.model.members import Role
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND
from tests.backends import Backend
from tests.hosts import ADMIN_RIGHTS, BRAND, Host, running
from tests.manage.conftest import Actors
from tests.manage.refused import refused


async def test_workspace_is_made_with_its_owner_on_the_first_plan(host: Host) -> None:
    made = await host.rack.workspaces.create("Aurora Outfitters", owner_email="mira@aurora.test", owner_name="Mira Chen")
    assert ("aurora-outfitters", "standard", True, True) == (made.slug, made.plan, made.api_enabled, made.id.startswith("org_"))
    (owner,) = await host.rack.members.list(made.id)
    assert ("Mira Chen", Role.OWNER, True) == (owner.name, owner.role, owner.may_use_api)
    assert made == await host.rack.workspaces.find("aurora-outfitters") == await host.rack.workspaces.find(made.id)
    assert await host.rack.workspaces.find("nothing") is None
    assert {made.id, host.workspace.id} == {one.id for one in await host.rack.workspaces.list()}


async def test_workspace_that_cannot_be_made_leaves_nothing(host: Host) -> None:
    with refused(CONFLICT, "slug"):
        await host.rack.workspaces.create("Other", slug="vml")
    with refused(INVALID_REQUEST, "email"):
        await host.rack.workspaces.create("Aurora", owner_email="nobody")
    for options in ({"slug": "A B"}, {"slug": "-a"}, {"slug": "x" * 65}, {"plan": "gold"}):
        with refused(INVALID_REQUEST):
            await host.rack.workspaces.create("Aurora", **options)
    for name in ("", " ", "x" * 101, "two\nlines"):
        with refused(INVALID_REQUEST):
            await host.rack.workspaces.create(name, slug="aurora")
    assert [host.workspace.id] == [one.id for one in await host.rack.workspaces.list()]


async def test_renamed_workspace_is_told_of_by_its_new_name_at_once(host: Host) -> None:
    key = await host.key()
    await host.rack.workspaces.rename(host.workspace.id, name="Aurora", slug="aurora")
    assert "aurora" == (await host.get("/api/v1/me", key)).json()["org_slug"]
    with refused(NOT_FOUND):
        await host.rack.workspaces.rename("org_missing", name="x")


async def test_plan_without_api_access_refuses_its_keys_at_once(host: Host) -> None:
    key = await host.key()
    assert 200 == (await host.get("/api/v1/me", key)).status_code
    await host.rack.workspaces.set_plan(host.workspace.id, "free")
    assert "plan_upgrade_required" == (await host.get("/api/v1/me", key)).json()["code"]
    await host.rack.workspaces.set_plan(host.workspace.id, "standard")
    assert 200 == (await host.get("/api/v1/me", key)).status_code


async def test_deleted_workspace_is_gone_for_everybody_and_its_slug_is_not_given_again(host: Host) -> None:
    key = await host.key()
    assert 200 == (await host.get("/api/v1/me", key)).status_code
    await host.rack.workspaces.delete(host.workspace.id)
    assert "key_revoked" == (await host.get("/api/v1/me", key)).json()["code"]
    assert await host.rack.workspaces.find("vml") is None
    assert [] == await host.rack.workspaces.list()
    for doing in (host.rack.workspaces.delete(host.workspace.id), host.rack.workspaces.operator(host.workspace.id)):
        with refused(NOT_FOUND):
            await doing
    with refused(CONFLICT):
        await host.rack.workspaces.create("VML again", slug="vml")


async def test_api_is_switched_off_by_admins_and_on_by_people(host: Host, desk: Desk, actors: Actors) -> None:
    admin, plain = await actors.sign_in("ada", Role.ADMIN), await actors.sign_in("mo", Role.MEMBER)
    credential = await actors.behind(await host.key(ADMIN_RIGHTS))
    key = await host.key()
    for enabled in (True, False):
        with refused(INSUFFICIENT_PERMISSION, "org-level Admin"):
            await workspaces.switch_api(desk, plain, enabled)
    assert not (await workspaces.switch_api(desk, credential, False)).api_enabled
    assert 401 == (await host.get("/api/v1/me", key)).status_code
    with refused(INSUFFICIENT_PERMISSION, "sign in"):
        await workspaces.switch_api(desk, credential, True)
    assert (await workspaces.switch_api(desk, admin, True)).api_enabled
    assert 200 == (await host.get("/api/v1/me", key)).status_code


async def test_toggle_leaves_the_console_open(host: Host, desk: Desk, actors: Actors) -> None:
    owner = await actors.sign_in("olga", Role.OWNER)
    await workspaces.switch_api(desk, owner, False)
    assert [owner.member_id] == [member.id for member in await members.page(desk, owner, limit=10)]


async def test_slug_is_made_from_the_name(host: Host) -> None:
    for name, slug in (("Ärzte & Co", "rzte-co"), ("  VML  2 ", "vml-2"), ("東京", "workspace"), ("x" * 90, "x" * 64)):
        assert slug == (await host.rack.workspaces.create(name)).slug


async def test_brand_says_whether_the_api_of_a_new_workspace_is_on(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path, replace(BRAND, api_enabled_at_first=False)) as host:
        assert not host.workspace.api_enabled
        key = await host.key()
        assert 401 == (await host.get("/api/v1/me", key)).status_code
        await host.rack.workspaces.switch_api(host.workspace.id, True)
        assert 200 == (await host.get("/api/v1/me", key)).status_code
