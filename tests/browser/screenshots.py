"""Pictures of every page, light and dark, on a desktop and a phone, into screenshots/: `make screenshots`."""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
from playwright.async_api import async_playwright

from atrium.brands import BRANDS
from atrium.samples import load
from keyrack.manage import keys, people, tokens
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole
from keyrack.model.principals import Mode
from tests.browser import log_lines, tools
from tests.browser.chromium import launch
from tests.browser.docs_pictures import OF_DOCS
from tests.browser.people_pictures import PLACES, choose_spaces, furnish, invite, join
from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene, served
from tests.browser.tools import Validator
from tests.browser.visitor import Visitor
from tests.browser.webhook_pictures import OF_WEBHOOKS, furnish_webhooks

FOLDER = Path(__file__).parent.parent.parent / "screenshots"
SIZES = {"desktop": DESKTOP, "phone": PHONE}
Step = Callable[[Visitor], Awaitable[None]]


def opened(path: str, *controls: str, of: str = "", status: int = 200) -> Step:
    """Return the way to a picture: open a page, then press these controls, in the row of `of` where they stand in several."""

    async def step(visitor: Visitor) -> None:
        await visitor.open(path, status)
        for control in controls:
            await visitor.press(control, of if await visitor.control(control).count() > 1 else "")

    return step


def visited(path: str, *controls: str) -> Step:
    """Return the way to a picture of a page of the host's own: open it, then press these controls, each the first of its name."""

    async def step(visitor: Visitor) -> None:
        await visitor.visit(path)
        for control in controls:
            await visitor.press(control)

    return step


async def _try_a_chatbot(visitor: Visitor) -> None:
    await visitor.visit("/chatbots")
    await visitor.press("atrium.chatbot")
    await visitor.fill("atrium.try.question", "When do my points expire?")
    await visitor.press("atrium.try.ask")
    await visitor.control("atrium.citation").first.click()


async def _add_a_wrong_source(visitor: Visitor) -> None:
    await visitor.visit("/sources/new?kind=url")
    await visitor.fill("atrium.source.url", "ftp://aurora.com/help")
    await visitor.press("atrium.source.add")


async def _make_key(visitor: Visitor) -> None:
    await visitor.open("/keys/new")
    await visitor.fill("keys.create.name", "local-dev")
    await visitor.press("keys.create.submit")


def _in_community(path: str, *controls: str) -> Step:
    """Return the way to a picture of the community, which whoever comes first joins."""

    async def step(visitor: Visitor) -> None:
        await visitor.visit("/community")
        if await visitor.control("community.join").count():
            await visitor.press("community.join")
        await visitor.visit(path)
        for control in controls:
            await visitor.press(control)

    return step


def _wizard(name: str, *controls: str) -> Step:
    async def step(visitor: Visitor) -> None:
        await visitor.open("/integrations/new")
        await visitor.fill("integrations.name", name)
        for control in controls:
            await visitor.press(control)

    return step


