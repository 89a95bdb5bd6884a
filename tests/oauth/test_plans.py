"""On a plan without the API no app is let in, and whoever is asked for it is told so before."""

import pytest
from authlib.oauth2.rfc6749.errors import UnauthorizedClientError

from keyrack.manage import app_tokens, apps
from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED
from tests.manage.refused import refused
from tests.oauth.conftest import Parties, a_verifier


async def test_app_is_let_in_on_no_plan_without_the_api_and_its_tokens_are_refused_meanwhile(parties: Parties) -> None:
    given, desk = await parties.tokens(), parties.desk
    app = await apps.edit(desk, parties.host.owner, parties.app.id, own_scopes=["customers:write"])
    assert 200 == await parties.status(given)
    await parties.host.rack.workspaces.set_plan(parties.host.workspace.id, "free")
    assert 403 == await parties.status(given)
    with refused(PLAN_UPGRADE_REQUIRED, "available on Standard and above"):
        await parties.code(a_verifier())
    with pytest.raises(UnauthorizedClientError, match="available on Standard and above"):
        await app_tokens.give(desk, app, None)
    cookie = {"cookie": f"acme_session={parties.cookie}"}
    page = await parties.host.get("/console/authorize", params=parties.asking(a_verifier()), headers=cookie)
    assert (403, True) == (page.status_code, "The plan Free does not include the API" in page.text), page.text
    await parties.host.rack.workspaces.set_plan(parties.host.workspace.id, "standard")
    assert 200 == await parties.status(given)
