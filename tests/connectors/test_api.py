"""Connectors over HTTP: for org-level Admins with live keys, of their own workspace, and secrets never come out."""

import json

from sqlalchemy import TextClause, text

from keyrack.manage import keys
from keyrack.model.permissions import ALL, Level, Rights
from tests.connectors.conftest import SETTINGS, SLACK_TOKEN, Scene
from tests.connectors.recorders import reply

SLACK = {"vendor": "slack", "settings": SETTINGS["slack"]}


async def test_a_connector_is_made_listed_changed_and_deleted(scene: Scene) -> None:
    made = await scene.call("POST", "/connectors", SLACK | {"events": ["customer.created"]})
    assert 201 == made.status_code, made.text
    one = made.json()
    assert ("Slack", "active", ["customer.created"]) == (one["name"], one["state"], one["events"])
    assert ({"channel": "C0123456789"}, {"token": "…CRET"}) == (one["settings"], one["tails"])
    path = f"/connectors/{one['id']}"
    changed = await scene.call("PATCH", path, {"name": "Sales", "enabled": False})
    assert ("Sales", "disabled", "chosen") == tuple(changed.json()[name] for name in ("name", "state", "disable_reason"))
    assert [one["id"]] == [each["id"] for each in (await scene.call("GET", "/connectors?vendor=slack")).json()["data"]]
    assert 204 == (await scene.call("DELETE", path)).status_code
    assert 404 == (await scene.call("GET", path)).status_code
    kinds = [event["type"] for event in (await scene.call("GET", "/events?type=connector.*")).json()["data"]]
    assert ["connector.deleted", "connector.disabled", "connector.updated", "connector.created"] == kinds


async def test_what_cannot_be_is_refused_beside_its_field(scene: Scene) -> None:
    for settings, param in (
        ({"token": "xoxp-not-a-bot"}, "settings.token"),
        ({"token": SLACK_TOKEN}, "settings.channel"),
        ({"token": SLACK_TOKEN, "channel": "C0123456789", "webhook_url": "https://hooks.slack.com/services/x"}, "settings.webhook_url"),
        ({"webhook_url": "https://hooks.slack.com.evil.example/services/x"}, "settings.webhook_url"),
        ({"webhook_url": "http://169.254.169.254/latest"}, "settings.webhook_url"),
        ({"colour": "blue"}, "settings"),
    ):
        answer = await scene.call("POST", "/connectors", {"vendor": "slack", "settings": settings})
        assert (400, param) == (answer.status_code, answer.json()["param"]), answer.text
        assert not any(value in answer.text for value in settings.values() if value.startswith("xox"))
    for body, param in (
        (SLACK | {"vendor": "teams"}, "vendor"),
        (SLACK | {"events": ["message.created"]}, "events"),
        (SLACK | {"events": []}, "events"),
    ):
        answer = await scene.call("POST", "/connectors", body)
        assert (400, param) == (answer.status_code, answer.json()["param"]), answer.text


async def test_a_key_without_admin_and_a_test_key_do_nothing_here(scene: Scene) -> None:
    connector = await scene.connect("slack")
    path = f"/connectors/{connector.id}"
    wide = await keys.create(scene.desk, scene.operator, name="wide", rights=Rights(permissions={ALL: Level.WRITE}))
    for method, where, body in (
        ("GET", "/connectors", None),
        ("POST", "/connectors", SLACK),
        ("GET", path, None),
        ("PATCH", path, {"name": "Mine"}),
        ("DELETE", path, None),
        ("POST", f"{path}/check", None),
        ("GET", f"{path}/calls", None),
    ):
        assert 403 == (await scene.call(method, where, body, secret=wide.secret.text)).status_code, where
        if method != "GET":
            assert 403 == (await scene.call(method, where, body, secret=scene.test)).status_code, where
    assert [] == scene.vendors.slack.sent


async def test_another_workspaces_connectors_look_as_if_they_were_not_there(scene: Scene) -> None:
    connector = await scene.connect("slack")
    await scene.customer()
    await scene.settle()
    [call] = await scene.log(connector)
    stranger = await scene.rack.workspaces.operator((await scene.rack.workspaces.create("Other", slug="other")).id)
    theirs = (await keys.create(scene.desk, stranger, name="theirs", rights=stranger.rights)).secret.text
    for method, path, body in (
        ("GET", f"/connectors/{connector.id}", None),
        ("PATCH", f"/connectors/{connector.id}", {"name": "Mine"}),
        ("DELETE", f"/connectors/{connector.id}", None),
        ("POST", f"/connectors/{connector.id}/check", None),
        ("GET", f"/connectors/{connector.id}/calls", None),
        ("GET", f"/connectors/{connector.id}/calls/{call.id}", None),
        ("POST", f"/connectors/{connector.id}/calls/{call.id}/retry", None),
    ):
        there = await scene.call(method, path, body, secret=theirs)
        nowhere = await scene.call(method, path.replace(connector.id, "cl9bn00of0000g7l8gcq8c4xk"), body, secret=theirs)
        assert 404 == there.status_code, path
        assert there.json()["detail"] == nowhere.json()["detail"]
    assert [] == (await scene.call("GET", "/connectors", secret=theirs)).json()["data"]


