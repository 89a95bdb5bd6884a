"""On a plan without the API no app is let in, and whoever is asked for it is told so before."""

from keyrack.model.refusals import PLAN_UPGRADE_REQUIRED
from tests.manage.refused import refused
from tests.oauth.conftest import Parties, a_verifier


async def test_app_is_let_in_on_no_plan_without_the_api_and_its_tokens_are_refused_meanwhile(parties: Parties) -> None:
    given = await parties.tokens()
    assert 200 == await parties.status(given)
    await parties.host.rack.workspaces.set_plan(parties.host.workspace.id, "free")
    assert 403 == await parties.status(given)
    with refused(PLAN_UPGRADE_REQUIRED, "available on Standard and above"):
        await parties.code(a_verifier())
    asking = {"params": parties.asking(a_verifier()), "headers": {"cookie": f"acme_session={parties.cookie}"}}
    page = await parties.host.get("/console/authorize", **asking)
    assert (403, True) == (page.status_code, "The plan Free does not include the API" in page.text), page.text
    await parties.host.rack.workspaces.set_plan(parties.host.workspace.id, "standard")
    assert 200 == await parties.status(given)
