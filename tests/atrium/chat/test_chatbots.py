"""Chatbots, their answers, and what visitors leave: one story over both stores, and what others may not see of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.chat.meters import CHATBOTS, SOURCES
from atrium.chat.models import Chatbot, Source
from atrium.spaces.meters import MESSAGES
from keyrack import Refused, new_id
from keyrack.manage import keys
from keyrack.model.permissions import Level, Rights
from tests.atrium.chat.talking import HANDBOOK, ask, chatbot, feed
from tests.atrium.host import Host

FALLBACK = "I found nothing about that. Leave your email address, and somebody will answer you."


async def test_chatbot_answers_from_its_sources_and_cites_them(host: Host) -> None:
    made = await host.post("/chatbots", {"name": "Help desk", "greeting": "Hello!"})
    fields = {"object": "chatbot", "name": "Help desk", "greeting": "Hello!", "fallback": FALLBACK}
    assert (201, True) == (made.status_code, fields.items() <= made.json().items())
    bot = made.json()["id"]
    source = await feed(host, bot)
    assert ("ready", None, 3, len(HANDBOOK)) == (source["status"], source["reason"], source["passages_count"], source["size_bytes"])
    answer = await ask(host, bot, "How long do I have to return something I bought?")
    assert ("chat_message", "chatbot", True) == (answer["object"], answer["author"], answer["found"])
    assert answer["body"].startswith("You can return anything within 30 days.")
    assert answer["body"].endswith("[1]")
    (citation,) = answer["citations"]
    expected = {"number": 1, "source_id": source["id"], "source_name": "Handbook", "place": "Orders › Returns", "url": None}
    assert expected.items() <= citation.items()
    assert citation["quote"] in answer["body"]

    nothing = await ask(host, bot, "Who won the football match?", answer["conversation_id"])
    assert (False, [], FALLBACK) == (nothing["found"], nothing["citations"], nothing["body"])
    assert answer["conversation_id"] == nothing["conversation_id"]
    lead = {"chatbot_id": bot, "conversation_id": answer["conversation_id"], "email": "mira@aurora.com", "name": "Mira Chen"}
    left = await host.post("/leads", lead)
    assert (201, True) == (left.status_code, lead.items() <= left.json().items())

    path = f"/conversations/{answer['conversation_id']}"
    conversation = (await host.get(path)).json()
    assert ("conversation", bot, "api", 4) == tuple(conversation[name] for name in ("object", "chatbot_id", "channel", "messages_count"))
    transcript = (await host.get(f"{path}/messages?sort=created_at")).json()["data"]
    assert ["visitor", "chatbot", "visitor", "chatbot"] == [said["author"] for said in transcript]
    assert answer == transcript[1]
    for name, one in (("chatbots", made.json()), ("sources", source), ("conversations", conversation), ("leads", left.json())):
        assert [one] == (await host.get(f"/{name}")).json()["data"]
        assert one == (await host.client.get(f"/api/{name}/{one['id']}", headers={"x-api-key": host.secret})).json()
    types = [event["type"] for event in (await host.get("/events?limit=100")).json()["data"]]
    told = ["lead.created", "conversation.started", "source.ready", "source.created", "chatbot.created"]
    assert told == [kind for kind in types if kind in told]

    usage = (await host.get("/usage")).json()
    meters = {meter["name"]: (meter["used"], meter["limit"]) for meter in usage["live"]["meters"]}
    assert {"chatbots": (1, 20), "sources": (1, 1_000), "messages": (2, 1_000_000)} == meters
    begins_anew = {meter["name"]: (meter["window"], meter["reset_at"] is not None) for meter in usage["live"]["meters"]}
    assert {"chatbots": (None, False), "sources": (None, False), "messages": ("month", True)} == begins_anew


async def test_deleted_source_is_cited_no_more_and_a_deleted_chatbot_leaves_what_visitors_said(host: Host) -> None:
    bot = await chatbot(host)
    source = await feed(host, bot)
    answer = await ask(host, bot, "Do points expire?")
    assert "two years" in answer["body"]
    assert 204 == (await host.delete(f"/sources/{source['id']}")).status_code
    assert not (await ask(host, bot, "Do points expire?"))["found"]
    other = await feed(host, bot, "Points never expire.", kind="text")
    assert "never" in (await ask(host, bot, "Do points expire?"))["body"]
    lead = (await host.post("/leads", {"chatbot_id": bot, "email": "a@b.example"})).json()
    assert 204 == (await host.delete(f"/chatbots/{bot}")).status_code
    for path in (f"/chatbots/{bot}", f"/sources/{other['id']}"):
        assert 404 == (await host.get(path)).status_code
    kept = await host.get(f"/conversations/{answer['conversation_id']}/messages")
    assert (200, 2) == (kept.status_code, len(kept.json()["data"]))
    assert lead == (await host.get(f"/leads/{lead['id']}")).json()
    deleted = [event["type"] for event in (await host.get("/events?limit=100")).json()["data"] if event["type"].endswith(".deleted")]
    assert ["chatbot.deleted", "source.deleted", "source.deleted"] == deleted
    for path in (f"/conversations/{answer['conversation_id']}", f"/leads/{lead['id']}"):
        assert [204, 404] == [(await host.delete(path)).status_code, (await host.get(path)).status_code]


async def test_nothing_of_another_workspace_is_found_or_answered_from(host: Host) -> None:
    bot = await chatbot(host)
    source = await feed(host, bot)
    said = await ask(host, bot, "Do points expire?")
    lead = (await host.post("/leads", {"chatbot_id": bot, "email": "a@b.example"})).json()
    stranger = await host.stranger()
    own = await chatbot(stranger)
    question = {"body": "Do points expire?"}
    for method, path, body in (
        ("GET", f"/chatbots/{bot}", None),
        ("PATCH", f"/chatbots/{bot}", {"name": "Mine"}),
        ("DELETE", f"/chatbots/{bot}", None),
        ("POST", f"/chatbots/{bot}/messages", question),
        ("POST", f"/chatbots/{own}/messages", {**question, "conversation_id": said["conversation_id"]}),
        ("POST", "/sources", {"chatbot_id": bot, "kind": "text", "name": "Lies", "text": "Points are worthless."}),
        ("GET", f"/sources/{source['id']}", None),
        ("POST", f"/sources/{source['id']}/retry", None),
        ("DELETE", f"/sources/{source['id']}", None),
        ("GET", f"/conversations/{said['conversation_id']}", None),
        ("GET", f"/conversations/{said['conversation_id']}/messages", None),
        ("DELETE", f"/conversations/{said['conversation_id']}", None),
        ("POST", "/leads", {"chatbot_id": bot, "email": "a@b.example"}),
        ("POST", "/leads", {"chatbot_id": own, "conversation_id": said["conversation_id"], "email": "a@b.example"}),
        ("GET", f"/leads/{lead['id']}", None),
        ("DELETE", f"/leads/{lead['id']}", None),
    ):
        answer = await stranger.call(method, path, body)
        assert (404, "not_found") == (answer.status_code, answer.json()["code"]), (method, path)
    assert not (await ask(stranger, own, "Do points expire?"))["found"]
    # Neither does another chatbot of the same workspace know it, whatever it is called.
    second = await chatbot(host, name=bot)
    for asked in ("Do points expire?", f"{bot} points expire", f'"{bot}" OR points'):
        assert not (await ask(host, second, asked))["found"]
    for name in ("sources", "conversations", "leads"):
        listed = (await stranger.get(f"/{name}?chatbot_id={bot}")).json()["data"]
        assert [] == listed
    assert [source] == (await host.get(f"/sources?chatbot_id={bot}&status=ready&kind=markdown")).json()["data"]
    assert [] == (await host.get("/sources?status=failed")).json()["data"]
    assert [lead] == (await host.get("/leads?email=a%40b.example")).json()["data"]


async def test_key_needs_the_category_of_what_it_asks_for(host: Host) -> None:
    desk, operator = host.rack.assembly.desk, await host.rack.workspaces.operator(host.workspace_id)
    bot = await chatbot(host)
    for category in ("chatbots", "sources", "conversations", "leads"):
        issued = await keys.create(desk, operator, name=category, rights=Rights(permissions={category: Level.READ}))
        reader = Host(host.rack, host.client, host.workspace_id, host.member_id, issued.secret.text)
        statuses = {name: (await reader.get(f"/{name}")).status_code for name in ("chatbots", "sources", "conversations", "leads")}
        assert {name: 200 if name == category else 403 for name in statuses} == statuses
        for path, body in (
            ("/chatbots", {"name": "X"}),
            ("/sources", {"chatbot_id": bot, "kind": "text", "name": "X", "text": "X"}),
            (f"/chatbots/{bot}/messages", {"body": "X"}),
            ("/leads", {"chatbot_id": bot, "email": "a@b.example"}),
        ):
            assert (403, "insufficient_permission") == ((refused := await reader.post(path, body)).status_code, refused.json()["code"])


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/chatbots", {}, "name"),
        ("/chatbots", {"name": "X", "greeting": ""}, "greeting"),
        ("/chatbots", {"name": "X", "colour": "red"}, "colour"),
        ("/sources", {"chatbot_id": "x", "kind": "pdf", "text": "X"}, "kind"),
        ("/sources", {"chatbot_id": "x", "kind": "text", "name": "X"}, "text"),
        ("/sources", {"chatbot_id": "x", "kind": "text", "name": "X", "text": " \n"}, "text"),
        ("/sources", {"chatbot_id": "x", "kind": "text", "name": "X", "text": "a\x00b"}, "text"),
        ("/sources", {"chatbot_id": "x", "kind": "url", "url": "ftp://a.example"}, "url"),
        ("/sources", {"chatbot_id": "x", "kind": "url", "url": "https://user:word@a.example/"}, "url"),
        ("/sources", {"chatbot_id": "x", "kind": "url", "url": "https://[a.example"}, "url"),
        ("/leads", {"chatbot_id": "x", "email": "nobody"}, "email"),
    ],
)
async def test_bad_field_is_a_400_that_names_it(host: Host, path: str, body: dict[str, object], param: str) -> None:
    refused = await host.post(path, body)
    assert (400, "invalid_request", param) == (refused.status_code, refused.json()["code"], refused.json()["param"])


async def test_questions_that_say_nothing_or_too_much_are_answered_or_refused_like_any_other(host: Host) -> None:
    bot = await chatbot(host)
    await feed(host, bot)
    questions = [
        "?",
        '"',
        "'",
        "\\",
        "* OR *",
        '" OR rowid:*',
        "cheese) OR (1",
        "NEAR(a b)",
        "a" * 10_000,
        "()&|!:*<->",
        "😀",
        "how is it",
        "ポイント",
    ]
    for question in questions:
        assert not (await ask(host, bot, question))["found"], question
    long = f"{'Well, then again, and by the way: ' * 250} when do my loyalty points expire after all these euro? " + "so " * 300
    assert (await ask(host, bot, long[:10_000]))["found"]
    assert (await ask(host, bot, 'When do "points" expire\'; DROP --'))["found"]
    for body in ({}, {"body": ""}, {"body": " \n"}, {"body": "a" * 10_001}, {"body": "a\x00"}, {"body": "a", "text": "b"}, {"body": ["a"]}):
        assert 400 == (await host.post(f"/chatbots/{bot}/messages", body)).status_code
    for name in (new_id(), "x", "%00", "a" * 500):
        assert 404 == (await host.post(f"/chatbots/{name}/messages", {"body": "Hello"})).status_code


async def test_plan_bounds_what_is_added_and_said_and_names_what_is_used_up(host: Host) -> None:
    bot = await chatbot(host)
    await feed(host, bot)
    await stored(host, chatbots=19, sources_of=bot, sources=999)
    await host.rack.count(MESSAGES, 1_000_000, workspace_id=host.workspace_id)
    source = {"chatbot_id": bot, "kind": "text", "name": "X", "text": "X"}
    for path, body, meter in (
        ("/chatbots", {"name": "One more"}, "chatbots"),
        ("/sources", source, "sources"),
        (f"/chatbots/{bot}/messages", {"body": "Do points expire?"}, "messages"),
    ):
        refused = await host.post(path, body)
        assert (429, "quota_exceeded", [meter]) == (refused.status_code, refused.json()["code"], refused.json()["violated-policies"])
    headers = {"Authorization": f"Bearer {host.secret}", "Accept": "text/event-stream"}
    streamed = await host.client.post(f"/api/v1/chatbots/{bot}/messages", json={"body": "Do points expire?"}, headers=headers)
    assert streamed.text.startswith('event: error\ndata: {"status": 429, "code": "quota_exceeded"')
    assert {"chatbots": (20, 0), "sources": (1_000, 0), "messages": (1_000_000, 0)} == await used(host)
    assert [] == (await host.get("/conversations")).json()["data"]


async def test_what_exists_bounds_what_is_added_and_deleting_one_makes_room_at_once(host: Host) -> None:
    bot = await chatbot(host)
    await stored(host, chatbots=18)
    last = (await host.post("/chatbots", {"name": "The last one"})).json()["id"]
    refused = await host.post("/chatbots", {"name": "One more"})
    assert (429, ["chatbots"], False) == (refused.status_code, refused.json()["violated-policies"], "retry-after" in refused.headers)
    assert "The plan's limit for chatbots is 20; there now: 20." in refused.json()["detail"]
    # Neither another workspace nor another kind is bounded by it, and test mode shows the same.
    stranger = await host.stranger()
    await feed(host, bot)
    assert 201 == (await stranger.post("/chatbots", {"name": "Theirs"})).status_code
    assert {"chatbots": (1, 19), "sources": (0, 1_000)} == {
        name: told for name, told in (await used(stranger)).items() if name != "messages"
    }
    usage = (await host.get("/usage")).json()
    assert usage["live"]["meters"][:2] == usage["test"]["meters"][:2]
    assert 404 == (await stranger.delete(f"/chatbots/{last}")).status_code
    assert 429 == (await host.post("/chatbots", {"name": "One more"})).status_code
    assert 204 == (await host.delete(f"/chatbots/{last}")).status_code
    assert (19, 1) == (await used(host))["chatbots"]
    assert 201 == (await host.post("/chatbots", {"name": "One more"})).status_code
    # The sources of a deleted chatbot go with it, and so does what they took.
    assert 204 == (await host.delete(f"/chatbots/{bot}")).status_code
    assert (0, 1_000) == (await used(host))["sources"]


async def test_smaller_plan_keeps_what_exists_and_refuses_more(host: Host) -> None:
    await stored(host, chatbots=3)
    await host.rack.workspaces.set_plan(host.workspace_id, "free")
    async with session_of(host) as session:
        with pytest.raises(Refused, match="quota_exceeded") as refused:
            await host.rack.count(CHATBOTS, session=session, workspace_id=host.workspace_id)
        assert "limit for chatbots is 1; there now: 3" in str(refused.value.detail)
        await host.rack.count(CHATBOTS, 0, session=session, workspace_id=host.workspace_id)
        await host.rack.count(SOURCES, 10, session=session, workspace_id=host.workspace_id)
        with pytest.raises(Refused, match="quota_exceeded"):
            await host.rack.count(SOURCES, 11, session=session, workspace_id=host.workspace_id)
    await host.rack.workspaces.set_plan(host.workspace_id, "team")
    assert (3, 17) == (await used(host))["chatbots"]


async def test_of_many_that_add_at_once_no_more_succeed_than_the_plan_holds(host: Host) -> None:
    bot = await chatbot(host)
    await stored(host, chatbots=17, sources_of=bot, sources=998)
    source = {"chatbot_id": bot, "kind": "text", "name": "X", "text": "X"}
    added = [host.post("/chatbots", {"name": f"Bot {number}"}) for number in range(8)]
    answers = await asyncio.gather(*added, *[host.post("/sources", source) for _ in range(8)])
    statuses = [Counter(answer.status_code for answer in part) for part in (answers[:8], answers[8:])]
    assert [{201: 2, 429: 6}, {201: 2, 429: 6}] == statuses
    assert {"chatbots": (20, 0), "sources": (1_000, 0), "messages": (0, 1_000_000)} == await used(host)
    # What is rolled back takes nothing, and what a session has added counts in it before it is committed.
    assert 204 == (await host.delete(f"/chatbots/{(await host.get('/chatbots')).json()['data'][0]['id']}")).status_code
    async with session_of(host) as session:
        await host.rack.count(CHATBOTS, session=session, workspace_id=host.workspace_id)
        session.add(Chatbot(workspace_id=host.workspace_id, name="X", greeting="X", fallback="X"))
        with pytest.raises(Refused, match="quota_exceeded"):
            await host.rack.count(CHATBOTS, session=session, workspace_id=host.workspace_id)
        await session.rollback()
    assert (19, 1) == (await used(host))["chatbots"]


async def test_whoever_asks_while_another_adds_waits_for_what_becomes_of_it(host: Host) -> None:
    await stored(host, chatbots=19)
    async with session_of(host) as first, session_of(host) as second:
        await host.rack.count(CHATBOTS, session=first, workspace_id=host.workspace_id)
        first.add(Chatbot(workspace_id=host.workspace_id, name="X", greeting="X", fallback="X"))
        await first.flush()
        asking = asyncio.create_task(host.rack.count(CHATBOTS, session=second, workspace_id=host.workspace_id))
        _, waiting = await asyncio.wait([asking], timeout=0.5)
        assert {asking} == waiting
        await first.commit()
        with pytest.raises(Refused, match="quota_exceeded"):
            await asking


async def used(host: Host) -> dict[str, tuple[int, int]]:
    """Return how much of each meter is used and left."""
    return {meter["name"]: (meter["used"], meter["remaining"]) for meter in (await host.get("/usage")).json()["live"]["meters"]}


@asynccontextmanager
async def session_of(host: Host) -> AsyncIterator[AsyncSession]:
    """Open a session on the database of Atrium."""
    engine = host.rack.host_engine()
    async with AsyncSession(engine) as session:
        yield session
    await engine.dispose()


async def stored(host: Host, *, chatbots: int, sources_of: str = "", sources: int = 0) -> None:
    """Put so many into the tables of Atrium."""
    async with session_of(host) as session:
        session.add_all(Chatbot(workspace_id=host.workspace_id, name="X", greeting="X", fallback="X") for _ in range(chatbots))
        kept = {"chatbot_id": sources_of, "name": "X", "kind": "text", "status": "ready", "size_bytes": 1, "passages_count": 0}
        session.add_all(Source(workspace_id=host.workspace_id, **kept) for _ in range(sources))
        await session.commit()
