"""A chatbot in pages of anybody's: what visitors may do there, and what none of them gets at."""

from typing import Any

import httpx

from atrium.chat.widget import SCRIPT
from tests.atrium.chat.talking import chatbot, feed
from tests.atrium.host import Host

SITE = "https://www.example.com"
QUESTION = "How long do I have to return something I bought?"


class Browser:
    """Somebody who looks at a page of the site in which a key's embed code stands."""

    def __init__(self, host: Host, key: dict[str, Any]) -> None:
        self._host = host
        self._key = key["key"]
        self.visitor = ""
        self.token = ""

    async def call(self, method: str, path: str = "", body: Any = None, **query: str) -> httpx.Response:
        """Call as the widget does."""
        headers = {"Origin": SITE, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        url = f"/api/v1/widget{path}"
        return await self._host.client.request(method, url, params={"key": self._key, **query}, json=body, headers=headers)

    async def arrive(self) -> "Browser":
        """Open a session."""
        opened = (await self.call("POST", "/sessions", {})).json()
        self.visitor, self.token = opened["id"], opened["token"]
        return self

    async def say(self, text: str, conversation_id: str | None = None) -> httpx.Response:
        """Say something."""
        return await self.call("POST", "/messages", {"body": text, "conversation_id": conversation_id})


async def embed(host: Host, bot: str) -> dict[str, Any]:
    """Make an embed key of a chatbot."""
    chosen = {"name": "Our site", "object_type": "chatbot", "object_id": bot, "origins": [SITE]}
    made: dict[str, Any] = (await host.post("/embed-keys", chosen)).json()
    return made


async def test_visitor_asks_gets_a_cited_answer_and_leaves_an_address(host: Host) -> None:
    bot = await chatbot(host)
    await feed(host, bot)
    key = await embed(host, bot)
    mira = Browser(host, key)
    shown = (await mira.call("GET")).json()
    assert ("widget", bot) == (shown["object"], shown["id"])
    await mira.arrive()
    said = await mira.say(QUESTION)
    answer = said.json()
    assert (201, "widget_message", True) == (said.status_code, answer["object"], answer["found"])
    assert {"number", "source_name", "place", "url", "quote"} == set(answer["citations"][0])
    nothing = (await mira.say("Who won the football match?", answer["conversation_id"])).json()
    assert (False, answer["conversation_id"]) == (nothing["found"], nothing["conversation_id"])
    left = await mira.call("POST", "/leads", {"email": "mira@aurora.com", "conversation_id": answer["conversation_id"]})
    assert (201, "widget_lead", "mira@aurora.com") == (left.status_code, left.json()["object"], left.json()["email"])
    transcript = (await mira.call("GET", "/messages", conversation_id=answer["conversation_id"])).json()["data"]
    assert [("visitor", QUESTION), ("chatbot", answer["body"])] == [(one["author"], one["body"]) for one in transcript[:2]]
    conversation = (await host.get(f"/conversations/{answer['conversation_id']}")).json()
    assert ("widget", mira.visitor, 4) == tuple(conversation[name] for name in ("channel", "visitor_id", "messages_count"))
    (event,) = (await host.get("/events?type=lead.created")).json()["data"]
    assert ("visitor", key["id"], "Our site") == tuple(event["actor"][name] for name in ("kind", "id", "name"))


async def test_visitor_gets_at_nothing_of_another_visitor_chatbot_or_workspace(host: Host) -> None:
    bot, other_bot = await chatbot(host), await chatbot(host)
    key, other_key = await embed(host, bot), await embed(host, other_bot)
    stranger = await host.stranger()
    theirs = await embed(stranger, await chatbot(stranger))
    mira = await Browser(host, key).arrive()
    own = (await mira.say("Hello")).json()["conversation_id"]
    through_the_api = (await host.post(f"/chatbots/{bot}/messages", {"body": "Hello"})).json()["conversation_id"]
    others = [await Browser(host, key).arrive(), await Browser(host, other_key).arrive(), await Browser(stranger, theirs).arrive()]
    for browser, conversation_id in [*((one, own) for one in others), (mira, through_the_api), (mira, "x"), (mira, own[:-1] + "0")]:
        refused = [
            await browser.call("GET", "/messages", conversation_id=conversation_id),
            await browser.say("Hello", conversation_id),
            await browser.call("POST", "/leads", {"email": "eve@evil.example", "conversation_id": conversation_id}),
        ]
        assert {404} == {answer.status_code for answer in refused}
    assert [] == (await host.get("/leads")).json()["data"]
    # The session decides, whatever key stands beside it in the address.
    mixed = Browser(host, other_key)
    mixed.token = mira.token
    assert [own] * 2 == [(await mixed.call("GET", "/messages", conversation_id=own)).json()["data"][at]["conversation_id"] for at in (0, 1)]


async def test_key_of_a_deleted_chatbot_and_bad_input_are_refused(host: Host) -> None:
    bot = await chatbot(host)
    mira = await Browser(host, await embed(host, bot)).arrive()
    for path, body in (
        ("/messages", {"body": ""}),
        ("/messages", {"body": "x" * 4001}),
        ("/messages", {"body": "x", "visitor_id": "me"}),
        ("/leads", {"email": "nobody"}),
        ("/leads", {"email": "a@b.example", "chatbot_id": bot}),
        ("/sessions", {}),
    ):
        answer = await mira.call("POST", path, body)
        assert answer.status_code == (403 if path == "/sessions" else 400), (path, answer.text)
    assert 400 == (await mira.call("GET", "/messages", conversation_id="x", more="y")).status_code
    await host.delete(f"/chatbots/{bot}")
    gone = [await mira.say("Hello"), await mira.call("POST", "/leads", {"email": "a@b.example"})]
    assert [404, 404] == [answer.status_code for answer in gone]
    mira.token = ""
    assert 404 == (await mira.call("GET")).status_code


async def test_script_is_small_and_any_page_may_load_it(host: Host) -> None:
    answer = await host.client.get("/widget.js")
    assert ("text/javascript; charset=utf-8", "cross-origin") == (
        answer.headers["content-type"],
        answer.headers["cross-origin-resource-policy"],
    )
    assert "access-control-allow-origin" not in answer.headers
    assert answer.content == SCRIPT
    assert len(SCRIPT) < 15_000
    assert b"innerHTML" not in SCRIPT
