"""What a page of another origin may call, and what a browser lets it read."""

import pytest

from keyrack.manage import embed_keys
from keyrack.manage.desk import Desk
from tests.embed_keys.pages import SHOP, SITE, new_page
from tests.hosts import ADMIN_RIGHTS, Host
from tests.walk.problems import problem

CORS = "access-control-allow-origin"
ELSEWHERE = (
    "https://evil.example",
    "https://www.example.com.evil.example",
    "https://evil-www.example.com",
    "http://www.example.com",
    "https://www.example.com:444",
    "https://www.example.com/",
    "https://WWW.example.com",
    "null",
    "*",
)


async def test_page_of_an_allowed_origin_reads_its_widget_and_its_visitor_speaks(host: Host) -> None:
    page = await new_page(host, SITE, SHOP)
    shown = await page.call("GET", "/api/v1/widget")
    assert {"widget": "w1", "visitor": None} == shown.json()
    assert (SITE, "Origin") == (shown.headers[CORS], shown.headers["vary"])
    assert "access-control-allow-credentials" not in shown.headers
    opened = await page.visit()
    said = await page.say()
    assert {"widget": "w1", "visitor": opened.json()["visitor"], "body": "Hello"} == said.json()
    # A browser sends what the answers allow, and sends neither cookies nor anything else along.
    asked = await page.ask_before()
    assert (204, SITE, "POST") == (asked.status_code, asked.headers[CORS], asked.headers["access-control-allow-methods"])
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    assert {"Origin", "Access-Control-Request-Method"} <= set(asked.headers["vary"].split(", "))
    # A refusal can be read there too; else the page could not say what is wrong.
    refused = await page.call("POST", "/api/v1/said", json={})
    problem(refused, 400, "invalid_request")
    assert SITE == refused.headers[CORS]
    admin = await host.key(ADMIN_RIGHTS)
    for answer, kind in ((shown, "embed_key"), (said, "visitor"), (refused, "visitor"), (asked, "embed_key")):
        line = (await host.get(f"/api/v1/logs/{answer.headers['x-request-id']}", admin)).json()
        assert (kind, page.key.id, "Our site") == (line["credential_kind"], line["credential_id"], line["credential_name"])
        assert page.key.text not in line["path"]


async def test_page_of_any_other_origin_is_refused_and_reads_nothing(host: Host) -> None:
    page = await new_page(host)
    await page.visit()
    for page.origin in ELSEWHERE:
        for answer in (await page.call("GET", "/api/v1/widget"), await page.call("POST", "/api/v1/visits", json={}), await page.say()):
            problem(answer, 403, "origin_not_allowed")
            assert CORS not in answer.headers
        assert CORS not in (await page.ask_before()).headers
    # Whoever says of no page at all is no browser that shows one.
    nowhere = await host.get("/api/v1/widget", page.key.text)
    assert "names no Origin" in problem(nowhere, 403, "origin_not_allowed")["detail"]
    twice = await host.client.get(
        "/api/v1/widget", params={"key": page.key.text}, headers=[("Origin", SITE), ("Origin", "https://evil.example")]
    )
    problem(twice, 400, "invalid_request")


async def test_page_of_the_host_itself_shows_what_is_embedded(host: Host) -> None:
    page = await new_page(host)
    own = {"Sec-Fetch-Site": "same-origin"}
    shown = await host.client.get("/api/v1/widget", params={"key": page.key.text}, headers=own)
    assert (200, False) == (shown.status_code, CORS in shown.headers)
    # A visit of one origin is none of another, also where both are allowed.
    await page.visit()
    elsewhere = await host.send("POST", "/api/v1/said", page.token, headers=own, json={"body": "Hello"})
    problem(elsewhere, 403, "origin_not_allowed")


async def test_preflights_of_everything_else_stay_without_cors_headers(host: Host) -> None:
    page = await new_page(host)
    other = await new_page(host, SHOP)
    asked = [
        await page.ask_before("GET", "/api/v1/customers"),
        await page.ask_before("GET", "/api/v1/embed-keys"),
        await page.ask_before("DELETE", "/api/v1/said"),
        await page.ask_before("GET", "/api/v1/nothing"),
        await page.ask_before(params={}),
        await page.ask_before(params={"key": other.key.text}),
        await page.ask_before(params={"key": page.key.text[:-1] + "x"}),
        await page.ask_before(params={"key": "acme_embed_nothing"}),
    ]
    assert [(204, False)] * len(asked) == [(answer.status_code, CORS in answer.headers) for answer in asked]
    secret = await host.key()
    told = await host.get("/api/v1/customers", secret, headers={"Origin": SITE})
    assert (200, False) == (told.status_code, CORS in told.headers)


async def test_secret_in_the_parameter_of_the_embed_key_is_refused(host: Host) -> None:
    page = await new_page(host)
    await page.visit()
    secret = await host.key()
    for text in (secret.secret.text, page.token or ""):
        problem(await host.client.get("/api/v1/widget", params={"key": text}, headers={"Origin": SITE}), 400, "key_in_url")
    # An embed key is no second credential beside its visits, and one beside any other.
    both = await host.get("/api/v1/customers", secret, params={"key": page.key.text})
    problem(both, 400, "invalid_request")
    assert 201 == (await page.say()).status_code


async def test_visitors_and_addresses_have_budgets_of_their_own(host: Host, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyrack.model.embed_keys.VISITORS_AT_ONE_ADDRESS", 5)
    page = await new_page(host, calls_per_minute=2)
    await page.visit()
    assert [201, 201, 429] == [(await page.say()).status_code for _ in range(3)]
    refused = await page.say()
    assert ["visitor"] == problem(refused, 429, "rate_limited")["violated-policies"]
    assert (True, SITE) == (int(refused.headers["retry-after"]) > 0, refused.headers[CORS])
    # Another visitor has a budget, until all at the address have used up what they have together.
    statuses = []
    for _ in range(5):
        opened = await page.visit()
        statuses.append(opened.status_code)
    assert 429 in statuses
    assert ["address"] == problem(opened, 429, "rate_limited")["violated-policies"]
    # None of it came from what the workspace's programs may call, and a longer leash is felt at once.
    assert "r=5000" not in refused.headers["ratelimit"]
    assert 200 == (await host.get("/api/v1/customers", await host.key())).status_code
    await embed_keys.edit(desk, host.owner, page.key.id, calls_per_minute=600)
    assert 201 == (await page.visit()).status_code


async def test_body_of_a_visitor_is_bounded_more_tightly_than_others(host: Host) -> None:
    page = await new_page(host)
    await page.visit()
    problem(await page.say("x" * 70_000), 413, "body_too_large")
    assert 201 == (await page.say("x" * 1000)).status_code
    assert 200 == (await host.send("POST", "/api/v1/echo", await host.key(), content=b"x" * 70_000)).status_code