# Where a picture is of a list of keys, or of integrations, the brand has one. Add a line for each page that people see.
PICTURES: dict[str, Step] = {
    "overview": opened(""),
    "not-found": opened("/nothing", status=404),
    "api-toggle": opened("", "api.toggle"),
    "usage": opened("/usage"),
}
OF_PEOPLE: dict[str, Step] = {
    **{name: opened(place.path, *place.controls, of=place.of, status=place.status) for name, place in PLACES.items()},
    "people-invitation-link": invite,
    "sign-in-join": join,
}
OF_MODULES: dict[str, dict[str, Step]] = {
    "customers": {"atrium-customers": visited("/customers"), "atrium-customer": visited("/customers/tidewater-hotels")},
    "onboardings": {"atrium-onboardings": visited("/onboardings")},
    "spaces": {
        "atrium-spaces": visited("/spaces"),
        "spaces": opened("/spaces"),
        "spaces-details": opened("/spaces?search=product+launch", "spaces.open"),
        "spaces-role": opened("/spaces?search=product+launch", "spaces.open", "spaces.role", of="Data sync"),
        "spaces-add": opened("/spaces?search=product+launch", "spaces.open", "spaces.add"),
        "spaces-new": opened("/spaces/new"),
        "spaces-delete": opened("/spaces?search=product+launch", "spaces.open", "spaces.delete"),
        "people-invitations-spaces": choose_spaces,
    },
    "chat": {
        "chatbots": visited("/chatbots"),
        "chatbots-new": visited("/chatbots/new"),
        "chatbots-tried": _try_a_chatbot,
        "chatbots-delete": visited("/chatbots", "atrium.chatbot", "atrium.chatbot.delete"),
        "sources": visited("/sources"),
        "sources-new": visited("/sources/new"),
        "sources-new-wrong": _add_a_wrong_source,
        "sources-none": visited("/sources?status=pending"),
        "conversations": visited("/conversations"),
        "conversations-open": visited("/conversations", "atrium.conversation"),
        "leads": visited("/leads"),
    },
}
OF_COMMUNITY: dict[str, Step] = {
    "community": _in_community("/community"),
    "community-space": _in_community("/community/ask"),
    "community-thread": _in_community("/community/ask", "community.thread"),
    "community-update": _in_community("/community/updates", "community.thread"),
    "community-support": _in_community("/community/support", "community.compose"),
    "community-unfollow": visited("/community/unfollow?link=torn"),
}
OF_KEYS: dict[str, Step] = {
    "keys": opened("/keys"),
    "keys-ended": opened("/keys?state=ended"),
    "keys-idle": opened("/keys?state=idle"),
    "keys-no-match": opened("/keys?search=nothing"),
    "keys-menu": opened("/keys", "keys.more", of="Zapier"),
    "keys-rotate": opened("/keys", "keys.more", "keys.rotate", of="Zapier"),
    "keys-end": opened("/keys", "keys.more", "keys.end", of="Zapier"),
    "keys-edit": opened("/keys", "keys.more", "keys.edit", of="Reporting Dashboard"),
    "keys-new": opened("/keys/new"),
    "keys-issued": _make_key,
}
OF_TOKENS: dict[str, Step] = {
    "tokens": opened("/preferences/api"),
    "tokens-generate": opened("/preferences/api", "tokens.generate"),
    "tokens-new": opened("/preferences/api/new"),
    "tokens-mine": opened("/preferences/access"),
    "access": opened("/access"),
    "access-partner": opened("/access?partner=Northwind"),
    "access-revoke": opened("/access?partner=Northwind", "access.revoke-partner"),
}
OF_LOGS: dict[str, Step] = {
    "logs": opened("/logs"),
    "logs-7d": opened("/logs?range=7d&status=4xx"),
    "logs-no-match": opened("/logs?path=nothing"),
    "logs-refused": opened("/logs?status=403", "logs.open"),
    "logs-export": opened("/logs?status=4xx", "logs.export"),
}
OF_RIGHTS: dict[str, Step] = {
    "keys-permissions": opened("/keys", "keys.permissions", of="Warehouse sync"),
}
OF_INTEGRATIONS: dict[str, Step] = {
    "integrations": opened("/integrations"),
    "integrations-no-match": opened("/integrations?search=nothing"),
    "integrations-menu": opened("/integrations", "integrations.more", of="Data sync"),
    "integrations-details": opened("/integrations?search=data+sync", "integrations.open"),
    "integrations-edit": opened("/integrations?search=data+sync", "integrations.more", "integrations.edit"),
    "integrations-spaces": opened("/integrations?search=data+sync", "integrations.more", "integrations.spaces"),
    "integrations-rotate": opened("/integrations", "integrations.more", "integrations.rotate", of="Zapier"),
    "integrations-delete": opened("/integrations", "integrations.more", "integrations.delete", of="Zapier"),
    "integrations-new": opened("/integrations/new"),
    "integrations-new-wrong": _wizard("   ", "integrations.next"),
    "integrations-new-spaces": _wizard("Data warehouse", "integrations.next"),
    "integrations-new-nothing": _wizard("Data warehouse", "integrations.next", "integrations.save"),
    "integrations-issued": _wizard("Data warehouse", "integrations.next", "integrations.save", "integrations.save-anyway"),
}


async def main(brands: list[str], names: list[str]) -> None:
    """Take the pictures of these brands: all of them, or those whose name begins with one of the names."""
    tools.install()
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        validator = await Validator.start()
        for brand in brands:
            with tempfile.TemporaryDirectory(prefix="keyrack-screenshots-") as folder:
                async with served(Path(folder), brand) as site:
                    scene = await site.workspace()
                    await _furnish(scene)
                    browsing = Browsing(browser, validator, tools.axe())
                    for size in SIZES:
                        for scheme in ("light", "dark"):
                            await _take(await browsing.sign_in(scene, size=SIZES[size], scheme=scheme), brand, names, f"{size}-{scheme}")
                    await browsing.close()
        await validator.stop()
        await browser.close()


