"""Pivotal's page "Quickstart", walked over HTTP: `keyrack demo --brand pivotal`."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import httpx
import pytest

from tests.pages.readers import CUID, TIME, Json, Reader, agrees, holding, reading

WORKERS = 3
CUSTOMER: Json = {"name": "Aurora Outfitters", "slug": "aurora", "domain": "aurora.com", "status": "onboarding"}
CONTACT: Json = {"name": "Mira Chen", "email": "mira@aurora.com", "title": "Head of Ops", "is_primary": True}
ONBOARDING: Json = {
    "customer_id": "245",
    "phase": "before_getting_started",
    "state": "active",
    "target_launch_date": "2026-07-15T00:00:00Z",
}
IDENTITY_SHOWN: Json = {
    "object": "api_key_identity",
    "key_name": "local-dev",
    "key_prefix": re.compile("pivotal_[0-9A-Za-z]{4}"),
    "org_id": re.compile("org_[0-9A-Za-z]+"),
    "org_slug": re.compile("[a-z0-9-]+"),
    "mode": "live",
}
CUSTOMER_SHOWN: Json = {
    "object": "customer",
    "id": re.compile(CUID),
    "display_id": 245,
    **CUSTOMER,
    "created_at": re.compile(TIME),
    "updated_at": re.compile(TIME),
}


@dataclass
class Walked:
    """Where a reader has got to at the end of the page: what each step answered."""

    reader: Reader
    key: Json
    identity: Json
    customer: Json
    contact: Json
    onboarding: Json

    @property
    def secret(self) -> str:
        """The key that the reader copied."""
        copied: str = self.key["secret"]
        return copied


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """The five steps of the page, once, in their order."""
    with reading(tmp_path_factory.mktemp("quickstart"), "pivotal") as reader:
        key = reader.done("POST", "/keys", reader.admin_key, {"name": "local-dev", "mode": "live"})
        secret = key["secret"]
        yield Walked(
            reader,
            key,
            identity=reader.done("GET", "/me", secret),
            customer=reader.done("POST", "/customers", secret, CUSTOMER),
            contact=reader.done("POST", "/customers/245/contacts", secret, CONTACT),
            onboarding=reader.done("POST", "/onboardings", secret, ONBOARDING),
        )
        # Last of all, over everything that the tests have asked: a secret was answered by its creation alone.
        assert ["POST /api/v1/keys"] == holding(secret, reader.calls)


def test_me_echoes_the_key_and_its_workspace(walked: Walked) -> None:
    agrees(IDENTITY_SHOWN, walked.identity)
    assert walked.secret.startswith(walked.identity["key_prefix"])
    assert walked.reader.printed["workspace"] == walked.identity["org_id"]


def test_me_has_no_side_effects_and_counts_against_the_limit(walked: Walked) -> None:
    reader = walked.reader
    before = reader.data("/events?limit=1", walked.secret)
    answer = reader.call("GET", "/me", walked.secret)
    assert before == reader.data("/events?limit=1", walked.secret)
    assert answer.headers["ratelimit-policy"]
    assert answer.headers["ratelimit"]


@pytest.mark.parametrize(("mode", "beginning"), [("live", "pivotal_"), ("test", "pivotal_test_")])
def test_environment_shows_in_how_a_key_begins_and_in_what_it_says_of_itself(walked: Walked, mode: str, beginning: str) -> None:
    key = walked.reader.done("POST", "/keys", walked.reader.admin_key, {"name": "ci", "mode": mode})
    assert re.fullmatch(f"{beginning}[0-9A-Za-z]{{36}}", key["secret"])
    identity = walked.reader.done("GET", "/me", key["secret"])
    agrees(IDENTITY_SHOWN | {"key_name": "ci", "key_prefix": key["secret"][: len(beginning) + 4], "mode": mode}, identity)


def test_test_key_changes_the_same_data_as_a_live_one(walked: Walked) -> None:
    reader, test_key = walked.reader, walked.reader.printed["test_key"]
    made = reader.done("POST", "/customers", test_key, {"name": "Borealis"})
    assert made == reader.done("GET", f"/customers/{made['display_id']}", walked.secret)


def test_key_reads_and_writes_everything_in_the_workspace(walked: Walked) -> None:
    reader = walked.reader
    space = reader.done("POST", "/spaces", reader.admin_key, {"name": "Launches"})["id"]
    for path, body in (("/customers", {"name": "Cumulus"}), (f"/spaces/{space}/messages", {"body": "Hello"})):
        made = reader.done("POST", path, walked.secret, body)
        assert made in reader.data(path, walked.secret)
        assert 204 == reader.call("DELETE", f"{path}/{made['id']}", walked.secret).status_code
    assert 403 == reader.call("POST", "/keys", walked.secret, {"name": "more"}).status_code


def test_customer_is_answered_as_the_page_shows_it(walked: Walked) -> None:
    agrees(CUSTOMER_SHOWN, walked.customer)
    assert walked.customer["created_at"] == walked.customer["updated_at"]


def test_customer_goes_by_its_number_its_slug_and_its_id(walked: Walked) -> None:
    reader, secret = walked.reader, walked.secret
    for name in ("245", "aurora", walked.customer["id"]):
        assert walked.customer == reader.done("GET", f"/customers/{name}", secret)
        assert [walked.contact] == reader.data(f"/customers/{name}/contacts", secret)
        assert walked.onboarding in reader.data(f"/onboardings?customer_id={name}", secret)
        opened = reader.done("POST", "/onboardings", secret, ONBOARDING | {"customer_id": name})
        assert walked.customer["id"] == opened["customer_id"]
        assert 204 == reader.call("DELETE", f"/onboardings/{opened['id']}", secret).status_code


def test_contact_hangs_on_the_customer_as_its_primary_one(walked: Walked) -> None:
    agrees(CONTACT | {"object": "contact", "id": re.compile(CUID), "customer_id": walked.customer["id"]}, walked.contact)


def test_onboarding_is_the_loyalty_launch_of_the_customer(walked: Walked) -> None:
    shown = {"object": "onboarding", "id": re.compile(CUID), "customer_id": walked.customer["id"], "name": "Loyalty launch"}
    agrees(ONBOARDING | shown | {"target_launch_date": "2026-07-15T00:00:00.000Z"}, walked.onboarding)


@pytest.mark.parametrize(
    ("code", "header", "value"),
    [
        ("missing_credential", "Bearer", "{}"),
        ("invalid_credential", "Authorization", "{}"),
        ("invalid_credential", "Authorization", "Bearer: {}"),
    ],
)
def test_wrong_header_form_gets_a_401_that_says_what_to_write(walked: Walked, code: str, header: str, value: str) -> None:
    answer = walked.reader.call_with("GET", "/me", {header: value.format(walked.secret)})
    assert "`Authorization: Bearer <key>`" in walked.reader.refused(401, code, answer)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="Pivotal"')


def test_activity_feed_tells_each_step_under_the_calling_keys_name(walked: Walked) -> None:
    events = [event for event in walked.reader.data("/events?limit=100", walked.secret) if event["actor"]["id"] == walked.key["id"]]
    steps = [("customer.created", walked.customer), ("contact.created", walked.contact), ("onboarding.created", walked.onboarding)]
    for kind, made in steps:
        (event,) = [event for event in events if (kind, made["id"]) == (event["type"], event["object_id"])]
        assert ("key", "local-dev", "live") == (event["actor"]["kind"], event["actor"]["name"], event["mode"])
        assert made == event["data"]


def test_renamed_key_keeps_its_old_name_on_what_it_did(walked: Walked) -> None:
    reader = walked.reader
    key = reader.done("POST", "/keys", reader.admin_key, {"name": "prod-server"})
    for name in ("prod-server", "prod-server-2"):
        reader.done("PATCH", f"/keys/{key['id']}", reader.admin_key, {"name": name})
        reader.done("PATCH", "/customers/245", key["secret"], {"domain": f"{name}.example"})
    reader.done("PATCH", "/customers/245", key["secret"], {"domain": CUSTOMER["domain"]})
    events = reader.data(f"/events?actor_id={key['id']}", walked.secret)
    assert ["prod-server-2", "prod-server-2", "prod-server"] == [event["actor"]["name"] for event in events]


def test_create_swap_revoke_has_no_downtime(walked: Walked) -> None:
    reader = walked.reader
    old = reader.done("POST", "/keys", reader.admin_key, {"name": "old"})
    service = Service(reader, old["secret"])
    with ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(service.work, worker) for worker in range(WORKERS)]
        try:
            service.wait_for_calls()
            new = reader.done("POST", "/keys", reader.admin_key, {"name": "new"})
            service.wait_for_calls()
            service.key = new["secret"]
            service.wait_for_calls()
            assert "ended" == reader.done("DELETE", f"/keys/{old['id']}", reader.admin_key)["state"]
            refused = reader.call("GET", "/me", old["secret"])
            service.wait_for_calls()
        finally:
            service.stopped.set()
        for worker in running:
            worker.result(30)
    assert "old (pivotal_" in reader.refused(401, "key_revoked", refused)
    assert {(old["secret"], 200), (new["secret"], 200)} == {(key, status) for _, key, status in service.calls}


class Service:
    """A program of the reader's that calls all the time, with the key that is configured at the moment.

    `calls` are the worker, the key and the status of each.
    """

    def __init__(self, reader: Reader, key: str) -> None:
        self.key = key
        self.calls: list[tuple[int, str, int]] = []
        self.stopped = Event()
        self._url = f"{reader.url}/api/v1/me"
        self._called = Event()

    def work(self, worker: int) -> None:
        """Call until stopped."""
        with httpx.Client(timeout=30) as http:
            while not self.stopped.is_set():
                key = self.key
                self.calls.append((worker, key, http.get(self._url, headers={"Authorization": f"Bearer {key}"}).status_code))
                self._called.set()

    def wait_for_calls(self) -> None:
        """Wait until every worker has made twenty more calls with the present key."""
        seen = len(self.calls)
        while any(sum((worker, self.key) == call[:2] for call in self.calls[seen:]) < 20 for worker in range(WORKERS)):
            self._called.clear()
            assert self._called.wait(30)


def test_secret_is_shown_at_its_creation_and_never_again(walked: Walked) -> None:
    """Everything that can be read with the strongest key; the fixture looks at what all tests have read."""
    reader = walked.reader
    made = [reader.done("POST", "/keys", reader.admin_key, {"name": "once", "mode": mode}) for mode in ("live", "test")]
    made.append(reader.done("POST", f"/keys/{made[0]['id']}/rotate", reader.admin_key, {"overlap_seconds": 60}))
    made.append(reader.done("POST", f"/integrations/{made[1]['integration_id']}/rotate", reader.admin_key, {"mode": "test"}))
    asked = len(reader.calls)
    for path in ("/keys", "/keys?ended=true", "/integrations", "/events?limit=100", "/logs?limit=100", "/workspace", "/members", "/spaces"):
        reader.done("GET", path, reader.admin_key)
    for key in made:
        for path in (f"/keys/{key['id']}", f"/integrations/{key['integration_id']}"):
            assert "secret" not in reader.done("GET", path, reader.admin_key)
    reader.done("GET", "/me", made[-1]["secret"])
    for key in made:
        assert [] == holding(key["secret"], reader.calls[asked:])
        assert [] == holding(key["secret"].rpartition("_")[2][:30], reader.calls[asked:])


def test_demo_and_its_page_are_those_of_the_brand(walked: Walked) -> None:
    assert "Pivotal" in httpx.get(walked.reader.url, follow_redirects=True, timeout=30).text
