"""The pages of chat over HTTP: what they show, what they refuse, and what of others they never let anybody see."""

import csv
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from pathlib import Path

import httpx
import pytest

from atrium.factory import create_app
from keyrack import Settings, new_id
from keyrack.manage import sessions
from keyrack.model.members import Role
from keyrack.model.permissions import Level, Rights
from tests.atrium.chat.talking import chatbot, feed, taken_in
from tests.atrium.host import Host
from tests.console.browser import Browser, Page

PRICES = "Our prices\n\nThe blue kettle costs 39 euros. Delivery within Europe is free."
WRITES = dict.fromkeys(("chatbots", "sources", "conversations", "leads"), Level.WRITE)
READS = dict.fromkeys(WRITES, Level.READ)
PAGES = ("/chatbots", "/sources", "/conversations", "/leads")
NOBODYS = "c" + "0" * 24
SignIn = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def sign_in(host: Host) -> AsyncIterator[SignIn]:
    """Signs a new member in, with rights in these categories: `await sign_in(WRITES)`."""
    clients: list[httpx.AsyncClient] = []

    async def begin(permissions: dict[str, Level], of: Host = host) -> Browser:
        rights = Rights(permissions=permissions)
        email = f"{new_id()}@acme.example"
        member = await of.rack.members.add(of.workspace_id, email=email, name="Cy Park", role=Role.MEMBER, rights=rights)
        desk = of.rack.assembly.desk
        signed_in = await sessions.redeem(desk, (await sessions.sign_in_link(desk, member.person_id, of.workspace_id)).text)
        cookies = {"atrium_session": signed_in.secret.text}
        clients.append(httpx.AsyncClient(base_url=of.client.base_url, cookies=cookies, timeout=30))
        return Browser(clients[-1])

    yield begin
    for client in clients:
        await client.aclose()


async def make_chatbot(host: Host, name: str = "Help desk", text: str | None = PRICES) -> str:
    """Make a chatbot with a source that is ready, and return its id."""
    made = await chatbot(host, name=name)
    if text is not None:
        await feed(host, made, text, "Price list", "text")
    return made


async def furnish(host: Host) -> dict[str, str]:
    """Make one of each thing, and return the ids by their pages."""
    chatbot = await make_chatbot(host)
    answer = (await host.post(f"/chatbots/{chatbot}/messages", {"body": "What does the blue kettle cost?"})).json()
    talk = answer["conversation_id"]
    lead = await host.post("/leads", {"chatbot_id": chatbot, "conversation_id": talk, "email": "mira@aurora.com", "name": "Mira Chen"})
    source = (await host.get("/sources")).json()["data"][0]["id"]
    return {"/chatbots": chatbot, "/sources": source, "/conversations": talk, "/leads": lead.json()["id"]}


async def test_who_makes_a_chatbot_asks_it_and_reads_what_was_said(host: Host, sign_in: SignIn) -> None:
    cy = await sign_in(WRITES)
    for path in PAGES:
        assert "yet" in (await cy.open(path)).text
    made = Page(await cy.send("/chatbots", {"name": "Help desk", "greeting": "Hello!", "fallback": "Leave your address."}))
    chatbot = made.answer.url.path.removeprefix("/chatbots/")
    text = {"chatbot_id": chatbot, "name": "Price list", "text": PRICES.replace("\n", "\r\n")}
    added = Page(await cy.send("/sources/new?kind=text", text))
    assert (f"/chatbots/{chatbot}", True) == (added.answer.url.path, "Price list" in added.text)
    (source,) = (await host.get("/sources")).json()["data"]
    assert ("ready", len(PRICES)) == ((await taken_in(host, source["id"]))["status"], source["size_bytes"])
    asked = Page(await cy.send(f"/chatbots/{chatbot}/questions", {"body": "What does the blue kettle cost?"}))
    assert all(said in asked.text for said in ("39 euros", "[1] Price list"))
    again = Page(
        await cy.send(f"/chatbots/{chatbot}/questions", asked.fields(f"/chatbots/{chatbot}/questions") | {"body": "<b>Zebras?</b>"})
    )
    assert "Leave your address." in again.text
    (talk,) = (await host.get("/conversations")).json()["data"]
    assert ("console", 4) == (talk["channel"], talk["messages_count"])
    listed = await cy.open("/conversations?channel=console")
    assert all(said in listed.text for said in ("What does the blue kettle cost?", "1 without an answer"))
    transcript = await cy.open(f"/conversations/{talk['id']}")
    assert all(said in transcript.text for said in ("39 euros", "<b>Zebras?</b>", "Found nothing", "Help desk"))
    changed = Page(await cy.send(f"/chatbots/{chatbot}/edit", {"name": "Shop", "greeting": "Hi!", "fallback": "Sorry."}))
    assert "Hi!" in changed.text
    for path, back in (
        (f"/sources/{source['id']}", "/sources"),
        (f"/conversations/{talk['id']}", "/conversations"),
        (f"/chatbots/{chatbot}", "/chatbots"),
    ):
        assert f"{path}/delete" in (await cy.open(f"{path}/delete")).actions
        assert back == (await cy.send(f"{path}/delete", {})).url.path
        assert 404 == (await host.get(path)).status_code


