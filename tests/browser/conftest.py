"""A Chromium, Atrium under its brands, and windows in it: one of each for all tests of a process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser import tools
from tests.browser.chromium import launch
from tests.browser.sites import Browsing, Scene, Sites
from tests.browser.tools import Validator
from tests.deliveries.receivers import Receiver, receiving


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def validator() -> AsyncIterator[Validator]:
    """What says whether a page is valid HTML."""
    tools.install()
    validator = await Validator.start()
    yield validator
    await validator.stop()


@pytest.fixture(scope="session")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    """Atrium under each brand that a test asks for: `await sites.of("pivotal")`."""
    async with AsyncExitStack() as stack:
        yield Sites(tmp_path_factory.mktemp("sites"), stack)


@pytest.fixture
async def browsing(chromium: Browser, validator: Validator) -> AsyncIterator[Browsing]:
    """Windows: `await browsing.sign_in(scene, "Ada")`."""
    browsing = Browsing(chromium, validator, tools.axe())
    yield browsing
    await browsing.close()


@pytest.fixture
async def atrium(sites: Sites) -> Scene:
    """A workspace of the test's own, in Atrium as itself."""
    return await (await sites.of("atrium")).workspace()


@pytest.fixture
async def pivotal(sites: Sites) -> Scene:
    """A workspace of the test's own, in Atrium as Pivotal."""
    return await (await sites.of("pivotal")).workspace()


@pytest.fixture
async def pivot(sites: Sites) -> Scene:
    """A workspace of the test's own, in Atrium as Pivot."""
    return await (await sites.of("pivot")).workspace()


@pytest.fixture
async def pinpoint(sites: Sites) -> Scene:
    """A workspace of the test's own, in Atrium as Pinpoint."""
    return await (await sites.of("pinpoint")).workspace()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A customer's server, for webhooks."""
    async with receiving() as one:
        yield one
