"""What the cache promises to look-ups and to streams."""

import gc
import threading

import pytest

from keyrack.feed.cache import Cache
from keyrack.model.permissions import OrgAccess, Rights, compile_rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.workspaces import Workspace

WORKSPACE = Workspace("org_1", "Acme", "acme", "standard", True, 0, 0)
RIGHTS = Rights(OrgAccess.READER)


def a_principal(*derived_from: str) -> Principal:
    """A principal that was derived from these ids."""
    return Principal(
        kind=Kind.KEY, workspace=WORKSPACE, credential_id="key", credential_name="Key", prefix="acme_abc1", mode=Mode.LIVE,
        rights=RIGHTS, masks=compile_rights(RIGHTS, {}), derived_from=frozenset(derived_from),
    )  # fmt: skip


@pytest.fixture
def cache() -> Cache:
    """A cache that has joined at revision 1."""
    cache = Cache(10)
    cache.drop(1)
    return cache


def keep(cache: Cache, digest: bytes, *derived_from: str, revision: int = 1) -> bool:
    """Store what a look-up read that began just now."""
    return cache.store(digest, a_principal(*derived_from), revision, cache.start())


@pytest.fixture
def told(cache: Cache) -> list[str]:
    """What a watch of b"watched" is told; that it should look at once is not in it."""
    told: list[str] = []
    cache.watch(b"watched", lambda: told.append("look"))
    told.clear()
    return told


def test_any_id_that_an_entry_was_derived_from_evicts_it(cache: Cache) -> None:
    for id_ in ("key", "integration", "workspace", "space"):
        keep(cache, b"digest", "key", "integration", "workspace", "space")
        keep(cache, b"other", "another")
        cache.advance(1, [id_])
        assert list(cache.entries) == [b"other"]


def test_a_look_up_that_may_have_missed_an_eviction_is_not_kept(cache: Cache) -> None:
    start = cache.start()
    cache.advance(2, ["elsewhere"])
    assert not cache.store(b"digest", a_principal("key"), 1, start)
    assert cache.store(b"digest", a_principal("key"), 2, start)


def test_a_look_up_that_began_before_a_drop_is_not_kept(cache: Cache) -> None:
    start = cache.start()
    cache.drop(1)
    assert not cache.store(b"digest", a_principal("key"), 5, start)


def test_nothing_is_kept_before_the_first_revision_is_known() -> None:
    cache = Cache(10)
    assert not keep(cache, b"digest", "key")


def test_the_oldest_make_room_and_leave_nothing_behind(cache: Cache) -> None:
    for number in range(1000):
        keep(cache, str(number).encode(), "key", f"key-{number}")
    assert len(cache.entries) == 10
    assert list(cache.entries)[-1] == b"999"
    cache.advance(2, ["key"])
    assert (cache.entries, cache._names) == ({}, {})


def test_an_entry_that_is_stored_again_needs_no_room(cache: Cache) -> None:
    for number in range(10):
        keep(cache, str(number).encode(), f"key-{number}")
    keep(cache, b"9", "key-9", "space")
    assert len(cache.entries) == 10


def test_a_watch_is_told_when_its_entry_is_evicted_and_only_then(cache: Cache, told: list[str]) -> None:
    keep(cache, b"watched", "key")
    cache.advance(2, ["elsewhere"])
    cache.advance(3, [])
    assert told == []
    cache.advance(4, ["key"])
    assert told == ["look"]


def test_a_watch_without_an_entry_is_told_of_every_change(cache: Cache, told: list[str]) -> None:
    cache.advance(2, ["elsewhere"])
    assert told == ["look"]


def test_a_watch_whose_entry_made_room_for_others_is_told_of_the_next_change(cache: Cache, told: list[str]) -> None:
    keep(cache, b"watched", "key")
    for number in range(10):
        keep(cache, str(number).encode(), f"key-{number}")
    assert b"watched" not in cache.entries
    assert told == []
    cache.advance(2, ["key"])
    assert told == ["look"]


def test_a_watch_is_told_when_all_is_dropped(cache: Cache, told: list[str]) -> None:
    keep(cache, b"watched", "key")
    cache.drop(1)
    assert told == ["look"]


def test_a_watch_looks_at_once_because_a_change_may_have_come_between(cache: Cache) -> None:
    told: list[str] = []
    cache.watch(b"watched", lambda: told.append("look"))
    assert told == ["look"]


def test_a_watch_that_was_taken_back_is_told_nothing_and_leaves_nothing_behind(cache: Cache) -> None:
    told: list[str] = []

    def look() -> None:
        told.append("look")

    cache.watch(b"watched", look)
    cache.unwatch(b"watched", look)
    cache.unwatch(b"watched", look)
    cache.advance(2, ["key"])
    assert told == ["look"]
    assert cache._watchers == {}


def test_a_watch_of_a_closed_loop_keeps_nobody_from_being_told(cache: Cache) -> None:
    told: list[str] = []
    closed = False

    def closed_loop() -> None:
        if closed:
            raise RuntimeError("Event loop is closed")

    for look in (closed_loop, lambda: told.append("look"), closed_loop):
        cache.watch(b"watched", look)
    told.clear()
    closed = True
    cache.advance(2, ["key"])
    assert told == ["look"]
    assert cache.applied == 2


def test_a_stream_that_a_garbage_collection_closes_may_take_its_watch_back_at_any_moment(cache: Cache) -> None:
    class Stream:
        def __init__(self) -> None:
            self.itself = self
            cache.watch(b"watched", look_nowhere)

        def __del__(self) -> None:
            cache.unwatch(b"watched", look_nowhere)

    # A watch that is told while the cache's lock is held happens to collect the garbage.
    cache.watch(b"other", collect_garbage)
    Stream()
    done = threading.Thread(target=cache.advance, args=(2, ["key"]), daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()


def test_whatever_threads_do_at_once_no_entry_is_older_than_what_was_applied(cache: Cache) -> None:
    committing = threading.Lock()
    committed = 1
    older: list[str] = []

    def change() -> None:
        nonlocal committed
        for _ in range(2000):
            with committing:
                committed += 1
                cache.advance(committed, ["key"])

    def look_up() -> None:
        for _ in range(2000):
            start, read = cache.start(), committed
            cache.store(b"digest", a_principal("key", f"read at {read}"), read, start)

    def check() -> None:
        for _ in range(2000):
            with committing:
                found = cache.entries.get(b"digest")
                if found is not None and f"read at {committed}" not in found.derived_from:
                    older.append(f"{found.derived_from} at {committed}")

    threads = [threading.Thread(target=work) for work in (change, look_up, look_up, check, change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert older == []
    cache.advance(committed + 1, ["key"])
    assert (cache.entries, cache._names) == ({}, {})


def look_nowhere() -> None:
    """Look, and see nothing."""


def collect_garbage() -> None:
    """Look, and collect the garbage on the way."""
    gc.collect()
