"""Somebody at a browser, who operates pages by what tests call their controls, and sees what is wrong with each of them."""

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Response, expect

from tests.browser.tools import Validator

AXE_OPTIONS = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
UNNAMED = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter((one) => !one.dataset.control).map((one) => one.outerHTML)"""

# How a page is built, without its words: rows of a list that are built alike count once. What is unfolded is part of it.
SHAPE = """() => {
    const shape = (one) => {
        const parts = [...one.children].map(shape).filter((part, index, all) => part !== all[index - 1]);
        const names = [...one.attributes].map(({ name, value }) => /^(id|href|value|data-|style)/.test(name) ? name : `${name}=${value}`);
        const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const unfolded = one.matches('dialog[open], details[open], :popover-open, :checked');
        return `${one.localName}${names.sort()}${words}${unfolded}${one.checkVisibility()}(${parts})`;
    };
    return `${innerWidth}x${innerHeight} ${matchMedia('(prefers-color-scheme: dark)').matches} ${shape(document.documentElement)}`;
}"""

LEADS_TO = """(one) => {
    const form = one.type === 'submit' ? one.form : null;
    if (one.hasAttribute('popovertarget')) return one.getAttribute('popovertargetaction') === 'hide' ? '' : 'menu';
    if (one.closest('dialog[open] [data-dialog-close]') || form?.matches('[data-theme-form]')) return '';
    if (one.closest('[data-dialog]')) return 'dialog';
    return form || one.matches('a[href]:not([href^="#"])') ? 'page' : '';
}"""


class Visitor:
    """A browser window of one person. `page` is Playwright's, for what no method here does.

    Every page that is opened is looked over: axe finds nothing, its HTML is valid, every control has a name, and nothing was written to
    the browser's console: an error of a script, or a breach of the policy. Axe is not asked again about a page that is built as one
    that it has seen: `sound` holds how those are built.
    """

    sound: ClassVar[set[str]] = set()

    def __init__(self, context: BrowserContext, page: Page, base_url: str, validator: Validator, axe: str) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        self.base_url = base_url
        self._validator = validator
        self._axe = axe
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.set_default_timeout(15_000)

    async def open(self, path: str, status: int = 200) -> None:
        """Open a page by its path below the console, and look it over."""
        await self.visit(f"/console{path}", status)

    async def visit(self, path: str, status: int = 200) -> None:
        """Open a page by its path, and look it over: the host's own pages are held to the same."""
        answer = await self.page.goto(f"{self.base_url}{path}", wait_until="load")
        assert answer is not None
        # What follows the path may be the secret of a sign-in link.
        assert status == answer.status, f"{path.partition('?')[0]}: {answer.status}"
        await self._validate(answer)
        await self.look()

    def control(self, name: str, of: str = "") -> Locator:
        """Return the visible control with this name; `of` is a text in its row, where a list has one for each."""
        named = self.page.locator(f'[data-control="{name}"]').filter(visible=True)
        return named.and_(self.page.locator("tr", has_text=of).locator(f'[data-control="{name}"]')) if of else named

    async def press(self, name: str, of: str = "") -> None:
        """Press a button or a link, wait for the page or the dialog that it opens, and look that over."""
        control = self.control(name, of).first
        leads_to = await control.evaluate(LEADS_TO)
        if leads_to == "page":
            async with self.page.expect_navigation(wait_until="load") as navigation:
                await control.click()
            answer = await navigation.value
            if answer is not None and answer.request.method == "GET":
                await self._validate(answer)
        else:
            await control.click()
        if leads_to == "dialog":
            await self.page.locator("dialog[open]").wait_for()
        if leads_to:
            await self.look()

    async def fill(self, name: str, text: str) -> None:
        """Write into a field."""
        await self.control(name).fill(text)

    async def choose(self, name: str, value: str, of: str = "") -> None:
        """Choose an option of a select, or a radio button or checkbox by its value; `of` is a text in its row."""
        control = self.control(name, of)
        if await control.first.evaluate("(one) => one.tagName") == "SELECT":
            await control.select_option(value)
        else:
            await control.and_(self.page.locator(f'[value="{value}"]')).check()

    async def sees(self, *texts: str) -> None:
        """Expect these texts on the page, where people see them."""
        for text in texts:
            await expect(self.page.locator("body")).to_contain_text(text, use_inner_text=True, ignore_case=True)

    async def misses(self, *texts: str) -> None:
        """Expect none of these texts on the page."""
        for text in texts:
            await expect(self.page.locator("body")).not_to_contain_text(text, use_inner_text=True, ignore_case=True)

    async def look(self) -> None:
        """Look the present page over, as it stands."""
        path = urlsplit(self.page.url).path
        if unnamed := await self.page.evaluate(UNNAMED):
            raise AssertionError(f"{path} has controls without a name: {unnamed}")
        if found := [*await self.violations(), *self.complaints]:
            raise AssertionError(f"{path}: {found}")

    async def violations(self) -> list[str]:
        """What axe finds, and where."""
        shape = await self.page.evaluate(SHAPE)
        if shape in self.sound:
            return []
        # Through the protocol, which the page's policy does not bind.
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(self._axe)
        found: dict[str, Any] = await self.page.evaluate("(options) => axe.run(document, options)", AXE_OPTIONS)
        violations = [f"{one['id']}: {one['help']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]
        if not violations:
            self.sound.add(shape)
        return violations

    async def _validate(self, answer: Response) -> None:
        problems = await self._validator.problems(await answer.text())
        assert not problems, f"{urlsplit(answer.url).path}: {problems}"

    def _note_console(self, message: ConsoleMessage) -> None:
        # A page that answers 403 on purpose is told there too, also one that another above it asked.
        of_page = urlsplit(message.location["url"]).path.startswith(urlsplit(self.page.url).path)
        if message.type in ("error", "warning") and not (of_page and re.match("Failed to load resource", message.text)):
            self.complaints.append(message.text)
