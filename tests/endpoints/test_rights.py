"""Who may do what with endpoints: an org-level Admin with all of them, a key with those of its own integration, nobody else with any."""

from typing import Any

import pytest

from keyrack.manage import endpoints, integrations
from keyrack.model.members import Role
from keyrack.model.permissions import Level, Rights
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND
from tests.endpoints.conftest import URL, Callers
from tests.manage.conftest import Actors
from tests.manage.refused import refused
from tests.walk.problems import problem

NOBODYS = "cl9bn00of0000g7l8gcq8c4xk"
OPERATIONS: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("GET", "/api/v1/endpoints/{id}", None, 200),
    ("PATCH", "/api/v1/endpoints/{id}", {"description": "changed"}, 200),
    ("POST", "/api/v1/endpoints/{id}/rotate", {}, 201),
    ("DELETE", "/api/v1/endpoints/{id}", None, 204),
]
ALLOWED = [status for *_, status in OPERATIONS]
MISSING = [404] * len(OPERATIONS)
KINDS = ("admin", "support", "sales", "nobody", "everything", "reader", "writer", "in_space")
FILTERS = [
    ("support", "customer.created", ""),
    ("support", "customer.*", ""),
    ("support", "*", ""),
    ("support", "onboarding.created", "onboardings:read"),
    ("support", "message.created", "a role in a space"),
    ("support", "key.created", "org-level Admin"),
    ("support", "key.*", "org-level Admin"),
    ("writer", "onboarding.created", ""),
    ("writer", "customer.created", "customers:read"),
    ("reader", "customer.created", ""),
    ("reader", "message.created", "a role in a space"),
    ("everything", "message.created", ""),
    ("everything", "key.created", "org-level Admin"),
    ("in_space", "message.created", ""),
    ("in_space", "customer.created", "customers:read"),
    ("nobody", "*", "able to read anything"),
    ("admin", "key.*", ""),
    ("admin", "customer.created", ""),
    ("admin", "message.created", "a role in a space"),
]


async def answers(callers: Callers, caller: str, endpoint_id: str) -> list[int]:
    """What each operation on an endpoint answers a kind of caller."""
    told = [await callers.send(method, path.format(id=endpoint_id), caller, json=body) for method, path, body, _ in OPERATIONS]
    return [one.status_code for one in told]


@pytest.mark.parametrize("owner", ["admin", "support", "test_admin"])
async def test_each_caller_reaches_its_own_endpoints_and_an_admin_all(callers: Callers, owner: str) -> None:
    for caller in KINDS:
        made = await callers.make(owner)
        expected = ALLOWED if caller in ("admin", owner) else MISSING
        assert expected == await answers(callers, caller, made["id"]), caller


async def test_what_belongs_to_others_looks_exactly_like_what_is_missing(callers: Callers) -> None:
    neighbour = await callers.host.other_workspace()
    body = {"url": URL, "events": ["customer.created"]}
    theirs = (await callers.host.send("POST", "/api/v1/endpoints", neighbour.key, json=body)).json()["id"]
    others = (await callers.make("support"))["id"]
    for method, path, sent, _ in OPERATIONS:
        told = [
            problem(await callers.send(method, path.format(id=one), "sales", json=sent), 404, "not_found")
            for one in (theirs, others, NOBODYS)
        ]
        varying = ("request_id", "instance", "request_log_url")
        assert 1 == len({repr({name: value for name, value in one.items() if name not in varying}) for one in told})
    assert 200 == (await callers.host.get(f"/api/v1/endpoints/{theirs}", neighbour.key)).status_code


async def test_list_has_ones_own_and_an_admins_has_all(callers: Callers) -> None:
    made = {name: (await callers.make(name))["id"] for name in ("admin", "support", "sales")}

    async def listed(caller: str, query: str = "") -> list[str]:
        return [one["id"] for one in (await callers.send("GET", f"/api/v1/endpoints{query}", caller)).json()["data"]]

    assert [made["sales"], made["support"], made["admin"]] == await listed("admin")
    assert [made["support"]] == await listed("support")
    assert [] == await listed("everything")
    theirs = f"?integration_id={(await callers.key('sales')).integration.id}"
    assert ([], [made["sales"]]) == (await listed("support", theirs), await listed("admin", theirs))


