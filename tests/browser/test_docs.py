"""The docs in a browser: valid, read by everybody, on every screen, with scripts and without."""

import pytest
from playwright.async_api import expect

from tests.browser.sites import PHONE, Browsing, Scene

PAGES = (
    "/docs/introduction",
    "/docs/quickstart",
    "/docs/errors",
    "/docs/errors/key_revoked",
    "/docs/guides/api-keys",
    "/docs/search?q=key",
)
LARGE = (3840, 2160)


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        (PHONE, "dark"),
        (LARGE, "light"),
        *[pytest.param(*one, marks=pytest.mark.fuzz) for one in ((PHONE, "light"), ((1280, 860), "light"), ((1280, 860), "dark"))],
    ],
)
async def test_pages_suit_every_screen(pivotal: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    reader = await browsing.window(pivotal.site, size=size, scheme=scheme)
    for path in PAGES:
        await reader.visit(path)
        assert await reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_reader_goes_from_page_to_page(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/quickstart")
    await reader.press("docs.previous")
    await reader.sees("Introduction", "What to expect of every call")
    await reader.press("docs.next")
    await reader.press("docs.card")
    await reader.sees("how live and test keys differ")
    await reader.press("docs.related")
    await reader.press("docs.tab")
    await reader.press("docs.page")
    await reader.press("docs.link")
    await reader.press("docs.product")
    await reader.visit("/docs/errors/key_revoked")
    await reader.press("docs.trail")
    await reader.sees("All codes, why each of them comes, and what to do then.")
    await reader.control("docs.part").first.click()
    await reader.control("docs.anchor").first.click()
    assert "#" in reader.page.url


async def test_search_answers_while_somebody_types(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/quickstart")
    await reader.page.keyboard.press("/")
    await expect(reader.control("docs.search")).to_be_focused()
    await reader.page.keyboard.type("idempot", delay=20)
    await expect(reader.control("docs.typed").first).to_contain_text("Idempotency")
    await reader.look()
    await reader.press("docs.search.go")
    assert reader.page.url.endswith("/docs/search?q=idempot")
    await reader.press("docs.found")
    await reader.sees("Send a call again without doing it twice")
    await reader.control("docs.search").press_sequentially("cursor", delay=20)
    await expect(reader.control("docs.typed").first).to_be_visible()
    await reader.page.keyboard.press("Escape")
    await expect(reader.control("docs.typed")).to_have_count(0)
    await reader.visit("/docs/search")
    await reader.fill("docs.query", "elephants")
    await reader.press("docs.query.go")
    await reader.sees("No page has all of these words")
    await reader.visit("/docs/old/pagination", status=404)
    await reader.press("docs.found")


async def test_page_is_had_as_markdown(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/quickstart")
    await reader.press("docs.more")
    await expect(reader.control("docs.chatgpt")).to_be_visible()
    await expect(reader.control("docs.page-index")).to_be_visible()
    await reader.control("docs.copy").click()
    await expect(reader.control("docs.copy")).to_have_text("Copied")
    assert (await reader.page.evaluate("navigator.clipboard.readText()")).startswith("Documentation index: ")
    await reader.control("docs.code.copy").first.click()
    assert (await reader.page.evaluate("navigator.clipboard.readText()")).startswith("curl ")
    assert 'href="/docs/quickstart.md"' in await reader.page.content()
    for name in ("docs.markdown", "docs.llms", "docs.llms-full"):
        await expect(reader.control(name)).to_be_visible()
    assert str(await reader.control("docs.claude").get_attribute("href")).startswith("https://claude.ai/new?q=Read%20http")


async def test_ways_into_the_console_lead_there(pivotal: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(pivotal)
    await ada.visit("/docs/quickstart")
    await ada.press("docs.get-key")
    await ada.sees("Create an API key")
    await ada.visit("/docs/quickstart")
    await ada.press("docs.dashboard")
    assert ada.page.url.startswith(f"{pivotal.site.url}/console")


async def test_menu_on_a_phone(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site, size=PHONE)
    await reader.visit("/docs/quickstart")
    await reader.press("docs.menu.open")
    await reader.press("docs.menu.close")
    await reader.press("docs.menu.open")
    await reader.press("docs.menu.tab")
    await reader.visit("/docs/quickstart")
    await reader.control("docs.short").click()
    await reader.control("docs.short.part").first.click()


async def test_theme_is_chosen_with_and_without_scripts(pivotal: Scene, browsing: Browsing) -> None:
    for scripts in (True, False):
        reader = await browsing.window(pivotal.site, scripts=scripts)
        await reader.page.goto(f"{pivotal.site.url}/docs/errors")
        await reader.control("docs.theme").nth(2).click()
        await expect(reader.page.locator("html")).to_have_attribute("data-theme", "dark")
        await reader.page.goto(f"{pivotal.site.url}/docs/quickstart")
        if not scripts:
            await expect(reader.page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_help_is_put_together_for_support(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/errors/key_revoked")
    await reader.press("docs.need-help")
    await reader.fill("docs.help.message", "It worked yesterday.")
    await reader.control("docs.help.field").first.fill("CRM sync")
    await reader.press("docs.help.write")
    await reader.sees("The name of the integration or key: CRM sync", "The error code: key_revoked", "It worked yesterday.")
    await reader.press("docs.help.code")
    await reader.press("docs.help")


async def test_help_is_sent_to_whom_the_brand_names(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await atrium.key("CRM sync")
    await ada.visit("/docs/help?code=key_revoked&request_id=req_1")
    mail = str(await ada.control("docs.help.mail").get_attribute("href"))
    assert mail.startswith("mailto:support@atrium.example?subject=Atrium%20API%3A%20key_revoked&body=")
    assert "req_1" in mail
    support = await ada.control("docs.help.support").get_attribute("href")
    assert "https://atrium.example/support?code=key_revoked&request_id=req_1" == support
    for name in ("docs.help.status", "docs.status"):
        assert "https://status.atrium.example" == await ada.control(name).get_attribute("href")
    await expect(ada.page.locator("datalist option")).to_have_attribute("value", "CRM sync")


@pytest.mark.parametrize(
    ("answer", "asked"), [("docs.helpful.yes", "What helped most?"), ("docs.helpful.no", "What is missing, or wrong?")]
)
async def test_reader_says_whether_a_page_helped(pivotal: Scene, browsing: Browsing, answer: str, asked: str) -> None:
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/quickstart")
    await reader.control(answer).click()
    await reader.sees(asked)
    await reader.fill("docs.comment", "More of this, please.")
    await reader.look()
    await reader.control("docs.comment.send").click()
    await reader.sees("Thank you.")
    assert reader.page.url.endswith("/docs/quickstart")


async def test_answer_is_given_without_scripts(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site, scripts=False)
    await reader.page.goto(f"{pivotal.site.url}/docs/quickstart")
    await reader.control("docs.helpful.no").click()
    await reader.control("docs.comment").fill("A picture would help.")
    await reader.control("docs.comment.send").click()
    await expect(reader.page.locator("main")).to_contain_text("Your comment is with us.")
    await reader.control("docs.back").click()
    await expect(reader.page.locator("h1")).to_have_text("Quickstart")


async def test_operation_is_found_by_what_it_is_about(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/api/explorer")
    everything = await reader.control("docs.endpoint").count()
    await reader.fill("docs.explorer.words", "create")
    await expect(reader.control("docs.endpoint").first).to_contain_text("POST")
    assert 0 < await reader.control("docs.endpoint").count() < everything
    await reader.choose("docs.explorer.tag", "customers")
    await reader.choose("docs.explorer.permission", "customers:write")
    await expect(reader.control("docs.endpoint").first).to_contain_text("/api/v1/customers")
    await reader.look()
    await reader.press("docs.endpoint")
    await reader.sees("Create a customer")


async def test_call_is_sent_from_its_page_with_the_readers_own_key(pivotal: Scene, browsing: Browsing) -> None:
    key = await pivotal.key("local-dev")
    reader = await browsing.window(pivotal.site)
    await reader.visit("/docs/api/customers/create-customer")
    await reader.fill("docs.try.key", key.secret.text)
    await reader.fill("docs.try.body", '{"name": "Aurora Outfitters"}')
    await reader.control("docs.try.send").click()
    await reader.sees("201", '"slug": "aurora-outfitters"')
    await reader.fill("docs.try.key", f"{key.secret.text}x")
    await reader.control("docs.try.send").click()
    await reader.sees("invalid_credential")
    # The browser tells of the 401 that was asked for, too, in its own time.
    while not reader.complaints:
        await reader.page.wait_for_timeout(20)
    assert ["401" in complaint for complaint in reader.complaints] == [True]
    reader.complaints.clear()


async def test_everything_is_read_and_searched_without_scripts(pivotal: Scene, browsing: Browsing) -> None:
    reader = await browsing.window(pivotal.site, scripts=False)
    await reader.page.goto(f"{pivotal.site.url}/docs/quickstart")
    await reader.control("docs.search").fill("pagination")
    await reader.control("docs.search").press("Enter")
    await reader.control("docs.found").first.click()
    await expect(reader.page.locator("h1")).to_have_text("Pagination")
