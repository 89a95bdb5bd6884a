"""Whoever may read a thing reads what happens to it, deletions above all; and nothing else."""

import pytest

from keyrack.model.events import may_read, readable
from keyrack.model.permissions import Level, OrgAccess, Rights, SpaceRole, compile_rights
from keyrack.store import events as rows
from tests.atrium.host import Host
from tests.listen.conftest import With

FEED = "/events?sort=created_at&limit=100"


async def told(host: Host, path: str = FEED) -> list[tuple[str, str]]:
    """The types and objects of the events that a key reads."""
    answer = await host.get(path)
    assert 200 == answer.status_code, answer.text
    return [(event["type"], event["object_id"]) for event in answer.json()["data"]]


async def something_happens(host: Host) -> dict[str, str]:
    """Make, change and delete one thing of each kind; return their ids."""
    space = await host.create_space("Launch room")
    customer = (await host.post("/customers", {"name": "Aurora"})).json()["id"]
    onboarding = (await host.post("/onboardings", {"customer_id": customer})).json()["id"]
    message = (await host.post(f"/spaces/{space}/messages", {"body": "between us"})).json()["id"]
    for path in (f"/spaces/{space}/messages/{message}", f"/customers/{customer}"):
        assert 204 == (await host.delete(path)).status_code
    return {"space": space, "customer": customer, "onboarding": onboarding, "message": message}


async def test_key_that_reads_a_category_learns_of_its_deletions_and_of_nothing_else(host: Host, reaching: With) -> None:
    made = await something_happens(host)
    reader = await reaching(Rights(permissions={"customers": Level.READ}))
    customer = made["customer"]
    assert [("customer.created", customer), ("customer.deleted", customer)] == await told(reader)
    both = await reaching(Rights(permissions={"customers": Level.READ, "onboardings": Level.READ}))
    assert ("onboarding.deleted", made["onboarding"]) in await told(both)
    assert [("customer.deleted", customer)] == await told(both, f"{FEED}&type=customer.deleted")
    assert [] == await told(both, f"{FEED}&type=key.*")


async def test_org_level_reader_reads_what_it_reads_elsewhere_and_nothing_of_the_workspace(host: Host, reaching: With) -> None:
    await something_happens(host)
    reader = await reaching(Rights(OrgAccess.READER))
    assert {"customer", "onboarding"} == {kind.split(".")[0] for kind, _ in await told(reader)}


async def test_key_without_permissions_reads_nothing(host: Host, reaching: With) -> None:
    await something_happens(host)
    assert [] == await told(await reaching(Rights()))


@pytest.mark.parametrize("rights", [Rights(OrgAccess.ADMIN), Rights(OrgAccess.ADMIN, {"customers": Level.WRITE})])
async def test_what_lies_in_a_space_is_told_to_nobody_without_a_role_there(host: Host, reaching: With, rights: Rights) -> None:
    made = await something_happens(host)
    admin = await reaching(rights)
    kinds = {kind for kind, _ in await told(admin)}
    assert {"customer.deleted", "key.created", "space.created"} <= kinds
    assert not {kind for kind in kinds if kind.startswith("message.")}
    assert [] == await told(admin, f"{FEED}&object_id={made['message']}")
    viewer = await reaching(Rights(spaces={made["space"]: SpaceRole.VIEWER}))
    assert [("message.created", made["message"]), ("message.deleted", made["message"])] == await told(viewer)
    elsewhere = await host.create_space("Another room")
    assert [] == await told(await reaching(Rights(spaces={elsewhere: SpaceRole.MANAGER})))


async def test_place_stays_one_also_where_the_event_may_not_be_read(host: Host, reaching: With) -> None:
    await something_happens(host)
    newest = (await host.get("/events?limit=1")).json()["data"][0]["id"]
    reader = await reaching(Rights(permissions={"customers": Level.READ}))
    assert [] == await told(reader, f"{FEED}&starting_after={newest}")
    later = (await host.post("/customers", {"name": "Later"})).json()["id"]
    assert [("customer.created", later)] == await told(reader, f"{FEED}&starting_after={newest}")
    theirs = await host.stranger()
    assert 400 == (await theirs.get(f"{FEED}&starting_after={newest}")).status_code


async def test_pages_of_what_may_be_read_miss_and_repeat_nothing(host: Host, reaching: With) -> None:
    made = [(await host.post("/customers", {"name": f"Customer {number}"})).json()["id"] for number in range(7)]
    await something_happens(host)
    reader = await reaching(Rights(permissions={"customers": Level.READ}))
    for sort in ("created_at", "-created_at"):
        path, found = f"/events?limit=2&sort={sort}&type=customer.created", []
        while path:
            page = (await reader.get(path)).json()
            found += [event["object_id"] for event in page["data"]]
            path = page["next_url"]
        assert made == [one for one in (found if sort == "created_at" else reversed(found)) if one in made]
        assert len(set(found)) == len(found) == 8


async def test_list_holds_exactly_what_the_rule_for_one_event_lets_through(host: Host) -> None:
    made = await something_happens(host)
    desk, space = host.rack.assembly.desk, made["space"]
    # Reading gives them their places.
    assert await told(host)
    async with desk.store.reading() as c:
        everything = await rows.page(c, host.workspace_id, limit=100)
    for rights in (
        Rights(OrgAccess.ADMIN),
        Rights(OrgAccess.ADMIN, spaces={space: SpaceRole.VIEWER}),
        Rights(OrgAccess.READER, {"onboardings": Level.WRITE}),
        Rights(permissions={"onboardings": Level.READ}, spaces={space: SpaceRole.CONTRIBUTOR}),
        Rights(),
    ):
        masks = compile_rights(rights, desk.categories)
        of = readable(desk.event_types, desk.categories, masks)
        async with desk.store.reading() as c:
            listed = await rows.page(c, host.workspace_id, limit=100, of=of)
        assert [one for one in everything if may_read(one, desk.event_types, desk.categories, masks)] == listed
        assert [one for one in everything if of.holds(one)] == listed