async def test_endpoint_of_a_key_is_its_integrations_and_that_of_an_admin_the_workspaces(callers: Callers) -> None:
    sales = (await callers.key("sales")).integration.id
    assert (await callers.key("support")).integration.id == (await callers.make("support"))["integration_id"]
    assert (await callers.make("admin"))["integration_id"] is None
    named = await callers.make("admin", integration_id=sales)
    assert sales == named["integration_id"]
    assert ALLOWED == await answers(callers, "sales", named["id"])
    for one in (sales, NOBODYS):
        problem(await callers.create("support", integration_id=one), 404, "not_found")
    problem(await callers.create("admin", integration_id=NOBODYS), 404, "not_found")


async def test_endpoint_names_what_it_may_be_told_of_and_nothing_else(callers: Callers) -> None:
    for caller, events, needed in FILTERS:
        answer = await callers.create(caller, events=[events])
        if not needed:
            assert (201, [events]) == (answer.status_code, answer.json().get("events")), (caller, events)
        else:
            told = problem(answer, 403, "insufficient_permission")
            assert ("events", True) == (told["param"], needed in told["detail"]), (caller, events, told["detail"])


async def test_filter_is_widened_by_nobody_beyond_the_integrations_rights(callers: Callers) -> None:
    made = await callers.make("support", events=["customer.created"])
    path, wider = f"/api/v1/endpoints/{made['id']}", {"events": ["onboarding.created"]}
    for caller in ("support", "admin"):
        problem(await callers.send("PATCH", path, caller, json=wider), 403, "insufficient_permission")
    rights = Rights(permissions={"customers": Level.READ, "onboardings": Level.READ})
    await callers.host.edit_rights(await callers.key("support"), rights)
    assert 200 == (await callers.send("PATCH", path, "support", json=wider)).status_code


async def test_test_key_makes_and_changes_test_endpoints_alone(callers: Callers) -> None:
    assert "test" == (await callers.make("test"))["mode"]
    for caller in ("test", "test_admin"):
        problem(await callers.create(caller, mode="live"), 403, "insufficient_permission")
    live = await callers.make("admin")
    assert [200, 403, 403, 403] == await answers(callers, "test_admin", live["id"])
    assert MISSING == await answers(callers, "test", live["id"])


async def test_member_without_org_level_admin_manages_no_endpoints(callers: Callers) -> None:
    actors, desk = Actors(callers.host), callers.host.rack.assembly.desk
    admin, member = await actors.sign_in("robin", Role.ADMIN), await actors.sign_in("mira", Role.MEMBER)
    made = (await endpoints.create(desk, admin, url=URL, events=["*"])).endpoint
    assert (admin.member_id, None) == (made.made_by, made.integration_id)
    with refused(INSUFFICIENT_PERMISSION):
        await endpoints.create(desk, member, url=URL, events=["*"])
    with refused(INSUFFICIENT_PERMISSION):
        await endpoints.get(desk, member, made.id)


async def test_endpoints_end_with_their_integration(callers: Callers) -> None:
    made = [await callers.make("support") for _ in range(3)]
    kept = await callers.make("sales")
    support = (await callers.key("support")).integration.id
    await integrations.delete(callers.host.rack.assembly.desk, callers.host.owner, support)
    for one in made:
        problem(await callers.send("GET", f"/api/v1/endpoints/{one['id']}", "admin"), 404, "not_found")
    assert [kept["id"]] == [one["id"] for one in (await callers.send("GET", "/api/v1/endpoints", "admin")).json()["data"]]
    told = (await callers.send("GET", "/api/v1/events?type=integration.deleted", "admin")).json()["data"][0]
    assert 3 == told["data"]["endpoints_deleted"]


async def test_key_of_an_integration_that_has_just_been_deleted_makes_no_endpoint(callers: Callers) -> None:
    desk, support = callers.host.rack.assembly.desk, await callers.key("support")
    principal = await Actors(callers.host).behind(support)
    await integrations.delete(desk, callers.host.owner, support.integration.id)
    with refused(NOT_FOUND):
        await endpoints.create(desk, principal, url=URL, events=["*"])
    assert [] == (await callers.send("GET", "/api/v1/endpoints", "admin")).json()["data"]
