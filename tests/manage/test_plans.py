"""A plan without the API: nothing that proves a caller is made on it, by whatever way, and what was made before is refused at once."""

from pathlib import Path

import httpx
import pytest

from keyrack import Keyrack, Plan, Settings
from keyrack.manage import integrations, keys, members, tokens
from keyrack.manage.desk import Desk
from keyrack.model.members import Role
from keyrack.model.permissions import Level, Rights
from keyrack.model.plans import missing_api, offering_api
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED
from tests.backends import Backend
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, build_app, living
from tests.manage.conftest import Actors
from tests.manage.refused import refused

PATH = "/api/v1/customers"
STARTER, PRO, FREE = Plan("starter", "Starter"), Plan("pro", "Pro"), Plan("free", "Free", api_access=False)


@pytest.mark.parametrize(
    ("plans", "offering", "told"),
    [
        ([STARTER, PRO, FREE], "Starter and above", "The plan Free does not include the API. It is available on Starter and above."),
        ([FREE, STARTER], "Starter", "The plan Free does not include the API. It is available on Starter."),
        ([FREE], "", "The plan Free does not include the API."),
        ([PRO], "Pro", "The plan of this workspace is no longer offered. It is available on Pro."),
    ],
)
def test_whoever_lacks_the_api_is_told_where_it_is_included(plans: list[Plan], offering: str, told: str) -> None:
    assert offering == offering_api(plans)
    assert told == missing_api({plan.name: plan for plan in plans}, "free")


def test_plan_with_the_api_lacks_nothing() -> None:
    assert "" == missing_api({"starter": STARTER, "free": FREE}, "starter")


async def test_nothing_that_proves_a_caller_is_made_on_a_plan_without_the_api(host: Host, desk: Desk, actors: Actors) -> None:
    ada = await actors.sign_in("Ada", Role.OWNER)
    await members.edit(desk, host.owner, ada.member_id or "", may_use_api=True)
    key = await host.key()
    await host.rack.workspaces.set_plan(host.workspace.id, "free")
    rights = Rights(permissions={"customers": Level.READ})
    for doing in (
        keys.create(desk, host.owner, name="by the operator"),
        keys.create(desk, ada, name="in the console"),
        keys.create(desk, ada, name="another", integration_id=key.key.integration_id),
        keys.rotate(desk, ada, key.key.id),
        keys.rotate_all(desk, ada, key.key.integration_id),
        tokens.generate(desk, ada),
        tokens.create(desk, ada, name="Nightly", rights=rights),
    ):
        with refused(PLAN_UPGRADE_REQUIRED, "The plan Free does not include the API. It is available on Standard and above.") as raised:
            await doing
        assert {"plan": "free", "plans": ["standard", "small"]} == raised.value.extra
    assert ["local-dev"] == [one.name for one in await integrations.page(desk, host.owner, limit=9)]
    assert "active" == (await keys.get(desk, ada, key.key.id)).key.state(desk.now())
    await keys.revoke(desk, ada, key.key.id)


async def test_downgrade_refuses_what_was_made_before_on_every_node_and_an_upgrade_lets_it_in_again(
    host: Host, desk: Desk, actors: Actors, backend: Backend, tmp_path: Path
) -> None:
    ada = await actors.sign_in("Ada", Role.OWNER)
    await members.edit(desk, host.owner, ada.member_id or "", may_use_api=True)
    token, key = await tokens.generate(desk, ada), await host.key()
    settings = Settings(data=tmp_path, database_url=backend.url, secrets=[])
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS, now=host.clock.now)
    app = build_app(rack)
    rack.install(app)

    async def answers(*nodes: httpx.AsyncClient) -> list[tuple[int, str]]:
        made = (key.secret.text, token.secret.text)
        found = [await node.get(PATH, headers={"Authorization": f"Bearer {secret}"}) for node in nodes for secret in made]
        return [(one.status_code, one.json().get("detail", "")) for one in found]

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with living(app), httpx.AsyncClient(transport=transport, base_url="http://acme.test") as other:
        for _ in range(2):
            assert {(200, "")} == set(await answers(host.client, other))
            await host.rack.workspaces.set_plan(host.workspace.id, "free")
            told = await answers(host.client, other)
            assert {403} == {status for status, _ in told}
            assert all("does not include the API. It is available on Standard and above." in detail for _, detail in told), told
            await host.rack.workspaces.set_plan(host.workspace.id, "standard")
        assert {(200, "")} == set(await answers(other, host.client))
