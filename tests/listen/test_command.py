"""`keyrack listen`: what a receiver on this machine gets is what an endpoint would be sent, once, whatever becomes of the connection."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from keyrack.client import Client
from keyrack.model import webhooks
from tests.cli.programs import Program, running
from tests.commands import Command
from tests.sdk.conftest import Demo
from tests.sdk.relay import CUT, CUT_BEFORE, Instead, relaying

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """A program under development: it takes what it is sent, and answers as it is told."""

    port: int = 0
    status: int = 204
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}/hooks"

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """What it got, by the judgement of another implementation of the standard."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run one for the length of a block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response_only(receiver.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of the test's own."""
    with receiving() as one:
        yield one


@contextmanager
def listening(folder: Path, url: str, key: str, *options: str, **variables: str) -> Iterator[Program]:
    """Listen for the length of a block, which begins when everything that happens from now on arrives."""
    with running(folder, "listen", "--url", url, "--json", *options, KEYRACK_KEY=key, **variables) as program:
        program.first_line()
        yield program


def told(program: Program) -> list[dict[str, Any]]:
    """What it has printed of events."""
    return [json.loads(line) for line in program.out.splitlines()[1:]]


@pytest.fixture
def client(demo: Demo) -> Iterator[Client]:
    """A program that changes things."""
    with Client(demo.live_key, base_url=demo.url) as one:
        yield one


def newest(client: Client) -> str:
    """The id of the newest event."""
    return client.events.list(limit=1).page().data[0].id


def create(client: Client, name: str) -> str:
    """Make a customer."""
    made: str = client.resource("customers").create(name=name)["id"]
    return made


def test_event_arrives_as_an_endpoint_is_sent_it_byte_by_byte(tmp_path: Path, demo: Demo, client: Client, receiver: Receiver) -> None:
    with receiving() as endpoint:
        made = client.post("/endpoints", json={"url": endpoint.url, "events": ["customer.*"]})
        options = ("--after", newest(client), "--forward-to", receiver.url, "--events", "customer.*")
        with listening(tmp_path, demo.url, demo.live_key, *options) as program:
            secret = program.first_line()["secret"]
            with Client(demo.test_key, base_url=demo.url) as tester:
                create(tester, "Of a test call, which is told to neither")
            customer = create(client, "Aurora – é")
            client.resource("customers").delete(customer)
            program.wait_for(lambda: len(told(program)) == len(endpoint.received) == 2)
        client.delete(f"/endpoints/{made['id']}")
    assert sorted(body for _, body in endpoint.received) == sorted(body for _, body in receiver.received)
    heard, delivered = ([headers for headers, _ in one.received] for one in (receiver, endpoint))
    assert {one[webhooks.ID] for one in delivered} == {one[webhooks.ID] for one in heard}
    own = {"host", "accept", "accept-encoding", "connection", "content-length"}
    assert delivered[0].keys() - own == heard[0].keys() - own
    assert ["customer.created", "customer.deleted"] == [event["type"] for event in receiver.verified(secret)]
    assert [(204, None)] * 2 == [(line["status"], line["error"]) for line in told(program)]


def test_people_read_lines_of_what_came_since_and_how_to_go_on(tmp_path: Path, demo: Demo, receiver: Receiver) -> None:
    receiver.status = 500
    with Client(demo.test_key, base_url=demo.url) as client:
        options = ("--url", demo.url, "--forward-to", receiver.url, "--print", "--after", newest(client))
        made = [create(client, f"While nobody listened {number}") for number in range(3)]
    with running(tmp_path, "listen", *options, KEYRACK_KEY=demo.test_key) as program:
        program.wait_for(lambda: all(one in program.out for one in made))
        assert 0 == program.stop()
    (secret,) = re.findall(r"^(whsec_\S+)$", program.out, re.MULTILINE)
    got = receiver.verified(secret)
    assert [(one, "test") for one in made] == [(event["data"]["id"], event["mode"]) for event in got]
    assert f"\ncustomer.created          {got[0]['id']}  500  " in program.out
    assert f"Stopped. To miss nothing the next time: --after {got[2]['id']}\n" in program.out