async def test_a_call_of_another_connector_is_not_found_under_this_one(scene: Scene) -> None:
    slack, stripe = await scene.connect("slack"), await scene.connect("stripe")
    await scene.customer()
    await scene.settle()
    [call] = await scene.log(slack)
    assert 404 == (await scene.call("GET", f"/connectors/{stripe.id}/calls/{call.id}")).status_code
    assert 404 == (await scene.call("POST", f"/connectors/{stripe.id}/calls/{call.id}/retry")).status_code


async def test_the_log_says_what_was_sent_and_what_came_of_it(scene: Scene) -> None:
    connector = await scene.connect("slack")
    scene.vendors.slack.next = [reply({"ok": False, "error": "msg_too_long"})]
    made = await scene.customer()
    await scene.settle()
    listed = (await scene.call("GET", f"/connectors/{connector.id}/calls?state=failed")).json()["data"]
    [call] = listed
    assert ("customer.created", made["id"], "failed", "refused", 1, "msg_too_long") == tuple(
        call[name] for name in ("event_type", "object_id", "state", "why", "attempts", "code")
    )
    assert "Aurora Outfitters" in call["request"]["text"]
    again = await scene.call("POST", f"/connectors/{connector.id}/calls/{call['id']}/retry")
    assert ("pending", "manual") == (again.json()["state"], again.json()["trigger"])
    of_event = await scene.call("GET", f"/connectors/{connector.id}/calls?event_id={call['event_id']}")
    assert [call["id"]] == [one["id"] for one in of_event.json()["data"]]


async def test_a_check_says_in_words_what_the_vendor_thinks(scene: Scene) -> None:
    for vendor, told in (("slack", "as atrium in Aurora"), ("resend", "verified vml.example"), ("stripe", "in Stripe's test mode")):
        connector = await scene.connect(vendor)
        answer = (await scene.call("POST", f"/connectors/{connector.id}/check")).json()
        assert (True, True) == (answer["ok"], told in answer["detail"]), answer
    scene.vendors.slack.next = [reply({"ok": False, "error": "invalid_auth"})]
    [slack] = (await scene.call("GET", "/connectors?vendor=slack")).json()["data"]
    answer = (await scene.call("POST", f"/connectors/{slack['id']}/check")).json()
    assert (False, True) == (answer["ok"], "does not know this token" in answer["detail"])
    await scene.vendors.slack.close()
    answer = (await scene.call("POST", f"/connectors/{slack['id']}/check")).json()
    assert (False, True) == (answer["ok"], "could not be reached" in answer["detail"])
    await scene.vendors.slack.open()


async def test_a_webhook_takes_the_place_of_a_token_and_the_other_way_round(scene: Scene) -> None:
    connector = await scene.connect("slack")
    hook = f"{scene.vendors.slack.url}/services/T0/B0/secretHOOKsecret"
    path = f"/connectors/{connector.id}"
    changed = (await scene.call("PATCH", path, {"settings": {"webhook_url": hook}})).json()
    assert ({}, ["webhook_url"]) == (changed["settings"], list(changed["tails"]))
    await scene.customer()
    await scene.settle()
    assert "POST /services/T0/B0/secretHOOKsecret HTTP/1.1" == scene.vendors.slack.sent[-1].line
    changed = (await scene.call("PATCH", path, {"settings": SETTINGS["slack"]})).json()
    assert ({"channel": "C0123456789"}, ["token"]) == (changed["settings"], list(changed["tails"]))


async def test_no_secret_is_in_an_answer_an_event_a_repr_or_the_store(scene: Scene) -> None:
    secrets = [value for settings in SETTINGS.values() for name, value in settings.items() if name in ("token", "api_key")]
    seen = []
    for vendor in SETTINGS:
        made = await scene.call("POST", "/connectors", {"vendor": vendor, "settings": SETTINGS[vendor]})
        checked = await scene.call("POST", f"/connectors/{made.json()['id']}/check")
        seen += [made.text, checked.text, (await scene.call("GET", f"/connectors/{made.json()['id']}")).text]
    await scene.customer()
    await scene.settle()
    for connector in (await scene.call("GET", "/connectors")).json()["data"]:
        seen.append((await scene.call("GET", f"/connectors/{connector['id']}/calls")).text)
    seen.append((await scene.call("GET", "/events?limit=100")).text)
    async with scene.desk.store.reading() as c:
        seen += [repr(row) for row in await c.all(_everything("keyrack_connectors", scene))]
    async with scene.desk.store.reading_traffic() as c:
        seen += [repr(row) for row in await c.all(_everything("keyrack_connector_calls", scene))]
    assert [] == [secret for secret in secrets if any(secret in one for one in seen)]
    assert any("…CRET" in one for one in seen)
    assert json.loads(seen[0])["tails"]


def _everything(table: str, scene: Scene) -> TextClause:
    schema = "keyrack." if scene.desk.store.dialect == "postgresql" else ""
    return text(f"SELECT * FROM {schema}{table}")
