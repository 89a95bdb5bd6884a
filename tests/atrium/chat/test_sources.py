"""Sources: every kind is taken in, whatever stands in the way is told, and a restart loses and doubles nothing."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from atrium.chat import intake, reading
from atrium.chat.models import Content, Passage, Source
from atrium.database import Database, now_ms
from keyrack import Settings, new_id
from tests.atrium.chat.talking import ask, chatbot, pdf, send, taken_in, upload
from tests.atrium.conftest import serving
from tests.atrium.host import Host

PAGE = b"""<!doctype html><html><head><title>Shop &amp; more</title><style>p { color: red }</style></head><body>
<nav>Imprint</nav><h1>Opening</h1><p>We open at nine<br>on weekdays.</p><script>var secret = "umbrella"</script>
<h2>Sundays</h2><ul><li>Closed on Sundays.</li></ul></body></html>"""
TABLE = "product;price\nCinnamon bun;3 euro\nRye bread;5 euro\n".encode("utf-8-sig")


async def test_files_are_cited_by_page_heading_and_row(host: Host) -> None:
    bot = await chatbot(host)
    files = {
        "terms.PDF": pdf("Warranty lasts 24 months.", "Batteries are excluded \\(sorry\\)."),
        "opening.html": PAGE,
        "prices.csv": TABLE,
        "note.txt": b"Parking is free.",
    }
    for filename, content in files.items():
        source = await upload(host, bot, filename, content)
        kind = {"PDF": "pdf", "txt": "text"}.get(filename.partition(".")[2], filename.partition(".")[2])
        assert ("ready", None, kind, filename) == (source["status"], source["reason"], source["kind"], source["name"])
    for question, place, quote in (
        ("Are batteries excluded?", "page 2", "Batteries are excluded (sorry)."),
        ("Sundays?", "Opening › Sundays", "Closed on Sundays."),
        ("price of rye bread", "row 3", "product: Rye bread; price: 5 euro"),
        ("Is parking free?", "", "Parking is free."),
    ):
        citation = (await ask(host, bot, question))["citations"][0]
        assert (place, quote) == (citation["place"], citation["quote"])
    for hidden in ("umbrella", "imprint", "color"):
        assert not (await ask(host, bot, hidden))["found"]


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("pdf", b"GIF89a", "This is no PDF file."),
        ("pdf", b"%PDF-1.7\n1 0 obj <<", "This PDF file is damaged."),
        ("pdf", pdf(""), "No text was found in it. It may be a scan: only text can be read."),
        ("csv", b"\x00\x01\x02", "This is no text: it holds binary data."),
        ("csv", b'a,b\n1,"' + b"x" * 30_000, "This table cannot be read: field larger than field limit (20000)."),
        ("html", b"<p>" + b"a " * 150_000_000, "Reading it takes more memory than is allowed."),
        ("text", b"word. " * 600_000, "It is too long: a source has 3,000 passages at most."),
    ],
)
async def test_content_that_cannot_be_read_says_why(kind: str, content: bytes, reason: str) -> None:
    with pytest.raises(reading.NotRead) as told:
        await reading.read(kind, content)
    assert reason == told.value.reason


async def test_content_that_takes_too_long_ends_its_own_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READING_SECONDS_MAX", 0.05)
    with pytest.raises(reading.NotRead, match="too long"):
        await reading.read("text", b"word " * 100_000)


async def test_source_that_failed_says_why_and_is_tried_again(host: Host) -> None:
    bot = await chatbot(host)
    failed = await upload(host, bot, "faq.html", b"<script>1</script>")
    assert ("failed", "No text was found in it.") == (failed["status"], failed["reason"])
    ready = await upload(host, bot, "h.txt", b"half a character\xed\xa0\x80 and \x07 a bell")
    assert ("ready", None) == (ready["status"], ready["reason"])
    again = await host.post(f"/sources/{failed['id']}/retry", {})
    assert ("pending", None) == (again.json()["status"], again.json()["reason"])
    assert "failed" == (await taken_in(host, failed["id"]))["status"]
    assert 409 == (await host.post(f"/sources/{ready['id']}/retry", {})).status_code
    types = [event["type"] for event in (await host.get(f"/events?object_id={failed['id']}")).json()["data"]]
    assert ["source.failed", "source.retried", "source.failed", "source.created"] == types


async def test_upload_that_is_none_is_refused(host: Host) -> None:
    bot = await chatbot(host)
    for filename, content, fields, param in (
        ("a.exe", b"MZ", {}, "file"),
        ("a.txt", b"", {}, "file"),
        ("a.txt", b"x", {"kind": "text"}, "kind"),
        ("a.txt", b"x", {"name": "\n"}, "name"),
        ("\u202e.txt", b"x", {}, "file"),
    ):
        refused = await send(host, bot, filename, content, **fields)
        assert (400, param) == (refused.status_code, refused.json()["param"])
    assert 404 == (await send(host, new_id(), "a.txt", b"x")).status_code
    assert 413 == (await send(host, bot, "a.txt", b"x" * 1024 * 1024)).status_code
    headers = {"Authorization": f"Bearer {host.secret}", "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\n", b"--x--\r\n", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--x--\r\n"):
        assert 400 == (await host.client.post("/api/v1/sources", headers=headers, content=body)).status_code
    for kind, body in (("application/json", b"{"), ("application/json", b"[" * 50_000), ("text/plain", b"{}"), ("application/json", b"[]")):
        sent = await host.client.post("/api/v1/sources", headers={**headers, "Content-Type": kind}, content=body)
        assert (400, "invalid_request") == (sent.status_code, sent.json()["code"])
    assert [] == (await host.get("/sources")).json()["data"]


async def test_page_is_fetched_through_the_guard_alone(host: Host) -> None:
    bot = await chatbot(host)
    port = host.client.base_url.port
    for url in (
        f"http://127.0.0.1:{port}/docs",
        f"https://localhost:{port}/docs",
        "https://169.254.169.254/latest",
        "http://[::1]/",
        "https://10.0.0.1",
    ):
        made = await host.post("/sources", {"chatbot_id": bot, "kind": "url", "url": url})
        source = await taken_in(host, made.json()["id"])
        assert ("failed", url, 0) == (source["status"], source["url"], source["passages_count"])
        assert "called" in source["reason"]


async def test_page_of_an_allowed_network_is_read_under_its_title(tmp_path: Path) -> None:
    async with serving(Settings(data=tmp_path, outgoing_networks=["127.0.0.0/8"])) as served:
        host = await Host.create(*served)
        bot = await chatbot(host)
        for path, status, reason in (
            ("docs/errors", "ready", None),
            ("nothing", "failed", "The address was answered with status 404."),
            ("", "failed", "The address leads to another one. Give that one."),
        ):
            made = await host.post("/sources", {"chatbot_id": bot, "kind": "url", "url": f"{host.client.base_url}/{path}"})
            source = await taken_in(host, made.json()["id"])
            assert (status, reason) == (source["status"], source["reason"])
        page = (await host.get("/sources?status=ready")).json()["data"][0]
        assert "Errors" in page["name"]
        assert page["url"] == (await ask(host, bot, "idempotency key invalid"))["citations"][0]["url"]


async def test_source_that_a_stopped_process_had_is_taken_up_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = await chatbot(host)
    database = Database(host.rack.host_engine())
    async with database.writing.begin() as session:
        rows = [
            Source(workspace_id=host.workspace_id, chatbot_id=bot, name=f"S{n}", kind="text", attempt=1, claimed_until=now_ms() + 400)
            for n in range(3)
        ]
        session.add_all(rows)
        await session.flush()
        session.add_all([Content(source_id=row.id, body=b"Lanterns are lit at dusk.") for row in rows])
    others = [intake.Intake(host.rack, database) for _ in range(4)]

    async def take() -> None:
        for _ in range(20):
            await asyncio.gather(*(other.turn() for other in others))
            await asyncio.sleep(0.05)

    await take()
    for row in rows:
        assert ("ready", 1) == ((source := await taken_in(host, row.id))["status"], source["passages_count"])
    async with database.reading() as session:
        assert 3 == await session.scalar(select(func.count()).select_from(Passage).where(Passage.chatbot_id == bot))
        assert 0 == await session.scalar(select(func.count()).select_from(Content).where(Content.source_id.in_([row.id for row in rows])))
    events = [event["object_id"] for event in (await host.get("/events?type=source.ready")).json()["data"]]
    assert sorted(row.id for row in rows) == sorted(events)
    await database.close()
