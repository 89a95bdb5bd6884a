"""The page of the request log, click by click: searched, opened, watched live, charted and exported."""

import csv
import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from keyrack.manage import keys, sessions
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Level, Rights
from keyrack.model.request_logs import RequestLog
from tests.browser.log_lines import lines, write
from tests.browser.sites import DESKTOP, PHONE, Browsing, Scene
from tests.browser.visitor import Visitor
from tests.spool.lines import a_line

HOUR_MS = 3_600_000
CANVAS_IS_PAINTED = """(canvas) => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, place) => place % 4 === 3 && value > 0);
}"""


async def busy(scene: Scene, count: int = 400) -> list[RequestLog]:
    """Fill the log with the calls of two keys in the last day."""
    issued = [await scene.key("Zapier"), await scene.key("Reporting Dashboard")]
    now = scene.site.desk.now()
    logged = list(lines(scene.workspace.id, issued, count, now - 20 * HOUR_MS, now))
    await write(scene.site.desk.store, logged)
    return logged


async def call(scene: Scene, issued: Issued, method: str = "GET", path: str = "/customers") -> httpx.Response:
    async with httpx.AsyncClient(base_url=scene.site.url) as client:
        return await client.request(method, f"/api/v1{path}", headers={"Authorization": f"Bearer {issued.secret.text}"}, json={})