async def test_leads_are_exported_in_cells_that_are_no_formulas(host: Host, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    cy = await sign_in(WRITES)
    chatbot = await make_chatbot(host, "=Help desk", None)
    names = ['=HYPERLINK("https://evil.example")', "+1", "-1", "@sum", 'Mira "M", Chen', None]
    for place, name in enumerate(names):
        await host.post("/leads", {"chatbot_id": chatbot, "email": f"mira{place}@aurora.com", "name": name})
    answer = await cy.client.get("/leads.csv")
    assert ("text/csv; charset=utf-8", "attachment") == (answer.headers["content-type"], answer.headers["content-disposition"][:10])
    head, *lines = csv.reader(StringIO(answer.text))
    assert ["created_at", "email", "name", "chatbot", "chatbot_id", "conversation_id", "id"] == head
    assert [f"'{names[0]}", "'+1", "'-1", "'@sum", names[4], ""] == [line[2] for line in reversed(lines)]
    assert {"'=Help desk"} == {line[3] for line in lines}
    leads = (await host.get("/leads")).json()["data"]
    assert [(one["created_at"], one["email"], one["id"]) for one in leads] == [(line[0], line[1], line[-1]) for line in lines]
    assert 400 == (await cy.client.get("/leads.csv?colour=red")).status_code
    monkeypatch.setattr("atrium.pages.leads.LINES_AT_ONCE", 2)
    assert answer.content == (await cy.client.get("/leads.csv")).content


FORMS = [
    ("/chatbots", {"name": " ", "greeting": "My <greeting>"}, {}, "Write something that can be seen"),
    ("/chatbots", {"name": "a" * 201, "greeting": "My <greeting>"}, {}, "at most 200 characters"),
    ("/sources/new?kind=text", {"name": "Mine", "text": ""}, {}, "Fill this in."),
    ("/sources/new?kind=markdown", {"name": "", "text": "My <greeting>"}, {}, "Fill this in."),
    ("/sources/new?kind=url", {"url": "ftp://aurora.com", "name": "My <greeting>"}, {}, "Write a whole address"),
    ("/sources/new?kind=url", {"url": "https://ada:pass@aurora.com", "name": "My <greeting>"}, {}, "leave them out"),
    ("/sources/new?kind=file", {"name": "My <greeting>"}, {}, "Choose a file."),
    ("/sources/new?kind=file", {"name": "My <greeting>"}, {"file": ("a.exe", b"MZ")}, "ends in .pdf"),
    ("/sources/new?kind=file", {"name": "My <greeting>"}, {"file": ("a.pdf", b"")}, "The file is empty."),
    ("/sources/new?kind=text", {"chatbot_id": NOBODYS, "name": "My <greeting>", "text": "A"}, {}, "No chatbot"),
]


async def test_form_with_a_mistake_says_it_beside_the_field_and_keeps_what_was_written(host: Host, sign_in: SignIn) -> None:
    cy = await sign_in(WRITES)
    chatbot = await make_chatbot(host, text=None)
    for path, fields, files, said in FORMS:
        sent = fields if path == "/chatbots" else {"chatbot_id": chatbot, **fields}
        answer = await cy.client.post(path, data=sent, files=files or None, headers={"Sec-Fetch-Site": "same-origin"})
        assert (said, True) == (said, said in answer.text), answer.text
        assert answer.status_code in (400, 404), path
        assert 'aria-invalid="true"' in answer.text or answer.status_code == 404
        assert ("My <greeting>" in fields.values()) == ("My &lt;greeting&gt;" in answer.text), path
        assert "<greeting>" not in answer.text
    for path in (f"/chatbots/{chatbot}/questions", f"/chatbots/{chatbot}/edit"):
        assert "Fill this in." in (await cy.send(path, {"body": "  ", "name": "", "greeting": "G", "fallback": "F"})).text
    assert [[], []] == [(await host.get(path)).json()["data"] for path in ("/sources", "/conversations")]
    assert 1 == len((await host.get("/chatbots")).json()["data"])


async def test_form_that_no_page_of_ours_makes_is_a_page_of_400(sign_in: SignIn, host: Host) -> None:
    cy = await sign_in(WRITES)
    same_site = {"Sec-Fetch-Site": "same-origin"}
    boundary = {"Content-Type": "multipart/form-data; boundary=x"} | same_site
    for sent in (
        {"data": {f"field{number}": "x" for number in range(50)}, "headers": same_site},
        {"files": [("file", (f"{number}.txt", b"x")) for number in range(3)], "headers": same_site},
        {"content": b"--x\r\nno part at all", "headers": boundary},
        {"content": b"\xff\xfe%%%", "headers": boundary},
        {"json": {"name": "X"}, "headers": same_site},
    ):
        answer = await cy.client.post("/sources/new?kind=file", **sent)
        assert (400, True) == (answer.status_code, answer.headers["content-type"].startswith("text/html")), answer.text
    too_long = await cy.client.post("/sources/new?kind=file", files={"file": ("a.txt", b"x" * 1_100_000)}, headers=same_site)
    assert (413, True) == (too_long.status_code, "body" in too_long.text)
    for path in (
        "/sources?status=nope",
        "/conversations?channel=nope",
        "/sources/new?kind=nope",
        "/leads?cursor=x",
        "/chatbots?limit=1000",
    ):
        assert 400 == (await cy.client.get(path)).status_code, path


async def test_things_of_another_workspace_look_as_if_there_were_none(host: Host, sign_in: SignIn) -> None:
    stranger = await host.stranger()
    theirs, cy = await furnish(stranger), await sign_in(WRITES)
    await make_chatbot(host, text=None)
    for page, id in theirs.items():
        forms = {"/chatbots": ["/edit", "/delete", "/questions"], "/sources": ["/retry", "/delete"]}.get(page, ["/delete"])
        for path in ["", *forms]:
            gets = [await cy.client.get(f"{page}/{one}{path}") for one in (id, NOBODYS)]
            fields = {"body": "Hello?", "name": "Mine", "greeting": "G", "fallback": "F"}
            posts = [await cy.send(f"{page}/{one}{path}", fields) for one in (id, NOBODYS)] if path else []
            for found in (gets, posts):
                assert {404} >= {one.status_code for one in found} - {405}, (page, path)
                assert len({one.text.replace(id, NOBODYS) for one in found}) <= 1, (page, path)
    mine = (await host.get("/chatbots")).json()["data"][0]["id"]
    visitors = (await host.post(f"/chatbots/{mine}/messages", {"body": "Hello?"})).json()["conversation_id"]
    for one in (theirs["/conversations"], NOBODYS, visitors):
        assert 404 == (await cy.client.get(f"/chatbots/{mine}?conversation_id={one}")).status_code
        assert 404 == (await cy.send(f"/chatbots/{mine}/questions", {"body": "Hello?", "conversation_id": one})).status_code
    text = {"chatbot_id": theirs["/chatbots"], "name": "Mine", "text": "A"}
    assert 404 == (await cy.send("/sources/new?kind=text", text)).status_code
    for page in ("/sources", "/conversations", "/leads", "/leads.csv", f"/sources?chatbot_id={theirs['/chatbots']}"):
        shown = (await cy.client.get(page)).text
        named = set(theirs.values()) - set(page.split("="))
        assert not [one for one in ("Price list", "blue kettle", "mira@", *named) if one in shown], page
    assert [1, 1, 1, 1] == [len((await stranger.get(page)).json()["data"]) for page in PAGES]


async def test_member_sees_and_is_offered_what_they_may(host: Host, sign_in: SignIn) -> None:
    made = await furnish(host)
    nobody, reader, others = await sign_in({}), await sign_in(READS), await sign_in({"chatbots": Level.READ})
    for page, id in made.items():
        for path in (page, f"{page}/{id}/delete"):
            assert 403 == (await nobody.client.get(path)).status_code, path
        shown = await reader.open(page)
        assert (200, set()) == (shown.status, shown.actions), page
        assert not [link for link in shown.links if link.endswith(("/new", "/delete", "/edit"))], page
        assert 403 == (await reader.send(f"{page}/{id}/delete", {})).status_code
        assert 403 == (await reader.client.get(f"{page}/{id}/delete")).status_code
    assert 403 == (await nobody.client.get("/leads.csv")).status_code
    chatbot = await others.open(f"/chatbots/{made['/chatbots']}")
    assert not {"/sources", "/conversations", "/leads"} & chatbot.links
    assert "Price list" not in chatbot.text
    assert "blue kettle" not in (await others.open(f"/chatbots/{made['/chatbots']}?conversation_id={made['/conversations']}")).text
    for path in ("/sources/new?kind=text", "/chatbots", f"/chatbots/{made['/chatbots']}/questions"):
        assert 403 == (await reader.send(path, {})).status_code, path
    # Who may not read chatbots learns no name of theirs.
    leads = await sign_in({"leads": Level.WRITE, "sources": Level.WRITE, "conversations": Level.WRITE})
    for path in ("/leads", "/leads.csv", "/sources", f"/sources/{made['/sources']}/delete", f"/conversations/{made['/conversations']}"):
        assert "Help desk" not in (await leads.client.get(path)).text
    assert [403, 403] == [(await leads.client.get(path)).status_code for path in ("/sources/new", f"/chatbots/{made['/chatbots']}")]


async def test_form_of_another_site_changes_nothing(host: Host, sign_in: SignIn) -> None:
    made, cy = await furnish(host), await sign_in(WRITES)
    paths = [f"{page}/{id}/delete" for page, id in made.items()]
    paths += ["/chatbots", "/sources/new?kind=text", f"/sources/{made['/sources']}/retry"]
    paths += [f"/chatbots/{made['/chatbots']}/{form}" for form in ("edit", "questions")]
    fields = {"name": "Mine", "greeting": "G", "fallback": "F", "text": "T", "body": "B", "chatbot_id": made["/chatbots"]}
    for path in paths:
        assert 403 == (await cy.send(path, fields, site="cross-site")).status_code, path
    assert [1, 1, 1, 1] == [len((await host.get(page)).json()["data"]) for page in PAGES]


async def test_plan_that_is_used_up_is_told_on_the_form(host: Host, sign_in: SignIn) -> None:
    cy = await sign_in(WRITES)
    await make_chatbot(host, text=None)
    await host.rack.workspaces.set_plan(host.workspace_id, "free")
    refused = await cy.send("/chatbots", {"name": "Second desk", "greeting": "G", "fallback": "F"})
    assert (429, True, True) == (refused.status_code, "Second desk" in refused.text, "limit for chatbots is 1" in refused.text)
    assert 1 == (await cy.open("/chatbots")).text.count("Help desk")


async def test_source_that_failed_says_why_and_is_tried_again(host: Host, sign_in: SignIn) -> None:
    cy = await sign_in(WRITES)
    chatbot = await make_chatbot(host, text=None)
    same_site = {"Sec-Fetch-Site": "same-origin"}
    await cy.client.post(
        "/sources/new?kind=file", data={"chatbot_id": chatbot}, files={"file": ("prices.pdf", b"no PDF")}, headers=same_site
    )
    (source,) = (await host.get("/sources")).json()["data"]
    failed = await taken_in(host, source["id"])
    shown = await cy.open("/sources?status=failed")
    assert all(said in shown.text for said in ("prices.pdf", "Failed", failed["reason"]))
    retried = await cy.submit(shown, f"/sources/{source['id']}/retry")
    assert "/sources" == retried.answer.url.path
    assert "failed" == (await taken_in(host, source["id"]))["status"]
    told = [event["type"] for event in (await host.get("/events")).json()["data"]]
    assert ["source.failed", "source.retried", "source.failed", "source.created"] == [one for one in told if one.startswith("source.")]


def test_brand_without_chat_has_none_of_its_pages(tmp_path: Path) -> None:
    paths = {getattr(route, "path", "") for route in create_app(Settings(data=tmp_path), "pivot").routes}
    assert not [path for path in paths if path.startswith(PAGES)]
