"""Pinpoint's help page on API keys, done from its first sentence to its last. Each part by itself stands in `test_pinpoint.py`."""

from playwright.async_api import expect

from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene
from tests.browser.test_pinpoint import DOTS, choose_password
from tests.deliveries.receivers import receiving


@ON_EVERY_SCREEN
async def test_every_sentence_comes_true(pinpoint: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    ada = await browsing.window(pinpoint.site, size=size, scheme=scheme)
    # Who sees a key again has proved who they are.
    await choose_password(pinpoint, ada)
    film = Film(pinpoint, ada)
    # "Click Settings in the left sidebar. Select API & Webhooks. Make sure the Pinpoint API toggle is switched on."
    await film.find("nav-group", "nav.keys")
    await film.see("Settings", "API & Webhooks", "Pinpoint API")
    await expect(ada.control("api.toggle")).to_have_attribute("aria-checked", "true")
    # "You'll see three tabs: API Keys, API Logs, and Webhooks."
    await expect(ada.page.locator("nav.tabs a")).to_have_text(["API Keys", "API Logs", "Webhooks"])
    await _be_told(film)
    dashboard = await _create_a_key(film)
    zapier = await _assign_all(film)
    await _view_and_edit(film, dashboard)
    await _monitor(film, dashboard)
    await _delete(film, dashboard, zapier)


async def _be_told(film: Film) -> None:
    """The tab Webhooks, of which the page says no more: an endpoint is added and tried out."""
    async with receiving() as receiver:
        await film.click("tab.endpoints")
        await film.see("No endpoints yet")
        await film.click("endpoints.create-first")
        await film.write("endpoints.url", receiver.url)
        await film.fits()
        await film.click("endpoints.create.submit")
        assert (await film.copied("endpoints.secret.copy")).startswith("whsec_")
        await film.click("endpoints.issued.test")
        await film.click("endpoints.test.submit")
        await film.see("Request", "webhook-signature", "Response", "200 OK")
        assert "contact.created" in {one.content["type"] for one in receiver.received}
    await film.find("nav.keys")


async def _create_a_key(film: Film) -> str:
    # "Go to the API Keys tab. Click + CREATE NEW. Enter a name for your key."
    await film.click("tab.keys")
    await film.reads("keys.create", "Create new")
    await film.click("keys.create")
    await film.write("keys.create.name", "Reporting Dashboard")
    # "Set permissions for each data category: None, Read, Write and Delete."
    await film.see("None", "Read", "Write and delete")
    await film.choose("keys.level", "read", of="Customers and their contacts")
    await film.fits()
    # "Click CREATE API KEY".
    await film.reads("keys.create.submit", "Create API key")
    await film.click("keys.create.submit")
    secret = await film.copied("keys.secret.copy")
    await film.click("keys.done")
    # "The API Keys tab shows all your active keys with: key name, last used, key value, hidden by default (shown as •••••••••••)."
    await film.see("Key name", "Last used", "Key value", "Reporting Dashboard", DOTS)
    assert [200, 403, 403] == [
        (await film.call(secret, method, path, {})).status_code
        for method, path in (("GET", "/customers"), ("POST", "/customers"), ("GET", "/onboardings"))
    ]
    return secret


async def _assign_all(film: Film) -> str:
    # "Click ASSIGN ALL to grant full access to everything."
    await film.click("keys.create")
    await film.write("keys.create.name", "Zapier")
    await film.reads("keys.assign-all", "Assign all")
    await film.click("keys.assign-all")
    await film.click("keys.create.submit")
    secret = await film.copied("keys.secret.copy")
    await film.click("keys.done")
    assert [200, 200] == [(await film.call(secret, "GET", path)).status_code for path in ("/customers", "/onboardings")]
    return secret


async def _view_and_edit(film: Film, secret: str) -> None:
    page = film.visitor.page
    row = page.locator("tr", has_text="Reporting Dashboard")
    # "Click the copy icon to copy the key to your clipboard."
    await film.click("keys.reveal.copy", of="Reporting Dashboard")
    await expect(film.visitor.control("keys.reveal.copy", of="Reporting Dashboard")).to_have_text("Copied")
    assert secret == await page.evaluate("navigator.clipboard.readText()")
    # "Click the eye icon to reveal the full key temporarily."
    await film.click("keys.reveal", of="Reporting Dashboard")
    await expect(row).to_contain_text(secret)
    await film.fits()
    await film.click("keys.reveal", of="Reporting Dashboard")
    await expect(row).to_contain_text(DOTS)
    # "Click VIEW PERMISSIONS next to any key to see exactly what access it has."
    await film.click("keys.permissions", of="Reporting Dashboard")
    await film.see("Permissions of Reporting Dashboard", "Customers\nRead", "Onboardings\nNone")
    await film.click("keys.permissions.close")
    # "Click the •• menu next to the key. Select Edit. Update the name or permissions. Save your changes."
    await film.click("keys.more", of="Reporting Dashboard")
    await film.reads("keys.edit", "Edit", of="Reporting Dashboard")
    await film.click("keys.edit", of="Reporting Dashboard")
    await film.write("keys.edit.name", "Dashboard")
    await film.choose("keys.level", "read", of="How customers get started")
    await film.reads("keys.edit.submit", "Save changes")
    await film.click("keys.edit.submit")
    # "Changes take effect immediately."
    await film.see("Dashboard is changed")
    assert 200 == (await film.call(secret, "GET", "/onboardings")).status_code


async def _monitor(film: Film, secret: str) -> None:
    page = film.visitor.page
    # "Click the API Logs tab to see a record of all API requests made to your account."
    await film.click("tab.logs")
    rows = page.locator("#lines tbody tr")
    for _ in range(50):
        await page.reload()
        if await rows.count() >= 6:
            break
        await page.wait_for_timeout(100)
    # "Each log entry shows: Path, Created At, Method, Response, API Key, IP Address, Duration."
    await film.see("Path", "Created at", "Method", "Response", "API key", "IP address", "Duration")
    await film.see("/api/v1/customers", "GET", "POST", "200", "403", "Zapier", "127.0.0.1", "ms")
    await film.fits()
    # "Search by path: type in the search box to find specific endpoints."
    await film.write("logs.path", "onboardings")
    await expect(rows).to_have_count(3)
    # "Filter by method: use the All Methods dropdown."
    await film.write("logs.path", "")
    await expect(film.visitor.control("logs.method").locator("option").first).to_have_text("All methods")
    await film.choose("logs.method", "POST")
    await expect(rows).to_have_count(1)
    # "I'm seeing 403 errors: the key doesn't have permission for what it's trying to do. Edit the key and add the necessary permissions."
    await film.click("logs.open")
    await film.see("Why it was refused", "customers:write", "What to do")
    await film.fits()
    await film.click("logs.mend")
    await film.choose("keys.level", "write", of="Customers and their contacts")
    await film.click("keys.edit.submit")
    assert 400 <= (await film.call(secret, "POST", "/customers", {})).status_code != 403


async def _delete(film: Film, dashboard: str, zapier: str) -> None:
    # "Click the •• menu next to the key. Select Delete. Confirm when prompted. Deleting a key is permanent and happens immediately."
    await film.click("keys.more", of="Dashboard")
    await film.reads("keys.end", "Delete", of="Dashboard")
    await film.click("keys.end", of="Dashboard")
    await film.see("Delete Dashboard?", "This is permanent", "stops working at once")
    await film.fits()
    await film.click("keys.end.submit")
    await film.see("Dashboard has ended")
    assert [401, 200] == [(await film.call(one, "GET", "/customers")).status_code for one in (dashboard, zapier)]
    # "I'm seeing 401 errors": "the Pinpoint API toggle is switched on".
    await film.click("api.toggle")
    await film.see("1 active key")
    await film.click("api.switch")
    await film.see("The Pinpoint API is switched off")
    assert 401 == (await film.call(zapier, "GET", "/customers")).status_code
