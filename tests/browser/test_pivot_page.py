"""Pivot's help page "Getting Started with the Pivot API", done from its first sentence to its last."""

from playwright.async_api import expect

from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene


@ON_EVERY_SCREEN
async def test_every_sentence_comes_true(pivot: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    launch, board = [await pivot.site.rack.spaces.create(pivot.workspace.id, name) for name in ("Launch", "Board")]
    film = await Film.begin(pivot, browsing, size, scheme)
    # "All integrations are managed in Organization Admin > Integrations."
    await film.find("nav-group", "nav.keys")
    await film.see("Organization Admin", "Integrations")
    # "From the Integrations tab in Organization Admin, click Add New Integration."
    await film.click("tab.integrations")
    await film.reads("integrations.create", "Add New Integration")
    await film.click("integrations.create")
    # "Enter a name for the integration and define its organization-level permissions (None, Reader, or Admin). Then click Next."
    await film.write("integrations.name", "Reporting")
    await film.see("Organization-level access", "None", "Reader", "Admin")
    await film.choose("integrations.org-access", "reader")
    await film.fits()
    await film.reads("integrations.next", "Next")
    await film.click("integrations.next")
    # "Define the integration's space access and click Save to create it."
    await film.choose("integrations.role", "contributor", of="Launch")
    await film.reads("integrations.save", "Save")
    await film.click("integrations.save")
    key = await film.copied("integrations.secret.copy")
    await film.click("integrations.done")
    # "Each integration is configured independently, with its own: name, API key, organization-level access, space-level roles."
    await film.see("Name", "API key", "Access", "Reporting", key[:10], "Reader", "1 space")
    await film.fits()
    await _the_integration_acts(film, key, launch.id)
    key = await _the_menu_keeps_its_word(film, key, launch.id, board.id)
    # "Delete Integration – Permanently remove the integration from the organization."
    await film.click("integrations.more", of="Reports")
    await film.reads("integrations.delete", "Delete Integration", of="Reports")
    await film.click("integrations.delete", of="Reports")
    await film.see("Delete Reports?", "permanent")
    await film.click("integrations.delete.submit")
    await film.see("Reports is deleted")
    assert 401 == (await film.call(key, "GET", "/customers")).status_code


async def _the_integration_acts(film: Film, key: str, space_id: str) -> None:
    # "Each integration acts as a virtual user": "access content inside spaces", "post messages, assign items".
    assert 201 == (await film.call(key, "POST", f"/spaces/{space_id}/messages", {"body": "The figures of May are in."})).status_code
    assert 201 == (await film.call(key, "POST", f"/spaces/{space_id}/items", {"title": "Read them"})).status_code
    await film.find("home")
    await film.visitor.page.goto(f"{film.scene.site.url}/spaces/{space_id}")
    await film.see("Reporting", "The figures of May are in.", "Read them")
    # "Sync data between Pivot and other platforms", "build dashboards": Reader reads everything, and writes nothing, outside spaces.
    assert [200, 403] == [(await film.call(key, method, "/customers", body)).status_code for method, body in (("GET", None), ("POST", {}))]


async def _the_menu_keeps_its_word(film: Film, key: str, launch_id: str, board_id: str) -> str:
    page = film.visitor.page
    await page.goto(f"{film.scene.site.url}/console/integrations")
    # "Edit Integration – Update the name or modify its organization-level access."
    await film.click("integrations.more", of="Reporting")
    await film.reads("integrations.edit", "Edit Integration", of="Reporting")
    await film.click("integrations.edit", of="Reporting")
    await film.write("integrations.name", "Reports")
    await film.choose("integrations.org-access", "none")
    await film.click("integrations.edit.submit")
    await film.see("Reports is saved")
    assert 403 == (await film.call(key, "GET", "/customers")).status_code
    # "Manage Space Access – Choose which spaces the integration can access and define its role in each one."
    await page.goto(f"{film.scene.site.url}/console/integrations")
    await film.click("integrations.more", of="Reports")
    await film.reads("integrations.spaces", "Manage Space Access", of="Reports")
    await film.click("integrations.spaces", of="Reports")
    await film.choose("integrations.role", "viewer", of="Launch")
    await film.choose("integrations.role", "manager", of="Board")
    await film.click("integrations.spaces.save")
    await film.see("The space access of Reports is saved")
    said = {"body": "Hello"}
    written = [(await film.call(key, "POST", f"/spaces/{space_id}/messages", said)).status_code for space_id in (launch_id, board_id)]
    assert [403, 201] == written
    # "Rotate API Key – Replace the current key with a new one", which "will immediately break all connections using the previous key".
    await page.goto(f"{film.scene.site.url}/console/integrations")
    await film.click("integrations.more", of="Reports")
    await film.reads("integrations.rotate", "Rotate API Key", of="Reports")
    await film.click("integrations.rotate", of="Reports")
    await film.see("breaks at once", "in the last hour")
    await film.fits()
    await film.click("integrations.rotate.submit")
    successor = await film.copied("integrations.secret.copy")
    assert [401, 200] == [(await film.call(one, "GET", "/me")).status_code for one in (key, successor)]
    # "This avoids having to recreate the integration from scratch": name, access and spaces are what they were.
    await film.click("integrations.see")
    await film.see("Reports", "Board\nManager", "Launch\nViewer")
    # "You can add as many integrations as needed, each with its own scope."
    await film.find("nav.keys")
    await film.click("integrations.create")
    await film.write("integrations.name", "Automation")
    await film.click("integrations.next")
    await film.click("integrations.save")
    await film.click("integrations.save-anyway")
    await film.click("integrations.done")
    await expect(film.visitor.control("integrations.open")).to_have_text(["Automation", "Reports"])
    return successor


async def test_only_admins_create_or_configure_integrations(pivot: Scene, browsing: Browsing) -> None:
    cy = await browsing.sign_in(pivot, "Cy")
    await cy.misses("Integrations")
    await cy.open("/integrations/new", status=403)
    await cy.sees("These people can help", "Ada Park")
