"""Whatever is sent as a credential: the gate answers it, and where the checksum is wrong no database is asked."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import event

from keyrack.crypto.format import ALPHABET, CHECKSUM_PLACES, RANDOM_PLACES, mint, well_formed
from keyrack.manage.keys import Issued
from tests.backends import Backend
from tests.hosts import Host, running

NAMES = [b"authorization", b"x-api-key", b"x-api-token"]
PLACES = RANDOM_PLACES + CHECKSUM_PLACES
Headers = list[tuple[bytes, bytes]]


@dataclass
class Door:
    """A living host whose statements are counted, and a key that it accepts."""

    host: Host
    key: Issued
    statements: int = 0

    async def ask(self, headers: Headers) -> int:
        """Send a head as the server would pass it on, and return the status of the answer, which must be a whole and proper one."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "method": "GET", "path": "/api/v1/customers", "raw_path": b"/api/v1/customers", "query_string": b"",
            "headers": [(b"host", b"acme.test"), *headers], "client": ("192.0.2.7", 5000), "scheme": "http", "root_path": "",
            "http_version": "1.1", "server": ("acme.test", 80),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.host.app(scope, receive, send)
        assert ["http.response.start", "http.response.body"] == [message["type"] for message in sent]
        assert not any(b"\r" in value or b"\n" in value for _, value in sent[0]["headers"])
        status: int = sent[0]["status"]
        return status

    @contextmanager
    def asks_no_database(self) -> Iterator[None]:
        """Prove that no statement and no transaction reaches a database meanwhile."""
        before = self.statements
        yield
        assert before == self.statements


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """One for all: what is sent here changes nothing but the throttle."""
    folder = tmp_path_factory.mktemp("door")
    async with running(Backend.in_folder(folder), folder) as host:
        one = Door(host, await host.key())
        # What is due each second would ask the database too.
        await host.rack.assembly.jobs.stop()
        await host.rack.assembly.deliveries.stop()
        for engine in host.rack.assembly.store._engines():
            for name in ("begin", "before_cursor_execute"):
                event.listen(engine.sync_engine, name, lambda *_: _count(one))
        yield one


def _count(door: Door) -> None:
    door.statements += 1


async def test_counter_counts_and_the_key_is_accepted(door: Door) -> None:
    before = door.statements
    assert 200 == await door.ask([(b"authorization", f"Bearer {door.key.secret.text}".encode())])
    assert before < door.statements
    with door.asks_no_database():
        assert 200 == await door.ask([(b"authorization", f"Bearer {door.key.secret.text}".encode())])
    before = door.statements
    assert 401 == await door.ask([(b"x-api-key", mint("acme").text.encode())])
    assert before < door.statements, "one that nobody made, but well formed, is looked for"


schemes = st.sampled_from([b"Bearer ", b"bearer  ", b"Bearer: ", b"Basic ", b"", b"Bearer", b"\t", b"Digest username="]) | st.binary(
    max_size=9
)
anything = st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))


@given(st.lists(st.tuples(st.sampled_from(NAMES), schemes, anything), min_size=1, max_size=3))
async def test_random_bytes_are_refused_without_asking_the_database(door: Door, given_headers: list[tuple[bytes, bytes, bytes]]) -> None:
    headers = [(name, scheme + value) for name, scheme, value in given_headers]
    with door.asks_no_database():
        assert await door.ask(headers) in (400, 401)


base62 = st.text(st.sampled_from(ALPHABET), min_size=PLACES, max_size=PLACES)
prefixes = st.sampled_from(["acme", "acme_test", "acme_live", "pivotal", "", "_", "é"]) | st.text(max_size=30)


@given(prefixes, base62, st.sampled_from(NAMES))
async def test_right_shape_with_a_wrong_checksum_is_refused_without_asking_the_database(
    door: Door, prefix: str, body: str, name: bytes
) -> None:
    text = f"{prefix}_{body}"
    assume(not well_formed(text))
    with door.asks_no_database():
        assert 401 == await door.ask([(name, (b"Bearer " if name == NAMES[0] else b"") + text.encode("utf-8", "replace"))])


@given(st.integers(0, 40), st.sampled_from(ALPHABET), st.sampled_from(["changed", "added", "dropped", "swapped"]))
async def test_key_with_one_mistake_is_refused_without_asking_the_database(door: Door, place: int, other: str, mistake: str) -> None:
    text = door.key.secret.text
    at = place % (len(text) - 1)
    wrong = {
        "changed": text[:at] + other + text[at + 1 :],
        "added": text[:at] + other + text[at:],
        "dropped": text[:at] + text[at + 1 :],
        "swapped": text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    }[mistake]
    assume(wrong != text)
    with door.asks_no_database():
        assert 401 == await door.ask([(b"authorization", f"Bearer {wrong}".encode())])


@given(st.sampled_from(["acme", "acme_test", "a_b_c"]))
def test_what_is_minted_is_well_formed(prefix: str) -> None:
    assert well_formed(mint(prefix).text)
