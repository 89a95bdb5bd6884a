"""No page elsewhere makes whoever is signed in somebody else."""

from tests.console.visitors import Office
from tests.hosts import ADMIN_RIGHTS


async def test_portal_link_waits_for_a_click_where_somebody_is_signed_in(office: Office) -> None:
    key = await office.host.key(ADMIN_RIGHTS)
    made = await office.host.send("POST", "/api/v1/portal-links", key, json={"member_id": office.members["Cy"].id})
    path = str(made.json()["url"]).removeprefix("http://acme.test")
    ada, nobody = await office.signed_in("Ada"), await office.browser()

    (waiting,) = (await ada.open(path)).root.all("form")
    assert "data-submits" not in waiting.attributes
    page = await nobody.open(path)
    (form,) = page.root.all("form")
    assert "data-submits" in form.attributes
    assert 200 == (await nobody.submit(page, "/console/portal")).status
    (own,) = (await nobody.open(f"{path}x")).root.all("form")
    assert "data-submits" in own.attributes, "a session of a portal link gives way to the next"
