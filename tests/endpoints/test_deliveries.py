"""What was sent, what came back and what was skipped is told to whoever manages the endpoint, who sends it again after an outage."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks

from keyrack.client import webhooks
from keyrack.manage.keys import Issued
from keyrack.model.permissions import Level, Rights, SpaceRole
from keyrack.model.principals import Mode
from tests.backends import Backend
from tests.deliveries.conftest import POSTED, Shop, opened
from tests.deliveries.receivers import OK, receiving
from tests.hosts import ADMIN_RIGHTS
from tests.serving.served import until
from tests.walk.problems import problem

PATIENT = {"store_wait_seconds": 20, "store_answer_seconds": 20}
READS = Rights(permissions={"customers": Level.READ})
FAILED = b"HTTP/1.1 500 Oops\r\nX-Trace: 17\r\nContent-Length: 4\r\n\r\nnope"


@pytest.fixture
async def shop(backend: Backend, tmp_path: Path) -> AsyncIterator[Shop]:
    """A running host and a customer's server, on each database in turn."""
    async with receiving() as receiver, opened(backend, tmp_path, receiver, settings=PATIENT) as one:
        yield one


async def send(shop: Shop, method: str, path: str, key: Issued, body: dict[str, Any] | None = None) -> httpx.Response:
    """Send a call with a key."""
    return await shop.host.send(method, f"/api/v1{path}", key, json=body)


