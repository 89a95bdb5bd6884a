"""On PostgreSQL no node decides a call on what held before a change that has returned, whatever the network and the nodes do."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import asyncpg
import pytest

from keyrack.crypto.format import mint
from keyrack.manage.keys import Issued
from keyrack.model.principals import Principal
from tests.feed.nodes import UNDECIDED, Node

ROUNDS = 40
LEASE_SECONDS = 0.6
WAIT_SECONDS_MAX = 30

NewNode = Callable[..., Node]


@pytest.fixture
def new_node(postgresql_url: str, tmp_path: Path) -> Iterator[NewNode]:
    """Makes nodes on one database, and ends them."""
    nodes: list[Node] = []

    def make(**settings: float) -> Node:
        data = tmp_path / f"node-{len(nodes)}"
        nodes.append(Node(postgresql_url, data, lease_seconds=LEASE_SECONDS, store_wait_seconds=0.1, **settings))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def a(new_node: NewNode) -> Node:
    """A node that changes things."""
    node = new_node()
    node.start()
    return node


@pytest.fixture
def b(a: Node, new_node: NewNode) -> Node:
    """A node that decides calls."""
    node = new_node()
    node.start()
    return node


@pytest.fixture
def owner(a: Node) -> Principal:
    """Who runs the only workspace."""
    return a.operator()


def _known(a: Node, b: Node, owner: Principal) -> Issued:
    """A key that b decides from memory."""
    key = a.key(owner)
    _until(lambda: b.decide(key) is True and b.remembers(key))
    return key


def _until(true: Callable[[], object]) -> None:
    ends_at = monotonic() + WAIT_SECONDS_MAX
    while not true():
        assert monotonic() < ends_at
        sleep(0.01)


def test_a_revoked_key_is_refused_everywhere_when_revoke_returns(a: Node, b: Node, owner: Principal) -> None:
    for _ in range(ROUNDS):
        key = _known(a, b, owner)
        a.revoke(owner, key)
        assert not b.decide(key)
        assert not a.decide(key)


def test_a_node_that_is_busy_with_a_key_accepts_no_call_that_begins_after_its_end(a: Node, b: Node, owner: Principal) -> None:
    for _ in range(ROUNDS // 4):
        key = _known(a, b, owner)
        returned, stop = threading.Event(), threading.Event()
        stale: list[bool] = []

        def call(key: Issued = key, returned: threading.Event = returned, stop: threading.Event = stop, stale: list[bool] = stale) -> None:
            while not stop.is_set():
                began_after = returned.is_set()
                if b.decide(key) and began_after:
                    stale.append(True)

        caller = threading.Thread(target=call)
        caller.start()
        a.revoke(owner, key)
        returned.set()
        assert not b.decide(key)
        stop.set()
        caller.join()
        assert not stale


def test_a_second_revoke_waits_for_the_first(a: Node, b: Node, owner: Principal, postgresql_url: str) -> None:
    key = _known(a, b, owner)
    with b.paused_feed():
        first = threading.Thread(target=a.revoke, args=(owner, key))
        first.start()
        _until(lambda: _administer(postgresql_url, f"SELECT id FROM keyrack.keyrack_keys WHERE id = '{key.key.id}' AND ended_by <> ''"))
        # The first one waits for b, which believes its memory as long as its lease lasts.
        a.revoke(owner, key)
        assert b.decide(key) is UNDECIDED
    first.join()
    assert not b.decide(key)


def test_a_key_that_is_not_found_is_told_as_unknown_only_under_a_lease_that_was_renewed_since(a: Node, b: Node, owner: Principal) -> None:
    known = _known(a, b, owner)
    unknown = replace(known, secret=mint("acme"))
    assert b.decide(unknown) is False
    with b.paused_feed():
        assert b.decide(known) is True
        assert b.decide(unknown) is UNDECIDED


def test_a_lost_message_makes_nothing_stale(a: Node, b: Node, owner: Principal) -> None:
    key = _known(a, b, owner)
    a.hear_nothing()
    b.hear_nothing()
    a.revoke(owner, key)
    assert not b.decide(key)


def test_a_change_returns_though_a_node_does_not_answer_which_then_decides_nothing(a: Node, b: Node, owner: Principal) -> None:
    key = _known(a, b, owner)
    with b.paused_feed():
        a.revoke(owner, key)
        assert b.decide(key) is UNDECIDED
        assert "no lease on the database" in b.run(b.assembly.missing())
    _until(lambda: b.decide(key) is not UNDECIDED)
    assert b.decide(key) is False
    _until(lambda: b.run(b.assembly.missing()) == [])


def test_a_node_without_a_lease_has_its_calls_wait_for_one(a: Node, new_node: NewNode, owner: Principal) -> None:
    key = a.key(owner)
    later = new_node()
    assert later.decide(key) is UNDECIDED
    later.start()
    assert later.decide(key) is True


def test_a_node_that_connects_anew_believes_nothing_of_before(a: Node, b: Node, owner: Principal, postgresql_url: str) -> None:
    key = _known(a, b, owner)
    lease_id = b.feed._lease.id
    _administer(postgresql_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyrack feed'")
    _until(lambda: b.feed._lease.id not in (lease_id, None) and b.feed.current())
    assert not b.remembers(key)
    _until(lambda: b.decide(key) and b.remembers(key))
    a.revoke(owner, key)
    assert not b.decide(key)


def test_a_node_whose_row_is_gone_joins_anew_with_an_empty_memory(a: Node, b: Node, owner: Principal, postgresql_url: str) -> None:
    key = _known(a, b, owner)
    lease_id = b.feed._lease.id
    _administer(postgresql_url, f"DELETE FROM keyrack.keyrack_leases WHERE id = '{lease_id}'")
    _until(lambda: b.feed._lease.id not in (lease_id, None) and b.feed.current())
    assert not b.remembers(key)


def test_a_database_that_was_set_back_is_noticed(a: Node, b: Node, owner: Principal, postgresql_url: str) -> None:
    first, second = _known(a, b, owner), _known(a, b, owner)
    a.revoke(owner, first)
    assert b.remembers(second)
    _administer(postgresql_url, "UPDATE keyrack.keyrack_revisions SET revision = 0", "DELETE FROM keyrack.keyrack_changes")
    _until(lambda: not b.remembers(second))


def test_the_row_of_a_node_that_died_goes_away(a: Node, owner: Principal, postgresql_url: str) -> None:
    _administer(postgresql_url, "INSERT INTO keyrack.keyrack_leases VALUES ('a-dead-node', 7, 0, 600)")
    a.revoke(owner, a.key(owner))
    _until(lambda: _administer(postgresql_url, "SELECT id FROM keyrack.keyrack_leases WHERE id = 'a-dead-node'") == [])


def test_a_node_that_ends_gives_its_lease_back(a: Node, b: Node, owner: Principal, postgresql_url: str) -> None:
    b.run(b.assembly.stop())
    assert len(_administer(postgresql_url, "SELECT id FROM keyrack.keyrack_leases")) == 1


def test_a_process_without_a_lease_changes_things_for_everybody(b: Node, a: Node, new_node: NewNode, owner: Principal) -> None:
    key = _known(a, b, owner)
    command = new_node()
    command.revoke(owner, key)
    assert not b.decide(key)
    assert not a.decide(key)


def test_a_verification_from_memory_asks_the_database_nothing(a: Node, b: Node, owner: Principal) -> None:
    key = _known(a, b, owner)
    # What follows events asks by itself.
    b.run(b.assembly.deliveries.stop())
    with b.counted_statements() as sent:
        for _ in range(1000):
            assert b.decide(key)
    assert sent == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_believes_nothing_and_leaves_the_lease_alone(a: Node, b: Node, owner: Principal) -> None:
    key = _known(a, b, owner)
    child = os.fork()
    if child == 0:
        os._exit(b.remembers(key) or b.feed.current() or b.feed._lease.id is not None)
    assert os.waitpid(child, 0)[1] == 0
    assert b.remembers(key)
    a.revoke(owner, key)
    assert not b.decide(key)


def _administer(url: str, *statements: str) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return [row for statement in statements for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(run())
