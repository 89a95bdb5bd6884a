"""Atrium's pages of chat, every page and control of them: somebody makes a chatbot, feeds it, tries it, and reads what came of it."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.atrium.chat.talking import pdf
from tests.browser.films import ON_EVERY_SCREEN, Film
from tests.browser.sites import Browsing, Scene
from tests.deliveries.receivers import receiving, status

PRICES = pdf("The blue kettle costs 39 euros.", "Delivery within Europe is free.")
HELP = b"<!doctype html><title>Returns</title><h1>Returns</h1><p>A kettle can be returned within 30 days.</p>"
HOURS = "The shop opens at nine.\n\nOn Sundays it is closed."


@ON_EVERY_SCREEN
async def test_chatbot_is_made_and_fed(atrium: Scene, browsing: Browsing, tmp_path: Path, size: tuple[int, int], scheme: str) -> None:
    film = await Film.begin(atrium, browsing, size, scheme)
    await _make(film)
    await _upload(film, tmp_path)
    await _mend(film)
    await _write(film)


@ON_EVERY_SCREEN
async def test_chatbot_is_tried_and_what_came_of_it_is_read(atrium: Scene, browsing: Browsing, size: tuple[int, int], scheme: str) -> None:
    film = await Film.begin(atrium, browsing, size, scheme)
    async with receiving(lambda _: status(200, "Content-Type: text/html", body=HELP)) as shop:
        await _feed(film, f"{shop.url}/returns")
        await _try(film)
    await _read(film)
    await _take_leads(film)
    await _change_and_delete(film)


async def _go(film: Film, control: str, of: str = "") -> None:
    """Press what leads to a page, which is looked over and is no wider than its screen."""
    await film.visitor.press(control, of)
    assert await film.visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), film.visitor.page.url


async def _choose(film: Film, control: str, text: str) -> None:
    """Click one of several links of one name."""
    await film.visitor.control(control).get_by_text(text, exact=True).click()


async def _make(film: Film) -> None:
    await film.visitor.visit("/sources/new")
    await film.see("First, a chatbot")
    for page in ("sources", "conversations", "leads", "chatbots"):
        await _go(film, f"atrium.{page}")
        await film.see(f"No {page} yet")
    await film.click("atrium.chatbots.new")
    await film.click("atrium.cancel")
    await _go(film, "atrium.chatbots.new")
    await film.write("atrium.chatbot.name", "   ")
    await film.write("atrium.chatbot.greeting", "Hello! Ask me anything about our shop.")
    await film.write("atrium.chatbot.fallback", "I do not know. Leave your address.")
    await _go(film, "atrium.chatbot.save")
    await film.see("Write something that can be seen")
    await expect(film.visitor.control("atrium.chatbot.fallback")).to_have_value("I do not know. Leave your address.")
    await film.write("atrium.chatbot.name", "Help desk")
    await _go(film, "atrium.chatbot.save")
    await film.see("Help desk", "Hello! Ask me anything", "nothing to answer from yet")


async def _upload(film: Film, folder: Path) -> None:
    prices, broken = folder / "prices.pdf", folder / "broken.pdf"
    prices.write_bytes(PRICES)
    broken.write_bytes(b"no PDF at all")
    await _go(film, "atrium.sources.new")
    await expect(film.visitor.control("atrium.source.chatbot").locator("option:checked")).to_have_text("Help desk")
    file = film.visitor.control("atrium.source.file")
    await file.set_input_files({"name": "big.pdf", "mimeType": "application/pdf", "buffer": b"x" * 1_100_000})
    await film.click("atrium.source.add")
    assert "larger than" in await file.evaluate("(one) => one.validationMessage")
    await file.set_input_files(prices)
    await film.click("atrium.source.add")
    # Nobody reloads: the page shows by itself when the file has been read.
    await film.see("prices.pdf", "Ready", "2 passages")
    await film.fits()
    await film.click("atrium.sources.new")
    await file.set_input_files(broken)
    await film.write("atrium.source.name", "Old prices")
    await film.click("atrium.source.add")
    await film.see("Old prices", "Failed")


async def _mend(film: Film) -> None:
    await _go(film, "atrium.sources")
    await film.see("This is no PDF file", "Help desk")
    await film.click("atrium.source.retry")
    await film.see("This is no PDF file")
    await _go(film, "atrium.source.delete", of="Old prices")
    await film.see("Delete Old prices?", "Help desk answers nothing from it any more")
    await film.click("atrium.delete")
    await film.miss("Old prices")
    await _choose(film, "atrium.sources.status", "Failed")
    await film.see("No source is here")
    await film.fits()


async def _write(film: Film) -> None:
    await film.click("atrium.sources.new")
    for kind in ("Web page", "Markdown", "Text"):
        await _choose(film, "atrium.source.kind", kind)
    await film.write("atrium.source.name", "Opening hours")
    await film.write("atrium.source.text", HOURS)
    await _go(film, "atrium.source.add")
    await film.see("Opening hours", "49 Bytes")
    await film.click("atrium.sources.new")
    await _choose(film, "atrium.source.kind", "Web page")
    await film.write("atrium.source.url", "ftp://aurora.com")
    await _go(film, "atrium.source.add")
    await film.see("Write a whole address")
    await expect(film.visitor.control("atrium.source.url")).to_have_value("ftp://aurora.com")
    await film.click("atrium.trail")
    await film.see("Ready", "prices.pdf", "Opening hours")


async def _call(film: Film, method: str, path: str, body: Any = None) -> Any:
    secret = (await film.scene.key("CRM sync")).secret.text
    return (await film.call(secret, method, path, body)).json()


async def _feed(film: Film, url: str) -> None:
    made = await _call(film, "POST", "/chatbots", {"name": "Help desk", "fallback": "I do not know. Leave your address."})
    for source in ({"kind": "url", "url": url}, {"kind": "text", "name": "Opening hours", "text": HOURS}):
        await _call(film, "POST", "/sources", {"chatbot_id": made["id"], **source})
    await film.visitor.visit("/chatbots")
    await film.see("2 ready")
    await film.fits()


async def _try(film: Film) -> None:
    await _go(film, "atrium.chatbot")
    for question in ("When does the shop open?", "Can a kettle be returned?", "Who won the match?"):
        await film.write("atrium.try.question", question)
        await film.click("atrium.try.ask")
        await film.see(question)
    await film.see("opens at nine", "[1] Opening hours", "Found nothing", "I do not know. Leave your address.")
    for citation in await film.visitor.control("atrium.citation").all():
        await citation.click()
    await expect(film.visitor.page.locator("blockquote").first).to_contain_text("opens at nine")
    await expect(film.visitor.control("atrium.citation.page").first).to_contain_text("/returns")
    await film.fits()
    await film.click("atrium.chatbot.sources")
    await film.see("Returns", "Opening hours")
    await film.visitor.control("atrium.trail").get_by_text("Help desk").click()
    await film.miss("opens at nine")
    await film.visitor.page.go_back()
    await film.visitor.page.go_back()


async def _read(film: Film) -> None:
    await _go(film, "atrium.try.transcript")
    await film.see("Tried out", "Help desk", "Visitor", "Who won the match?", "Found nothing")
    await _go(film, "atrium.conversations")
    await film.see("When does the shop open?", "1 without an answer", "Tried out")
    await _choose(film, "atrium.conversations.channel", "Widget")
    await film.see("No conversation is here")
    await _choose(film, "atrium.conversations.channel", "Tried out")
    await film.click("atrium.conversation")
    await film.click("atrium.chatbot")
    await film.write("atrium.try.question", "Is it open on Sundays?")
    await film.click("atrium.try.ask")
    await film.see("it is closed")
    await film.click("atrium.try.again")
    await film.miss("it is closed")
    await film.click("atrium.chatbot.conversations")
    await film.see("Is it open on Sundays?", "When does the shop open?")


async def _take_leads(film: Film) -> None:
    asked = (await _call(film, "GET", "/conversations?limit=1"))["data"][0]
    lead = {"chatbot_id": asked["chatbot_id"], "conversation_id": asked["id"], "email": "mira@aurora.com", "name": "=Mira()"}
    await _call(film, "POST", "/leads", lead)
    await _go(film, "atrium.leads")
    await film.see("=Mira()", "mira@aurora.com", "Help desk")
    async with film.visitor.page.expect_download() as downloading:
        await film.click("atrium.leads.export")
    download = await downloading.value
    assert "leads.csv" == download.suggested_filename
    assert ["mira@aurora.com", "'=Mira()", "Help desk"] == _rows(Path(await download.path()))[1][1:4]
    await _go(film, "atrium.lead.conversation")
    await film.see("Lead", "=Mira()", "Is it open on Sundays?")
    await film.click("atrium.leads")
    await _go(film, "atrium.lead.delete")
    await film.see("Delete mira@aurora.com?")
    await film.click("atrium.delete")
    await film.see("No leads yet")


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(StringIO(path.read_text())))


async def _change_and_delete(film: Film) -> None:
    await film.click("atrium.conversations")
    await film.click("atrium.conversation")
    await _go(film, "atrium.conversation.delete")
    await film.see("2 messages")
    await film.click("atrium.delete")
    await film.miss("Is it open on Sundays?")
    await film.click("atrium.chatbots")
    await film.click("atrium.chatbot")
    await film.click("atrium.chatbot.install")
    await expect(film.visitor.page.get_by_label("Help desk")).to_be_checked()
    await film.visitor.page.go_back()
    await film.click("atrium.chatbot.edit")
    await film.write("atrium.chatbot.name", "Shop desk")
    await film.click("atrium.chatbot.save")
    await film.see("Shop desk")
    await _go(film, "atrium.chatbot.delete")
    await film.see("Delete Shop desk?", "its 2 sources go along")
    await film.click("atrium.delete")
    await film.see("No chatbots yet")
    await film.click("atrium.conversations")
    await film.see("Deleted")
    await film.click("atrium.activity")
    await film.see("Atrium took in the source Opening hours", "CRM sync created the lead =Mira()")
    await film.click("atrium.usage")
    await film.see("Chatbots", "0 of 20", "Sources", "0 of 1,000", "Messages")