async def settled(visitor: Visitor, name: str, count: int) -> None:
    """Expect so many rows in the list."""
    await expect(visitor.control(name)).to_have_count(count)


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
async def test_its_pages_are_sound_and_fit(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    ada = await browsing.sign_in(atrium, size=size, scheme=scheme)
    await ada.open("/logs")
    logged = await busy(atrium)
    refused = next(line for line in logged if line.status == 403)
    for path in ("/logs", "/logs?range=7d", "/logs?path=nowhere", "/logs/export?status=4xx", f"/logs/{refused.request_id}"):
        await ada.open(path)
        assert await ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


async def test_an_integration_and_an_ended_key_lead_to_their_calls(atrium: Scene, browsing: Browsing) -> None:
    zapier, other = await atrium.key("Zapier"), await atrium.key("CRM sync")
    for issued in (zapier, zapier, other):
        assert 200 == (await call(atrium, issued)).status_code
    await keys.revoke(atrium.site.desk, atrium.operator, other.key.id)
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs")
    await ada.press("logs.live")
    await settled(ada, "logs.open", 3)
    await ada.open(f"/integrations/{zapier.integration.id}")
    await ada.press("integrations.logs")
    await settled(ada, "logs.open", 2)
    await expect(ada.control("logs.integration").locator("option:checked")).to_have_text("Zapier")
    await ada.choose("logs.integration", "")
    await settled(ada, "logs.open", 3)
    await ada.open("/keys?state=ended")
    await ada.press("keys.logs", of="CRM sync")
    await settled(ada, "logs.open", 1)


async def test_calls_are_found_by_path_method_response_key_and_environment(atrium: Scene, browsing: Browsing) -> None:
    first, second = await atrium.key("Zapier"), await atrium.key("CI", mode=atrium.site.rack.brand.modes[1])
    for issued, method, path in ((first, "GET", "/customers"), (first, "POST", "/onboardings"), (second, "GET", "/onboardings")):
        await call(atrium, issued, method, path)
    ada = await browsing.sign_in(atrium)
    await ada.press("nav.keys")
    await ada.press("tab.logs")
    await ada.press("logs.live")
    await settled(ada, "logs.open", 3)
    await ada.press("logs.live")
    for name, value, count in (
        ("logs.method", "POST", 1),
        ("logs.status", "4xx", 1),
        ("logs.key", second.key.id, 1),
        ("logs.mode", "test", 1),
    ):
        await ada.choose(name, value)
        await settled(ada, "logs.open", count)
        await ada.choose(name, "")
        await settled(ada, "logs.open", 3)
    await ada.fill("logs.path", "/onboardings")
    await settled(ada, "logs.open", 2)
    await ada.fill("logs.path", "nowhere")
    await ada.sees("No call matches")
    await ada.look()
    await ada.press("logs.clear")
    await settled(ada, "logs.open", 3)


async def test_a_key_leads_to_its_calls_and_a_call_to_those_of_its_key(atrium: Scene, browsing: Browsing) -> None:
    logged = await busy(atrium, 40)
    count = sum(line.credential_name == "Zapier" for line in logged)
    ada = await browsing.sign_in(atrium)
    await ada.open("/keys")
    await ada.press("keys.more", of="Zapier")
    await ada.press("keys.logs", of="Zapier")
    await settled(ada, "logs.open", count)
    await ada.open("/logs")
    await ada.press("logs.open", of="Zapier")
    await ada.press("logs.of-key")
    await settled(ada, "logs.open", count)


async def test_a_refused_call_says_why_what_to_do_and_how_to_send_it_again(atrium: Scene, browsing: Browsing) -> None:
    issued = await atrium.key("Reporting", Rights(permissions={"customers": Level.READ}))
    refused = await call(atrium, issued, "POST")
    ada = await browsing.sign_in(atrium)
    await ada.page.goto(refused.json()["request_log_url"])
    await ada.look()
    await ada.sees("403 Missing permission", "Why it was refused", "customers:write", "What to do")
    await ada.press("logs.curl.copy")
    copied = await ada.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl -X POST {atrium.site.url}/api/v1/customers")
    assert issued.secret.text not in copied
    await ada.press("logs.request-id.copy")
    assert refused.headers["x-request-id"] == await ada.page.evaluate("navigator.clipboard.readText()")
    answer = await ada.page.request.get(await ada.control("logs.docs").evaluate("(link) => link.href"))
    assert (200, True) == (answer.status, "insufficient_permission" in await answer.text())
    await ada.press("logs.mend")
    await expect(ada.control("keys.edit.name")).to_have_value("Reporting")


async def test_a_row_opens_in_a_dialog_and_a_slow_one_is_marked(atrium: Scene, browsing: Browsing) -> None:
    now = atrium.site.desk.now()
    await write(
        atrium.site.desk.store, [a_line(atrium.workspace.id, now - 5000, duration_us=2_400_000), a_line(atrium.workspace.id, now - 9000)]
    )
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs")
    await expect(ada.page.locator("#lines tbody tr").first).to_contain_text("2.40 s, slow")
    await expect(ada.page.locator("#lines tbody tr").last).not_to_contain_text("slow")
    await ada.press("logs.open", of="slow")
    await ada.sees("Slow. Ask for less at once")
    await ada.press("logs.close")
    await expect(ada.page.locator("dialog")).to_be_hidden()


async def test_new_calls_come_in_while_the_page_is_live_and_no_others(atrium: Scene, browsing: Browsing) -> None:
    issued = await atrium.key("Zapier")
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs")
    await ada.sees("No calls in the last 24 hours")
    await ada.press("logs.curl-first.copy")
    assert "/api/v1/me" in await ada.page.evaluate("navigator.clipboard.readText()")
    await ada.press("logs.live")
    await expect(ada.control("logs.live")).to_have_attribute("aria-pressed", "true")
    await call(atrium, issued)
    await settled(ada, "logs.open", 1)
    await ada.sees("1 new call")
    await ada.look()
    await ada.press("logs.live")
    await ada.sees("Paused")
    asked: list[str] = []
    ada.page.on("request", lambda request: asked.append(request.url))
    await call(atrium, issued)
    await ada.page.wait_for_timeout(2500)
    assert [] == asked


async def test_the_live_page_stops_by_itself_when_its_session_ends(atrium: Scene, browsing: Browsing) -> None:
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs")
    await ada.press("logs.live")
    (secret,) = [cookie["value"] for cookie in await ada.context.cookies() if cookie["name"].endswith("_session")]
    member = await sessions.find(atrium.site.desk, secret)
    assert member is not None
    await sessions.end(atrium.site.desk, member)
    await ada.sees("Paused: your sign-in has ended")
    await expect(ada.control("logs.live")).to_have_attribute("aria-pressed", "false")
    ada.complaints.clear()


async def test_a_live_page_goes_on_with_other_filters_and_keeps_fifty_rows(atrium: Scene, browsing: Browsing) -> None:
    await busy(atrium)
    issued = await atrium.key("CI")
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs")
    await settled(ada, "logs.open", 50)
    await ada.press("logs.live")
    await ada.choose("logs.method", "GET")
    await expect(ada.control("logs.live")).to_have_attribute("aria-pressed", "true")
    await call(atrium, issued, "POST")
    await call(atrium, issued, "GET", "/onboardings")
    await expect(ada.page.locator("#lines tbody tr").first).to_contain_text("/api/v1/onboardings")
    await settled(ada, "logs.open", 50)
    await expect(ada.page.locator("#lines tbody")).not_to_contain_text("POST")


async def test_charts_are_drawn_follow_the_range_and_have_a_table(atrium: Scene, browsing: Browsing) -> None:
    logged = await busy(atrium)
    ada = await browsing.sign_in(atrium, scheme="dark")
    await ada.open("/logs")
    await expect(ada.page.locator(".chart canvas")).to_have_count(2)
    for canvas in await ada.page.locator(".chart canvas").all():
        assert await canvas.evaluate(CANVAS_IS_PAINTED)
    await ada.press("logs.figures")
    columns = await ada.page.locator("#figures tbody tr").evaluate_all("(rows) => rows.map((row) => row.cells[1].textContent)")
    assert len(logged) == sum(int(text) for text in columns)
    await ada.look()
    for name, title in (("1h", "the last hour"), ("7d", "the last 7 days"), ("30d", "the last 30 days"), ("", "the last 24 hours")):
        await ada.choose("logs.range", name)
        await expect(ada.page.locator("[data-chart=calls]")).to_have_attribute("aria-label", re.compile(title))
        await expect(ada.page.locator(".chart canvas")).to_have_count(2)
    await ada.page.locator("[data-chart=calls]").hover()
    await ada.sees("refused, ")


async def test_a_file_of_the_filtered_calls_is_made_with_progress(atrium: Scene, browsing: Browsing, tmp_path: Path) -> None:
    logged = [line for line in await busy(atrium, 1500) if line.method == "GET"]
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs?method=GET")
    for kind in ("csv", "jsonl"):
        await ada.press("logs.export")
        await ada.choose("logs.export.format", kind)
        async with ada.page.expect_download() as saving:
            await ada.control("logs.export.submit").click()
        saved = await saving.value
        assert saved.suggested_filename.endswith(f".{kind}")
        await saved.save_as(tmp_path / kind)
        await ada.sees(f"{len(logged):,} lines are in the file")
        await expect(ada.page.locator("progress")).to_have_js_property("value", 1)
        await ada.look()
        await ada.press("cancel")
    expected = [line.request_id for line in reversed(logged)]
    with (tmp_path / "csv").open(newline="") as file:
        assert expected == [row["request_id"] for row in csv.DictReader(file)]
    assert expected == [json.loads(line)["id"] for line in (tmp_path / "jsonl").read_text().splitlines()]


async def test_without_scripts_it_is_read_filtered_and_downloaded(atrium: Scene, browsing: Browsing) -> None:
    await busy(atrium, 60)
    ada = await browsing.window(atrium.site, scripts=False)
    await ada.page.goto(f"{atrium.site.url}/console{await atrium.link()}")
    await ada.control("sign-in").click()
    await ada.page.goto(f"{atrium.site.url}/console/logs")
    await expect(ada.control("logs.live")).to_have_count(0)
    await ada.control("logs.figures").click()
    await expect(ada.page.locator("#figures")).to_be_visible()
    await ada.choose("logs.method", "GET")
    await ada.control("logs.filter").click()
    assert set(await ada.page.locator("#lines .method").all_text_contents()) == {"GET"}
    await ada.control("logs.open").first.click()
    await expect(ada.page.locator("h1")).to_contain_text("GET")
    await ada.page.goto(f"{atrium.site.url}/console/logs/export?method=GET")
    async with ada.page.expect_download() as saving:
        await ada.control("logs.export.submit").click()
    assert (await saving.value).suggested_filename.endswith(".csv")


async def test_a_search_that_is_not_at_its_end_goes_on(atrium: Scene, browsing: Browsing) -> None:
    now = atrium.site.desk.now()
    await write(atrium.site.desk.store, [a_line(atrium.workspace.id, now - 1000 - number) for number in range(15_100)])
    ada = await browsing.sign_in(atrium)
    await ada.open("/logs?method=PUT")
    await ada.sees("Searched back to", "found nothing yet")
    await ada.press("logs.continue")
    await ada.sees("That was all")
    await ada.press("logs.back")
    await ada.sees("Searched back to")


async def test_a_plain_member_finds_the_page_and_its_own_calls_alone(atrium: Scene, browsing: Browsing) -> None:
    await busy(atrium, 40)
    cy = await browsing.sign_in(atrium, "Cy")
    await cy.press("nav.keys")
    await cy.sees("API Logs", "No calls of yours")
    await expect(cy.control("logs.key")).to_have_count(0)