def test_every_event_arrives_once_though_the_connection_is_cut(tmp_path: Path, demo: Demo, client: Client, receiver: Receiver) -> None:
    with relaying(demo.url) as relay:
        options = ("--after", newest(client), "--forward-to", receiver.url, "--events", "customer.created")
        with listening(tmp_path, relay.url, demo.live_key, *options, KEYRACK_WEBHOOK_SECRET=SECRET) as program:
            made = [create(client, "Before")]
            program.wait_for(lambda: len(told(program)) == 1)
            relay.plan += [CUT, Instead(502), CUT_BEFORE, Instead(429, {"Retry-After": "1"})]
            # The call that waits at this moment is cut with its answer; what it held has to come all the same.
            made += [create(client, f"While it is cut {number}") for number in range(5)]
            program.wait_for(lambda: len(told(program)) == 6)
            made.append(create(client, "After"))
            program.wait_for(lambda: len(told(program)) == 7)
    assert made == [event["data"]["id"] for event in receiver.verified(SECRET)]
    assert not relay.plan
    assert "Going on in" in program.err


def test_nobody_at_the_address_is_told_and_the_next_event_is_tried(tmp_path: Path, demo: Demo, client: Client) -> None:
    with receiving() as gone:
        pass
    options = ("--after", newest(client), "--forward-to", gone.url)
    with listening(tmp_path, demo.url, demo.live_key, *options) as program:
        create(client, "One")
        create(client, "Two")
        program.wait_for(lambda: len(told(program)) == 2)
    assert [f"nobody listens at {gone.url}"] * 2 == [line["error"] for line in told(program)]


def test_listening_ends_with_the_key_and_says_so(tmp_path: Path, demo: Demo) -> None:
    with Client(demo.admin_key, base_url=demo.url) as admin:
        key = admin.keys.create(name="laptop", permissions={"customers": "read"})
        with listening(tmp_path, demo.url, key.secret, "--print") as program:
            admin.keys.revoke(key.id)
            assert 1 == program.process.wait(60)
    assert "The key is not accepted" in program.err
    assert "Traceback" not in program.err
    assert key.secret not in program.out + program.err


def test_what_is_wrong_is_said_before_anything_begins(monkeypatch: pytest.MonkeyPatch, command: Command, demo: Demo) -> None:
    def ended(*options: str, **variables: str) -> str:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        done = command("listen", *options)
        assert (1, "") == (done.code, done.out), done.err
        return done.err

    assert "KEYRACK_KEY" in ended("--url", demo.url, "--print")
    assert "The key is not accepted" in ended("--url", demo.url, "--print", KEYRACK_KEY=f"{demo.live_key}x")
    assert "--forward-to" in ended("--url", demo.url, KEYRACK_KEY=demo.live_key)
    assert "without a path" in ended("--url", f"{demo.url}/console", "--print")
    unknown = ended("--url", demo.url, "--print", "--events", "key.*", "--events", "nonsense.*")
    assert ("--events nonsense.*: nothing is called so" in unknown, "customer.created" in unknown) == (True, True)
    assert "no address to send to" in ended("--url", demo.url, "--forward-to", "localhost:3000")
    assert "whsec_" in ended("--url", demo.url, "--forward-to", "http://127.0.0.1:1/", KEYRACK_WEBHOOK_SECRET="secret")
    with receiving() as gone:
        pass
    away = ended("--url", f"http://127.0.0.1:{gone.port}", "--print")
    assert ("Nobody answers at http://127.0.0.1:" in away, away.lower().count("answer")) == (True, 1)


def test_place_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch, command: Command, demo: Demo) -> None:
    monkeypatch.setenv("KEYRACK_KEY", demo.live_key)
    done = command("listen", "--url", demo.url, "--print", "--after", "cl9bn00of0004g7l8c9d0e1f2")
    assert (1, True) == (done.code, "--after names no event" in done.err)


def test_key_is_no_option_for_others_could_read_it(command: Command) -> None:
    assert "--key" not in command("listen", "--help").out


def test_events_are_followed_by_programs_of_both_kinds(demo: Demo, client: Client) -> None:
    following = client.events.follow(after=newest(client), type="customer.created")
    made = [create(client, f"Customer {number}") for number in range(3)]
    steps = iter(following)
    assert made == [next(steps).object_id for _ in made]
    one_more = create(client, "One more")
    # Iterated anew, as after a failure, it goes on.
    assert one_more == next(iter(following)).object_id
