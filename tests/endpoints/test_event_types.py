"""What can happen is told to whoever may be told of it, with the shape of its data; ours are all there."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import keyrack.manage
from keyrack import Category, EventType, Keyrack, Settings
from keyrack.manage import event_types
from keyrack.manage.event_examples import example_of
from keyrack.manage.integrations import shown as shown_integration
from keyrack.manage.keys import shown as shown_key
from tests.endpoints.conftest import Callers
from tests.hosts import BRAND
from tests.walk.problems import problem


async def names(callers: Callers, caller: str) -> set[str]:
    """The types that a kind of caller sees listed, over all pages."""
    found: set[str] = set()
    url: str | None = "/api/v1/event-types?limit=20"
    while url:
        page = (await callers.send("GET", url, caller)).json()
        assert [one["name"] for one in page["data"]] == sorted(one["name"] for one in page["data"])
        found |= {one["name"] for one in page["data"]}
        url = page["next_url"]
    return found


async def test_each_caller_sees_what_it_may_be_told_of(callers: Callers) -> None:
    customers, onboardings, messages = {"customer.created", "customer.deleted"}, {"onboarding.created"}, {"message.created"}
    assert customers == await names(callers, "support")
    assert onboardings == await names(callers, "writer")
    assert messages == await names(callers, "in_space")
    assert customers | onboardings == await names(callers, "reader")
    assert customers | onboardings | messages == await names(callers, "everything")
    assert set() == await names(callers, "nobody")
    assert set(callers.host.rack.assembly.desk.event_types) == await names(callers, "admin")


async def test_type_that_a_caller_may_not_be_told_of_looks_like_a_missing_one(callers: Callers) -> None:
    for name in ("onboarding.created", "key.created", "zebra.ran", "a" * 201):
        problem(
            await callers.send("GET", f"/api/v1/event-types/{name}", "support"), 400 if len(name) > 200 else 404, CODES[len(name) > 200]
        )
    assert 200 == (await callers.send("GET", "/api/v1/event-types/key.created", "admin")).status_code


CODES = {True: "invalid_request", False: "not_found"}


async def test_every_type_has_a_schema_that_its_example_follows(callers: Callers) -> None:
    for name in sorted(await names(callers, "admin")):
        told: dict[str, Any] = (await callers.send("GET", f"/api/v1/event-types/{name}", "admin")).json()
        Draft202012Validator.check_schema(told["data_schema"])
        Draft202012Validator(told["data_schema"]).validate(told["example"])
        assert (True, name, name) == (bool(told["example"]["id"]), told["id"], told["name"])
        assert told["description"], name


async def test_examples_of_ours_have_the_fields_that_events_have(callers: Callers) -> None:
    admin = await callers.key("admin")
    assert shown_key(admin.key).keys() == example_of("key.created").keys()
    assert shown_integration(admin.integration).keys() == example_of("integration.created").keys()
    made = await callers.make("admin")
    for change in ({"enabled": False}, {"enabled": True}):
        await callers.send("PATCH", f"/api/v1/endpoints/{made['id']}", "admin", json=change)
    await callers.send("POST", f"/api/v1/endpoints/{made['id']}/rotate", "admin", json={})
    await callers.send("POST", "/api/v1/invitations", "admin", json={"email": "mira@vml.example", "role": "member"})
    for event in (await callers.send("GET", "/api/v1/events?limit=100", "admin")).json()["data"]:
        told, expected = event["data"], example_of(event["type"])
        assert {"id", *told} == expected.keys(), event["type"]


def test_every_event_type_of_ours_is_known() -> None:
    folder = Path(keyrack.manage.__file__).parent
    written = {path.stem for path in folder.glob("*.py") if " = EventType(" in path.read_text()}
    declared = {
        kind.name for stem in written for kind in vars(import_module(f"keyrack.manage.{stem}")).values() if isinstance(kind, EventType)
    }
    assert declared == set(event_types.own()) >= {"key.created", "endpoint.disabled", "space.role_set"}


def test_host_declares_no_type_of_ours_and_no_unknown_category(tmp_path: Path) -> None:
    for kind, words in ((EventType("key.created"), "stands twice"), (EventType("order.created", category="orders"), "no such category")):
        with pytest.raises(ValueError, match=words):
            Keyrack(Settings(data=tmp_path), brand=BRAND, categories=[Category("customers", "Customers")], events=[kind])
