"""A workspace whose plan lacks the API is told so where it would make a key, before anybody fills a form, and what to do."""

from keyrack.manage import members
from tests.console.visitors import Office

TOLD = "The plan Free does not include the API. It is available on Standard and above."
FORMS = ("/console/keys/new", "/console/integrations/new", "/console/preferences/api/new", "/console/preferences/api/generate")


async def test_pages_say_that_the_plan_lacks_the_api_before_a_form_is_filled(office: Office) -> None:
    host = office.host
    await members.edit(office.desk, host.owner, office.members["Ada"].id, may_use_api=True)
    key = await host.key()
    forms = (*FORMS, f"/console/keys/{key.key.id}/rotate", f"/console/integrations/{key.key.integration_id}/rotate")
    ada = await office.signed_in()
    ready = await ada.open("/console/keys/new")
    await host.rack.workspaces.set_plan(host.workspace.id, "free")
    for path in ("/console/keys", "/console/integrations", "/console/preferences/api"):
        page = await ada.open(path)
        assert (200, True) == (page.status, TOLD in page.text), path
        assert not page.links & set(forms), path
    for path in forms:
        page = await ada.open(path)
        assert (403, True) == (page.status, TOLD in page.text), path
        assert "Whoever runs Acme can move VML to such a plan." in page.text
    late = await ada.submit(ready, "/console/keys", name="too late")
    assert (403, True) == (late.status, TOLD in late.text)
    await host.rack.workspaces.set_plan(host.workspace.id, "standard")
    assert 200 == (await ada.submit(await ada.open("/console/keys/new"), "/console/keys", name="in time")).status


async def test_ranges_that_bound_nothing_or_leave_out_whoever_writes_them_are_named(office: Office) -> None:
    ada = await office.signed_in()
    form = await ada.open("/console/keys/new")
    assert "You are at 127.0.0.1 at the moment." in form.text
    wide = await ada.submit(form, "/console/keys", name="wide", ip_ranges="0.0.0.0/0")
    assert "0.0.0.0/0 holds every IPv4 address: it bounds nothing." in wide.text
    assert "Your own address" not in wide.text
    apart = await ada.submit(await ada.open("/console/keys/new"), "/console/keys", name="apart", ip_ranges="203.0.113.0/24, 2001:db8::/32")
    assert "Your own address, 127.0.0.1, is in none of its ranges: it does not work from there." in apart.text
    wrong = await ada.submit(await ada.open("/console/keys/new"), "/console/keys", name="wrong", ip_ranges="203.0.113.7/24")
    assert (400, True) == (wrong.status, "write 203.0.113.0/24 for the whole range" in wrong.text)