async def subscribe(shop: Shop, key: Issued, path: str = "/hooks", **fields: Any) -> dict[str, Any]:
    """Make an endpoint with a key."""
    answer = await send(shop, "POST", "/endpoints", key, {"url": shop.receiver.url + path, "events": ["customer.created"], **fields})
    assert 201 == answer.status_code, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def told(shop: Shop, key: Issued, query: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many deliveries are listed, and return them."""
    found: list[dict[str, Any]] = []

    async def listed() -> bool:
        found[:] = (await send(shop, "GET", f"/deliveries?{query}", key)).json()["data"]
        return len(found) == count

    await until(listed, lambda: f"{found} for {query}")
    return found


async def test_developer_walks_from_an_endpoint_over_an_outage_to_a_replay(shop: Shop) -> None:
    key = await shop.host.key(READS)
    made = await subscribe(shop, key, headers={"X-Receiver": "swordfish"})
    shop.receiver.answer = lambda _: FAILED
    (event_id,) = await shop.happen(shop.event())
    (waiting,) = await told(shop, key, "state=pending", 1)
    await until(lambda: _tried(shop, key, waiting["id"], 1), lambda: "the first attempt")
    whole = (await send(shop, "GET", f"/deliveries/{waiting['id']}", key)).json()
    (attempt,) = whole["attempts"]
    assert (event_id, "pending", 1, True) == (whole["event_id"], whole["state"], whole["attempt_count"], bool(whole["next_attempt_at"]))
    assert (False, 500, "nope", "17") == (
        attempt["succeeded"],
        attempt["response"]["status"],
        attempt["response"]["body"],
        attempt["response"]["headers"]["x-trace"],
    )
    assert "swordfish" not in str(whole) and "X-Receiver" in attempt["request"]["headers"]  # noqa: PT018
    rotated = (await send(shop, "POST", f"/endpoints/{made['id']}/rotate", key, {})).json()
    shop.receiver.answer = lambda _: OK
    replay = await send(shop, "POST", f"/endpoints/{made['id']}/replay", key, {"since": made["created_at"]})
    assert (202, 1) == (replay.status_code, replay.json()["deliveries"])
    (done,) = await told(shop, key, "state=succeeded", 1)
    assert waiting["id"] == done["id"]
    first, second = shop.receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event_id
    for secret in (made["secret"], rotated["secret"]):
        assert second.content == webhooks.verify(second.body, second.headers, secret)
        assert second.content == standardwebhooks.Webhook(secret).verify(second.body, second.headers)
    assert whole["attempts"][0]["request"]["body"] == second.body.decode()


async def _tried(shop: Shop, key: Issued, delivery_id: str, count: int) -> bool:
    return bool(count <= (await send(shop, "GET", f"/deliveries/{delivery_id}", key)).json()["attempt_count"])


async def test_test_shows_what_was_sent_and_answered_and_keeps_nothing(shop: Shop) -> None:
    key = await shop.host.key(READS)
    made = await subscribe(shop, key)
    shop.receiver.answer = lambda _: FAILED
    tried = await send(shop, "POST", f"/endpoints/{made['id']}/test", key, {"type": "customer.created"})
    assert (200, False, 500) == (tried.status_code, tried.json()["succeeded"], tried.json()["response"]["status"])
    (received,) = shop.receiver.received
    assert received.body.decode() == tried.json()["request"]["body"]
    assert "customer.created" == webhooks.verify(received.body, received.headers, made["secret"])["type"]
    assert [] == (await send(shop, "GET", "/deliveries", key)).json()["data"]
    problem(await send(shop, "POST", f"/endpoints/{made['id']}/test", key, {"type": "key.created"}), 404, "not_found")
    problem(await send(shop, "POST", f"/endpoints/{made['id']}/test", key, {"type": "zebra.ran"}), 404, "not_found")
    shop.receiver.answer = lambda _: b""
    cut = (await send(shop, "POST", f"/endpoints/{made['id']}/test", key, {"type": "customer.created"})).json()
    assert (None, "broken_off", True) == (cut["response"], cut["error"], bool(cut["detail"]))


async def test_deliveries_of_others_look_like_missing_ones(shop: Shop) -> None:
    owner, stranger, admin = (
        await shop.host.key(READS, name="owner"),
        await shop.host.key(READS, name="stranger"),
        await shop.host.key(ADMIN_RIGHTS),
    )
    neighbour = (await shop.host.other_workspace()).key
    made = await subscribe(shop, owner)
    await shop.happen(shop.event())
    (done,) = await told(shop, owner, "state=succeeded", 1)
    for other in (stranger, neighbour):
        assert [] == (await send(shop, "GET", "/deliveries", other)).json()["data"]
        assert [] == (await send(shop, "GET", f"/deliveries?endpoint_id={made['id']}", other)).json()["data"]
        for method, path, body in (
            ("GET", f"/deliveries/{done['id']}", None),
            ("POST", f"/deliveries/{done['id']}/resend", None),
            ("GET", f"/endpoints/{made['id']}/deliveries", None),
            ("POST", f"/endpoints/{made['id']}/replay", {"since": made["created_at"]}),
            ("POST", f"/endpoints/{made['id']}/test", {"type": "customer.created"}),
        ):
            problem(await send(shop, method, path, other, body), 404, "not_found")
    for one in (owner, admin):
        assert [done["id"]] == [line["id"] for line in (await send(shop, "GET", "/deliveries", one)).json()["data"]]
        assert 200 == (await send(shop, "GET", f"/endpoints/{made['id']}/deliveries", one)).status_code
    assert 1 == len(shop.receiver.received)


async def test_what_was_sent_is_shown_to_those_alone_who_may_be_told_of_it_now(shop: Shop) -> None:
    space = await shop.host.rack.spaces.create(shop.host.workspace.id, "Inside")
    rights = Rights(permissions={"customers": Level.READ}, spaces={space.id: SpaceRole.VIEWER})
    key, admin = await shop.host.key(rights), await shop.host.key(ADMIN_RIGHTS)
    await subscribe(shop, key, events=["*"])
    await shop.happen(shop.event(), shop.event({"space_id": space.id, "body": "psst"}, "message.posted"))
    done = {one["event_type"]: one["id"] for one in await told(shop, key, "state=succeeded", 2)}

    async def shown(to: Issued) -> list[str]:
        found = [(await send(shop, "GET", f"/deliveries/{done[kind]}", to)).json() for kind in ("customer.created", "message.posted")]
        assert [200, 200] == [one["attempts"][0]["response"]["status"] for one in found]
        return [one["attempts"][0]["request"]["body"] for one in found]

    customer, message = await shown(key)
    assert "Søn" in customer and "psst" in message  # noqa: PT018
    assert [customer, ""] == await shown(admin)
    await shop.host.edit_rights(key, Rights())
    assert ["", ""] == await shown(key)


async def test_test_key_has_nothing_sent_to_a_live_endpoint(shop: Shop) -> None:
    admin = await shop.host.key(ADMIN_RIGHTS)
    tester = await shop.host.key(ADMIN_RIGHTS, name="tester", mode=Mode.TEST)
    made = await subscribe(shop, admin)
    await shop.happen(shop.event())
    (done,) = await told(shop, admin, "state=succeeded", 1)
    for path, body in (
        (f"/deliveries/{done['id']}/resend", None),
        (f"/endpoints/{made['id']}/replay", {"since": made["created_at"]}),
        (f"/endpoints/{made['id']}/test", {"type": "customer.created"}),
    ):
        problem(await send(shop, "POST", path, tester, body), 403, "insufficient_permission")
    assert 1 == len(shop.receiver.received)


async def test_event_tells_where_it_was_sent_and_where_not_and_why(shop: Shop) -> None:
    owner, admin, stranger = (
        await shop.host.key(READS, name="owner"),
        await shop.host.key(ADMIN_RIGHTS),
        await shop.host.key(READS, name="other"),
    )
    own, workspaces = await subscribe(shop, owner, "/own"), await subscribe(shop, admin, "/workspace", events=["customer.created", "*"])
    (live,) = await shop.happen(shop.event())
    (test,) = await shop.happen(shop.event(mode=Mode.TEST))
    await told(shop, admin, f"event_id={live}&state=succeeded", 2)
    await told(shop, admin, f"event_id={test}&state=skipped", 2)

    async def sent(key: Issued, event_id: str) -> set[tuple[str, str, str | None]]:
        event = (await send(shop, "GET", f"/events/{event_id}", key)).json()
        listed = (await send(shop, "GET", "/events?type=customer.created", key)).json()["data"]
        assert event in listed
        return {(one["endpoint_id"], one["state"], one["why"]) for one in event["deliveries"]}

    assert {(own["id"], "succeeded", None), (workspaces["id"], "succeeded", None)} == await sent(admin, live)
    assert {(own["id"], "skipped", "test_mode"), (workspaces["id"], "skipped", "test_mode")} == await sent(admin, test)
    assert {(own["id"], "skipped", "test_mode")} == await sent(owner, test)
    assert set() == await sent(stranger, live)
    problem(await send(shop, "GET", f"/events/{live}", (await shop.host.other_workspace()).key), 404, "not_found")
    (skipped,) = await told(shop, owner, f"event_id={test}", 1)
    problem(await send(shop, "POST", f"/deliveries/{skipped['id']}/resend", owner), 409, "conflict")


async def test_endpoint_of_the_workspace_is_told_nothing_of_what_lies_in_spaces(shop: Shop) -> None:
    admin = await shop.host.key(ADMIN_RIGHTS)
    made = await subscribe(shop, admin, events=["*"])
    space = await shop.host.rack.spaces.create(shop.host.workspace.id, "Launch")
    (event_id,) = await shop.happen(shop.event({"id": "m1", "space_id": space.id, "body": "sealed lips"}, kind=POSTED.name))
    (skipped,) = await told(shop, admin, f"event_id={event_id}", 1)
    assert (made["id"], "skipped", "not_permitted") == (skipped["endpoint_id"], skipped["state"], skipped["why"])
    assert not [one for one in shop.receiver.received if b"sealed lips" in one.body]


async def test_what_an_integration_may_not_read_is_in_no_list_of_its_key(shop: Shop) -> None:
    admin, owner = await shop.host.key(ADMIN_RIGHTS), await shop.host.key(READS)
    made = await subscribe(shop, owner, events=["*"])
    space = await shop.host.rack.spaces.create(shop.host.workspace.id, "Launch")
    (hidden,) = await shop.happen(shop.event({"id": "m1", "space_id": space.id, "body": "sealed lips"}, kind=POSTED.name))
    (shown,) = await shop.happen(shop.event())
    (skipped,) = await told(shop, admin, f"event_id={hidden}", 1)
    assert (made["id"], "not_permitted") == (skipped["endpoint_id"], skipped["why"])
    assert [shown] == [one["event_id"] for one in await told(shop, owner, "", 1)]
    for path in (f"/deliveries/{skipped['id']}", f"/events/{hidden}"):
        problem(await send(shop, "GET", path, owner), 404, "not_found")
    problem(await send(shop, "POST", f"/deliveries/{skipped['id']}/resend", owner), 404, "not_found")


async def test_deliveries_are_paged_filtered_and_sorted(shop: Shop) -> None:
    key = await shop.host.key(READS)
    made = await subscribe(shop, key)
    ids = []
    for _ in range(5):
        ids += await shop.happen(shop.event())
        shop.clock.pass_seconds(60)
        await told(shop, key, "state=succeeded", len(ids))
    path = f"/endpoints/{made['id']}/deliveries"
    every = (await send(shop, "GET", f"{path}?sort=created_at", key)).json()["data"]
    assert ids == [one["event_id"] for one in every]
    first = (await send(shop, "GET", f"{path}?limit=2", key)).json()
    second = (await shop.host.get(first["next_url"], key)).json()
    assert ids[::-1][:4] == [one["event_id"] for one in (*first["data"], *second["data"])]
    between = f"since={every[1]['created_at']}&until={every[3]['created_at']}"
    for query, expected in ((between, ids[1:4]), (f"event_id={ids[2]}", ids[2:3]), ("event_type=key.created", []), ("state=failed", [])):
        found = (await send(shop, "GET", f"/deliveries?sort=created_at&{query}", key)).json()["data"]
        assert expected == [one["event_id"] for one in found], query
    after = (await send(shop, "GET", f"{path}?sort=created_at&starting_after={every[2]['id']}", key)).json()["data"]
    assert ids[3:] == [one["event_id"] for one in after]
    resent = await send(shop, "POST", f"/deliveries/{every[0]['id']}/resend", key)
    assert (200, every[0]["id"]) == (resent.status_code, resent.json()["id"])
    await until(lambda: _tried(shop, key, every[0]["id"], 2), lambda: "the second attempt")
    await send(shop, "PATCH", f"/endpoints/{made['id']}", key, {"enabled": False})
    problem(await send(shop, "POST", f"/deliveries/{every[0]['id']}/resend", key), 409, "conflict")
    for wrong in ("state=gone", "limit=0", "colour=blue", "since=yesterday", "event_type=%00"):
        problem(await send(shop, "GET", f"/deliveries?{wrong}", key), 400, "invalid_request")
