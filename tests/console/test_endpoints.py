"""The pages of endpoints: made, shown once, changed, rotated, disabled and deleted, by admins alone."""

from keyrack.manage import endpoints
from keyrack.manage.endpoints import Issued
from keyrack.model.endpoints import Endpoint
from tests.console.browser import Browser, Page
from tests.console.visitors import Office

LIST = "/console/endpoints"
NEW = f"{LIST}/new"
URL = "https://receiver.example/hooks?token=hidden"


async def add(office: Office, **fields: object) -> Issued:
    given: dict[str, object] = {"url": URL, "events": ["*"], "mode": office.host.rack.brand.modes[0]}
    return await endpoints.create(office.desk, office.host.owner, **(given | fields))  # type: ignore[arg-type]


async def stored(office: Office) -> list[Endpoint]:
    return await endpoints.page(office.desk, office.host.owner, limit=50)


async def create(browser: Browser, **fields: str) -> Page:
    return await browser.submit(await browser.open(NEW), LIST, url=URL, **fields)


async def test_an_endpoint_is_added_and_its_secret_is_shown_once(office: Office) -> None:
    browser = await office.signed_in()
    empty = await browser.open(LIST)
    assert "No endpoints yet" in empty.text
    made = await create(browser, description="Our CRM")
    assert 200 == made.status
    assert "no-store" == made.answer.headers["cache-control"]
    (endpoint,) = await stored(office)
    (secret,) = [code for code in made.root.all("code") if code.attributes.get("id") == "secret"]
    assert secret.text.startswith("whsec_")
    assert ("Our CRM", ("*",), URL) == (endpoint.description, endpoint.events, endpoint.url)
    listed = await browser.open(LIST)
    assert "https://receiver.example/hooks?…" in listed.text
    for page in (listed, await browser.open(f"{LIST}/{endpoint.id}/edit")):
        assert secret.text not in page.answer.text