async def _furnish(scene: Scene) -> None:
    """Put what a workspace has after a while into one."""
    await load(scene.site.rack, scene.workspace.id)
    await furnish(scene)
    if "messages" in scene.site.rack.categories:
        await _furnish_spaces(scene)
    narrow = Rights(permissions=dict(zip(scene.site.rack.categories, (Level.READ, Level.WRITE), strict=False)))
    if scene.site.rack.brand.personal_tokens:
        await _furnish_tokens(scene, narrow)
    ended = await scene.key("old laptop")
    disabled = await scene.key("CRM sync")
    await scene.key("ci", mode=scene.site.rack.brand.modes[-1])
    used = [await scene.key("Zapier"), await _key_of_last_month(scene, "Reporting Dashboard", narrow)]
    await _key_of_last_month(scene, "Holiday script", narrow)
    sync = await _key_of_last_month(scene, "Warehouse sync", narrow)
    await keys.revoke(scene.site.desk, scene.operator, ended.key.id)
    await keys.edit(scene.site.desk, scene.operator, disabled.key.id, enabled=False)
    await keys.rotate(scene.site.desk, scene.operator, (await scene.key("prod-server", mode=Mode.LIVE)).key.id, 86400)
    async with httpx.AsyncClient(base_url=scene.site.url) as client:
        for issued in (*used, sync):
            listed = next(iter(scene.site.rack.categories))
            for path in ("/me", f"/{listed}", f"/{listed}/nobody"):
                await client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {issued.secret.text}"})
    if scene.site.rack.brand.webhooks:
        await furnish_webhooks(scene, used[0])
    at = scene.site.desk.now()
    await log_lines.write(scene.site.desk.store, list(log_lines.lines(scene.workspace.id, used, 4000, at - 86_400_000, at)))
    # Logs are moved to where pages find them once a second.
    await asyncio.sleep(2)


async def _key_of_last_month(scene: Scene, name: str, rights: Rights) -> keys.Issued:
    desk = scene.site.desk
    then = replace(desk, now=lambda: desk.now() - 40 * 86_400_000)
    return await keys.create(then, scene.operator, name=name, rights=rights)


async def _furnish_tokens(scene: Scene, narrow: Rights) -> None:
    desk, rack = scene.site.desk, scene.site.rack
    for name, partner in (("Ada", None), ("Bo", None), ("Cy", "Northwind")):
        one = await rack.members.edit(scene.workspace.id, scene.members[name].id, may_use_api=True, partner=partner)
        acting = replace(people.acting_as(desk, scene.workspace, one.id, one.name), rights=Rights(OrgAccess.ADMIN))
        await tokens.generate(desk, acting)
        await tokens.create(desk, acting, name="Nightly report", rights=narrow)


async def _furnish_spaces(scene: Scene) -> None:
    board, launch, finance = [
        (await scene.site.rack.spaces.create(scene.workspace.id, name)).id for name in ("Board", "Product launch", "Finance")
    ]
    await scene.key("Data sync", Rights(OrgAccess.READER, spaces={launch: SpaceRole.CONTRIBUTOR, finance: SpaceRole.VIEWER}))
    for name, space_id, role in (
        ("Ada", board, SpaceRole.MANAGER),
        ("Ada", launch, SpaceRole.MANAGER),
        ("Bo", launch, SpaceRole.VIEWER),
    ):
        await scene.site.rack.spaces.set_role(scene.workspace.id, space_id, scene.members[name].id, role)


async def _take(visitor: Visitor, brand: str, names: list[str], suffix: str) -> None:
    shown = BRANDS[brand].brand
    pictures = {
        **PICTURES,
        "atrium-activity": visited("/activity"),
        **{name: step for module in BRANDS[brand].modules for name, step in OF_MODULES.get(module, {}).items()},
        **OF_PEOPLE,
        **OF_LOGS,
        **OF_DOCS,
        **(OF_COMMUNITY if shown.community else {}),
        **(OF_TOKENS if shown.personal_tokens else {}),
        **(OF_KEYS if "keys" in shown.lists else {}),
        **(OF_WEBHOOKS if shown.webhooks else {}),
        **(OF_INTEGRATIONS if "integrations" in shown.lists else {}),
        **(OF_RIGHTS if "keys" in shown.lists and shown.edits_levels else {}),
    }
    for name, step in pictures.items():
        if not names or name.startswith(tuple(names)):
            await step(visitor)
            whole = not await visitor.page.locator("dialog[open], .menu:popover-open").count()
            await visitor.page.screenshot(path=FOLDER / brand / f"{name}-{suffix}.png", full_page=whole)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brand", action="append", choices=BRANDS, help="a brand; all of them where none is named")
    parser.add_argument("--page", action="append", default=[], help="what pictures' names begin with; all of them where none is named")
    given = parser.parse_args()
    asyncio.run(main(given.brand or list(BRANDS), given.page))
