"""Contacts: always under a customer, with at most one primary."""

import asyncio

import pytest

from tests.atrium.host import Host

MIRA = {"name": "Mira Chen", "email": "mira@aurora.com", "title": "Head of Ops", "is_primary": True}


@pytest.fixture
async def customer(host: Host) -> str:
    """A customer's id."""
    return str((await host.post("/customers", {"name": "Aurora Outfitters", "slug": "aurora"})).json()["id"])


async def test_contact_lives_under_its_customer_by_each_of_its_names(host: Host, customer: str) -> None:
    contact = (await host.post("/customers/245/contacts", MIRA)).json()
    assert {"object": "contact", "customer_id": customer, **MIRA}.items() <= contact.items()
    for name in ("245", "aurora", customer):
        assert contact == (await host.get(f"/customers/{name}/contacts/{contact['id']}")).json()
        assert [contact] == (await host.get(f"/customers/{name}/contacts")).json()["data"]


async def test_contact_is_not_found_under_another_customer(host: Host, customer: str) -> None:
    contact = (await host.post("/customers/aurora/contacts", MIRA)).json()
    await host.post("/customers", {"name": "Other", "slug": "other"})
    for method in ("GET", "PATCH", "DELETE"):
        answer = await host.call(method, f"/customers/other/contacts/{contact['id']}", {"name": "X"} if method == "PATCH" else None)
        assert 404 == answer.status_code
    assert contact == (await host.get(f"/customers/{customer}/contacts/{contact['id']}")).json()


async def test_new_primary_demotes_the_old(host: Host, customer: str) -> None:
    mira = (await host.post(f"/customers/{customer}/contacts", MIRA)).json()
    noor = (await host.post(f"/customers/{customer}/contacts", {"name": "Noor", "is_primary": True})).json()
    assert await primaries(host) == [noor["id"]]
    await host.patch(f"/customers/{customer}/contacts/{mira['id']}", {"is_primary": True})
    assert await primaries(host) == [mira["id"]]
    await host.patch(f"/customers/{customer}/contacts/{mira['id']}", {"is_primary": False})
    assert [] == await primaries(host)
    events = [event for event in (await host.get("/events")).json()["data"] if event["type"] == "contact.updated"]
    assert [mira["id"], mira["id"], noor["id"], mira["id"]] == [event["object_id"] for event in events]


async def test_concurrent_primaries_leave_one(host: Host, customer: str) -> None:
    answers = await asyncio.gather(*(host.post(f"/customers/{customer}/contacts", {**MIRA, "name": f"M{n}"}) for n in range(10)))
    assert {201} == {answer.status_code for answer in answers}
    assert 1 == len(await primaries(host))


async def test_contact_is_changed_and_deleted(host: Host, customer: str) -> None:
    path = f"/customers/{customer}/contacts/{(await host.post(f'/customers/{customer}/contacts', MIRA)).json()['id']}"
    changed = (await host.patch(path, {"title": None, "name": "Mira C."})).json()
    assert (None, "Mira C.", True) == (changed["title"], changed["name"], changed["is_primary"])
    assert 204 == (await host.delete(path)).status_code
    assert 404 == (await host.get(path)).status_code


@pytest.mark.parametrize(
    "body", [{}, {"name": "X", "email": "nobody"}, {"name": "X", "is_primary": "perhaps"}, {"name": "X", "phone": "1"}]
)
async def test_bad_contact_is_a_400(host: Host, customer: str, body: dict[str, object]) -> None:
    assert 400 == (await host.post(f"/customers/{customer}/contacts", body)).status_code


async def primaries(host: Host) -> list[str]:
    """The ids of the customer's primary contacts."""
    return [contact["id"] for contact in (await host.get("/customers/245/contacts?is_primary=true")).json()["data"]]
