"""An app hears at its own address that it was let in no more: what it knew already, whoever ended it, and of no other app."""

import json
from typing import Any

import pytest
import standardwebhooks

from keyrack.manage import apps, endpoints, events, grants, members, sessions
from keyrack.manage.apps import Registered
from keyrack.model.deliveries import State
from keyrack.model.grants import Grant
from keyrack.model.members import Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import INVALID_REQUEST, NOT_FOUND
from tests.deliveries.conftest import Shop
from tests.deliveries.receivers import OK
from tests.manage.refused import refused
from tests.oauth.conftest import CALLBACK, Parties
from tests.serving.served import until

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


class Town:
    """The workspace in which apps are registered, and another one, in which Cy lets them in."""

    def __init__(self, shop: Shop, there: Principal) -> None:
        self.shop, self.desk, self.there = shop, shop.desk, there

    async def app(self, name: str) -> tuple[Registered, standardwebhooks.Webhook]:
        """Register an app that is told at an address of its own."""
        made = await apps.create(self.desk, self.shop.host.owner, name=name, redirect_uris=[CALLBACK], scopes=["customers:read"])
        url = f"{self.shop.receiver.url}/{name}"
        issued = await endpoints.create(self.desk, self.shop.host.owner, url=url, events=["app.uninstalled"], app_id=made.app.id)
        assert issued.secret is not None
        return made, standardwebhooks.Webhook(issued.secret.text)

    async def let_in(self, made: Registered, name: str) -> Grant:
        """Have a new member of the other workspace let an app in."""
        workspace = self.there.workspace
        member = await self.shop.host.rack.members.add(workspace.id, email=f"{name}@far.test", name=name, role=Role.MEMBER)
        await members.edit(self.desk, self.there, member.id, may_use_api=True)
        link = await sessions.sign_in_link(self.desk, member.person_id, workspace.id)
        session = await sessions.find(self.desk, (await sessions.redeem(self.desk, link.text)).secret.text)
        assert session is not None
        host = self.shop.host
        parties = Parties(host, self.desk, made.app, "", session, "")
        parties.host = type(host)(host.rack, host.app, host.client, workspace, host.owner, host.clock)
        await parties.tokens()
        (found,) = await grants.page(self.desk, self.there, limit=9, member_id=member.id)
        return found.grant

    async def told(self, path: str, count: int, proof: standardwebhooks.Webhook) -> list[Any]:
        """Wait until so much came to an address, and return what it said, proven."""
        await until(lambda: len(self.shop.receiver.of(path)) >= count)
        return [proof.verify(one.body, one.headers) for one in self.shop.receiver.of(path)]


@pytest.fixture
async def town(shop: Shop) -> Town:
    """Two workspaces of one host."""
    shop.host.rack.assembly.deliveries.pause = lambda *_: 0.0
    neighbour = await shop.host.other_workspace()
    return Town(shop, await shop.host.rack.workspaces.operator(neighbour.workspace.id))


async def test_the_app_is_told_that_it_was_shut_out_and_learns_nothing_else(town: Town) -> None:
    mirror, proof = await town.app("mirror")
    calendar, of_calendar = await town.app("calendar")
    answers = iter([BUSY, BUSY])
    town.shop.receiver.answer = lambda _: next(answers, OK)
    revoked, removed = await town.let_in(mirror, "Cy"), await town.let_in(mirror, "Dee")
    others = await town.let_in(calendar, "Eve")
    await grants.revoke(town.desk, town.there, revoked.id)
    told = await town.told("/mirror", 3, proof)
    (said,) = {json.dumps(one, sort_keys=True): one for one in told}.values()
    expected = {"object": "app", "id": mirror.app.id, "client_id": mirror.app.client_id, "grant_id": revoked.id, "reason": "revoked"}
    assert expected == {name: said["data"][name] for name in expected}
    assert (town.there.workspace.id, revoked.person_id) == (said["data"]["workspace_id"], said["data"]["person_id"])
    assert (town.shop.host.workspace.id, "live", "mirror") == (said["workspace_id"], said["mode"], said["actor"]["name"])
    for hidden in ("Cy", "far.test", "command line", revoked.member_id):
        assert hidden not in town.shop.receiver.of("/mirror")[-1].body.decode()
    await members.remove(town.desk, town.there, removed.member_id)
    (*_, last) = await town.told("/mirror", 4, proof)
    assert (removed.id, "member_removed") == (last["data"]["grant_id"], last["data"]["reason"])
    await grants.uninstall(town.desk, town.there, calendar.app.id)
    (other,) = await town.told("/calendar", 1, of_calendar)
    assert (others.id, "uninstalled") == (other["data"]["grant_id"], other["data"]["reason"])
    assert 4 == len(town.shop.receiver.of("/mirror"))
    here, there = [await events.page(town.desk, one, limit=99) for one in (town.shop.host.owner, town.there)]
    assert 3 == [event.type for event in here].count("app.uninstalled")
    assert ([], 3) == ([one for one in there if one.type.startswith("app.")], [one.type for one in there].count("grant.ended"))


async def test_an_apps_address_ends_with_it_and_hears_of_it_alone(town: Town) -> None:
    made, _ = await town.app("mirror")
    owner, url = town.shop.host.owner, f"{town.shop.receiver.url}/x"
    for wanted in ("*", "key.*"):
        with refused(INVALID_REQUEST, "hears of that app alone"):
            await endpoints.create(town.desk, owner, url=url, events=[wanted], app_id=made.app.id)
    with refused(NOT_FOUND, "no such app"):
        await endpoints.create(town.desk, town.there, url=url, events=["app.*"], app_id=made.app.id)
    (endpoint,) = await endpoints.page(town.desk, owner, limit=9, app_id=made.app.id)
    with refused(INVALID_REQUEST, "hears of that app alone"):
        await endpoints.edit(town.desk, owner, endpoint.id, events=["*"])
    grant = await town.let_in(made, "Cy")
    await apps.delete(town.desk, owner, made.app.id)
    assert [] == await endpoints.page(town.desk, owner, limit=9, app_id=made.app.id)
    await grants.revoke(town.desk, town.there, grant.id)
    assert [] == await town.shop.of(endpoint, State.SUCCEEDED)
    assert [] == town.shop.receiver.received
