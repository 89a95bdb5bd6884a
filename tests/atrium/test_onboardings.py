"""Onboardings: opened for a customer by any of its names, with closed lists of phases and states."""

import pytest

from tests.atrium.host import Host


@pytest.fixture
async def customer(host: Host) -> str:
    """A customer's id."""
    return str((await host.post("/customers", {"name": "Aurora Outfitters", "slug": "aurora"})).json()["id"])


async def test_onboarding_is_opened_for_a_customer_by_each_of_its_names(host: Host, customer: str) -> None:
    body = {"phase": "before_getting_started", "state": "active", "target_launch_date": "2026-07-15T00:00:00Z"}
    for name in ("245", 245, "aurora", customer):
        answer = await host.post("/onboardings", {"customer_id": name, **body})
        onboarding = answer.json()
        assert 201 == answer.status_code
        expected = {
            **body,
            "object": "onboarding",
            "customer_id": customer,
            "name": "Onboarding",
            "target_launch_date": "2026-07-15T00:00:00.000Z",
        }
        assert expected.items() <= onboarding.items()
        assert onboarding == (await host.get(f"/onboardings/{onboarding['id']}")).json()


async def test_unknown_customer_is_the_same_404_as_a_strangers(host: Host, customer: str) -> None:
    stranger = await host.stranger()
    for name in ("245", "aurora", customer):
        answer = await stranger.post("/onboardings", {"customer_id": name})
        assert (404, "customer_id", f"No customer {name}.") == (answer.status_code, answer.json()["param"], answer.json()["detail"])
        assert 404 == (await stranger.get(f"/onboardings?customer_id={name}")).status_code


async def test_lists_are_filtered_by_customer_phase_and_state(host: Host, customer: str) -> None:
    await host.post("/customers", {"name": "Other", "slug": "other"})
    for body in ({"customer_id": customer}, {"customer_id": "aurora", "phase": "testing", "state": "paused"}, {"customer_id": "other"}):
        assert 201 == (await host.post("/onboardings", body)).status_code
    for query, count in (("", 3), ("customer_id=245", 2), ("phase=testing", 1), ("state=active", 2), ("state=active&customer_id=other", 1)):
        assert count == len((await host.get(f"/onboardings?{query}")).json()["data"])


@pytest.mark.parametrize(("param", "word"), [("phase", "before_getting_started"), ("state", "active")])
async def test_unknown_phase_or_state_is_a_400_that_names_the_closed_list(host: Host, customer: str, param: str, word: str) -> None:
    for answer in (await host.post("/onboardings", {"customer_id": customer, param: "x"}), await host.get(f"/onboardings?{param}=x")):
        assert (400, param) == (answer.status_code, answer.json()["param"])
        assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    "date", ["2026-07-15", "2026-07-15T00:00:00", "2026-13-01T00:00:00Z", 5, "", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
async def test_date_without_offset_or_out_of_the_calendar_is_a_400(host: Host, customer: str, date: object) -> None:
    answer = await host.post("/onboardings", {"customer_id": customer, "target_launch_date": date})
    assert (400, "target_launch_date") == (answer.status_code, answer.json()["param"])


async def test_time_with_an_offset_is_shown_in_utc_with_milliseconds(host: Host, customer: str) -> None:
    body = {"customer_id": customer, "target_launch_date": "2026-07-15T02:00:00.98765+02:00"}
    assert "2026-07-15T00:00:00.987Z" == (await host.post("/onboardings", body)).json()["target_launch_date"]


async def test_onboarding_is_changed_and_deleted(host: Host, customer: str) -> None:
    path = f"/onboardings/{(await host.post('/onboardings', {'customer_id': customer, 'name': 'Loyalty launch'})).json()['id']}"
    changed = (await host.patch(path, {"phase": "launched", "state": "completed"})).json()
    assert ("Loyalty launch", "launched", "completed") == (changed["name"], changed["phase"], changed["state"])
    assert 400 == (await host.patch(path, {"customer_id": customer})).status_code
    assert 204 == (await host.delete(path)).status_code
    assert 404 == (await host.get(path)).status_code
    types = [event["type"] for event in (await host.get("/events")).json()["data"] if event["object_type"] == "onboarding"]
    assert ["onboarding.deleted", "onboarding.updated", "onboarding.created"] == types
