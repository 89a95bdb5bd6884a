"""Customers: three names for each, numbers that never come back, and closed lists."""

import asyncio
import re
from typing import Any

import pytest

from tests.atrium.host import Host

AURORA = {"name": "Aurora Outfitters", "slug": "aurora", "domain": "aurora.com", "status": "onboarding"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_created_customer_has_exactly_the_fields_of_the_quickstart(host: Host) -> None:
    answer = await host.post("/customers", AURORA)
    customer = answer.json()
    assert 201 == answer.status_code
    fields = ["object", "id", "display_id", "name", "slug", "domain", "status", "created_at", "updated_at"]
    assert fields == list(customer)
    assert {"object": "customer", "display_id": 245, **AURORA}.items() <= customer.items()
    assert re.fullmatch(r"c[a-z0-9]{24}", customer["id"])
    assert TIME.fullmatch(customer["created_at"])
    assert customer["created_at"] == customer["updated_at"]


async def test_customer_is_named_by_display_id_id_and_slug(host: Host) -> None:
    customer = (await host.post("/customers", AURORA)).json()
    for name in (customer["display_id"], customer["id"], customer["slug"]):
        assert customer == (await host.get(f"/customers/{name}")).json()


@pytest.mark.parametrize(
    "name", ["246", "0245", "-1", "99999999999999999999999", "c" + "x" * 24, "nobody", "AURORA", "%00", "%ff", "a" * 500]
)
async def test_unknown_name_is_a_404(host: Host, name: str) -> None:
    await host.post("/customers", AURORA)
    answer = await host.get(f"/customers/{name}")
    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


async def test_other_workspace_is_the_very_same_404(host: Host) -> None:
    customer = (await host.post("/customers", AURORA)).json()
    stranger = await host.stranger()
    for name in (customer["display_id"], customer["id"], customer["slug"]):
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/contacts"), ("POST", "/contacts")):
            hidden = await stranger.call(method, f"/customers/{name}{path}", {"name": "X"} if method in ("PATCH", "POST") else None)
            assert (404, f"No customer {name}.") == (hidden.status_code, hidden.json()["detail"])
    assert [] == (await stranger.get("/customers")).json()["data"]


async def test_slug_is_made_from_the_name_where_none_is_given(host: Host) -> None:
    names = ["Café Ümlaut & Söhne", "Café Ümlaut & Söhne", "東京", "1984", "c" + "a" * 24]
    slugs = [(await host.post("/customers", {"name": name})).json()["slug"] for name in names]
    assert ["cafe-umlaut-sohne", "cafe-umlaut-sohne-246", "customer-247", "customer-1984", "customer-c" + "a" * 24] == slugs


@pytest.mark.parametrize("slug", ["245", "c" + "a" * 24, "", "Aurora", "a--b", "-a", "a-", "a b", "ä", "a/b", "a" * 65, 5])
async def test_slug_that_could_be_another_name_is_refused(host: Host, slug: object) -> None:
    answer = await host.post("/customers", {"name": "X", "slug": slug})
    assert (400, "invalid_request", "slug") == (answer.status_code, answer.json()["code"], answer.json()["param"])


async def test_slug_is_given_once_in_a_workspace(host: Host) -> None:
    first = (await host.post("/customers", AURORA)).json()
    second = (await host.post("/customers", {"name": "Second"})).json()
    for answer in (await host.post("/customers", AURORA), await host.patch(f"/customers/{second['id']}", {"slug": "aurora"})):
        assert (409, "conflict", "slug") == (answer.status_code, answer.json()["code"], answer.json()["param"])
    assert second == (await host.get(f"/customers/{second['id']}")).json()
    stranger = await host.stranger()
    assert 201 == (await stranger.post("/customers", AURORA)).status_code
    await host.delete(f"/customers/{first['id']}")
    assert 201 == (await host.post("/customers", AURORA)).status_code


async def test_display_id_counts_per_workspace_and_never_comes_back(host: Host) -> None:
    assert 245 == (await host.post("/customers", {"name": "A"})).json()["display_id"]
    assert 409 == (await host.post("/customers", {"name": "B", "slug": "a"})).status_code
    last = (await host.post("/customers", {"name": "B"})).json()["display_id"]
    await host.delete(f"/customers/{last}")
    assert last < (await host.post("/customers", {"name": "C"})).json()["display_id"]
    assert 245 == (await (await host.stranger()).post("/customers", {"name": "A"})).json()["display_id"]


async def test_concurrent_creations_get_different_numbers_and_slugs(host: Host) -> None:
    answers = await asyncio.gather(*(host.post("/customers", {"name": "Same"}) for _ in range(20)))
    customers = [answer.json() for answer in answers]
    assert list(range(245, 265)) == sorted(customer["display_id"] for customer in customers)
    assert 20 == len({customer["slug"] for customer in customers})


async def test_update_changes_what_is_named_and_nothing_else(host: Host) -> None:
    before = (await host.post("/customers", AURORA)).json()
    after = (await host.patch("/customers/245", {"status": "active", "domain": None})).json()
    assert {**before, "status": "active", "domain": None, "updated_at": after["updated_at"]} == after
    assert after == (await host.patch("/customers/245", {})).json()
    assert after == (await host.patch("/customers/245", {"status": "active"})).json()


async def test_deleted_customer_takes_contacts_and_onboardings_along(host: Host) -> None:
    customer = (await host.post("/customers", AURORA)).json()
    contact = (await host.post("/customers/245/contacts", {"name": "Mira Chen"})).json()
    onboarding = (await host.post("/onboardings", {"customer_id": "245"})).json()
    answer = await host.delete("/customers/245")
    assert (204, b"") == (answer.status_code, answer.content)
    for path in (
        f"/customers/{customer['id']}",
        f"/customers/{customer['id']}/contacts/{contact['id']}",
        f"/onboardings/{onboarding['id']}",
    ):
        assert 404 == (await host.get(path)).status_code
    # Each with an event of its own: whoever keeps a copy of onboardings alone learns that this one is gone.
    told = [(event["type"], event["object_id"]) for event in (await host.get("/events?limit=3")).json()["data"]]
    gone = [("customer.deleted", customer["id"]), ("onboarding.deleted", onboarding["id"]), ("contact.deleted", contact["id"])]
    assert gone == told


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": None}, "name"),
        ({"name": "X", "domain": "https://aurora.com/"}, "domain"),
        ({"name": "X", "domain": "a" * 300 + ".com"}, "domain"),
        ({"name": "X", "colour": "red"}, "colour"),
        ({"name": "X", "display_id": 7}, "display_id"),
        ({"name": "X", "workspace_id": "org_1"}, "workspace_id"),
    ],
)
async def test_bad_body_is_a_400_that_names_the_field(host: Host, body: dict[str, object], param: str) -> None:
    answer = await host.post("/customers", body)
    assert (400, "invalid_request", param) == (answer.status_code, answer.json()["code"], answer.json()["param"])
    assert [] == (await host.get("/customers")).json()["data"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"content": b'{"name": "X"}', "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, "Content-Type: application/json"),
        ({"data": {"name": "X"}}, "Content-Type: application/json"),
        ({"json": ["X"]}, "JSON object"),
        ({}, "The body is required."),
    ],
)
async def test_body_that_is_no_json_object_is_told_as_that(host: Host, sent: dict[str, Any], words: str) -> None:
    headers = {"Authorization": f"Bearer {host.secret}", **sent.get("headers", {})}
    answer = await host.client.post("/api/v1/customers", **{**sent, "headers": headers})
    problem = answer.json()
    assert (400, "invalid_request", None) == (answer.status_code, problem["code"], problem["param"])
    assert words in problem["detail"]
    assert ["#"] == [error["pointer"] for error in problem["errors"]]
    assert problem["errors"][0]["fix"]


async def test_unknown_status_is_a_400_that_names_the_closed_list(host: Host) -> None:
    await host.post("/customers", AURORA)
    for answer in (
        await host.post("/customers", {"name": "X", "status": "nope"}),
        await host.patch("/customers/245", {"status": "nope"}),
        await host.get("/customers?status=nope"),
    ):
        assert (400, "status") == (answer.status_code, answer.json()["param"])
        assert all(status in answer.json()["detail"] for status in ("lead", "onboarding", "active", "churned"))


async def test_each_change_is_an_event_with_the_customer_and_the_actor_of_that_time(host: Host) -> None:
    customer = (await host.post("/customers", AURORA)).json()
    await host.patch("/customers/aurora", {"name": "Aurora"})
    await host.patch("/customers/aurora", {"name": "Aurora"})
    await host.post("/customers", AURORA)
    await host.delete("/customers/aurora")
    events = [event for event in (await host.get("/events")).json()["data"] if event["type"].startswith("customer.")]
    assert ["customer.deleted", "customer.updated", "customer.created"] == [event["type"] for event in events]
    assert {"local-dev"} == {event["actor"]["name"] for event in events}
    assert customer == events[-1]["data"]
    assert "Aurora" == events[0]["data"]["name"]
