"""Access changes get revisions that become visible in order, without gaps (CONSISTENCY §1-2)."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import make_url

from keyrack.store import changes
from keyrack.store.changes import Changes
from keyrack.store.database import Store
from keyrack.store.ids import new_id

CHANGERS = 20


async def _change(store: Store, *touched: str) -> int:
    async with store.changing() as c:
        return await changes.bump(c, touched, new_id())


async def test_revisions_have_no_gaps_under_twenty_changers(store: Store) -> None:
    assert sorted(await asyncio.gather(*[_change(store, f"id-{n}") for n in range(CHANGERS)])) == list(range(1, CHANGERS + 1))


async def test_whoever_sees_a_revision_sees_all_below_it(store: Store) -> None:
    changing = asyncio.gather(*[_change(store, f"id-{n}", "shared") for n in range(CHANGERS)])
    seen = []
    while not changing.done():
        async with store.reading() as c:
            seen.append(await changes.above(c, 0))
    await changing
    async with store.reading() as c:
        seen.append(await changes.above(c, 0))
    assert all(found.complete for found in seen)
    assert [found.newest for found in seen] == sorted(found.newest for found in seen)
    assert all(len(found.touched - {"shared"}) == found.newest for found in seen)
    assert seen[-1].newest == CHANGERS


async def test_changes_above_a_revision_name_what_was_touched_since(store: Store) -> None:
    for touched in (("a", "b"), ("b", "c"), ("d",)):
        await _change(store, *touched)
    async with store.reading() as c:
        assert await changes.above(c, 1) == Changes(3, frozenset("bcd"), complete=True)
        assert await changes.above(c, 3) == Changes(3, frozenset(), complete=True)
        assert await changes.newest(c) == 3


async def test_pruned_rows_are_noticed_by_whoever_had_not_read_them(store: Store) -> None:
    for touched in "abcd":
        await _change(store, touched)
    async with store.changing() as c:
        assert await changes.prune(c, keep=2) == 2
    async with store.reading() as c:
        assert not (await changes.above(c, 1)).complete
        assert await changes.above(c, 2) == Changes(4, frozenset("cd"), complete=True)


async def test_a_count_that_went_back_is_noticed(store: Store) -> None:
    await _change(store, "a")
    async with store.reading() as c:
        assert not (await changes.above(c, 2)).complete


async def test_more_changes_than_are_read_one_by_one_are_not_taken_for_all(store: Store) -> None:
    await _change(store, *[f"id-{n}" for n in range(changes.ROWS_MAX + 1)])
    async with store.reading() as c:
        assert not (await changes.above(c, 0)).complete


async def test_a_change_that_was_rolled_back_leaves_no_revision(store: Store) -> None:
    async def fail() -> None:
        async with store.changing() as c:
            await changes.bump(c, ["a"], "change-id")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await _change(store, "b") == 1
    async with store.changing() as c:
        assert not await changes.committed(c, "change-id")


async def test_a_committed_change_is_found_by_its_id(store: Store) -> None:
    async with store.changing() as c:
        await changes.bump(c, ["a", "b"], "change-id")
    async with store.changing() as c:
        assert await changes.committed(c, "change-id")


async def test_an_access_change_touches_something(store: Store) -> None:
    with pytest.raises(ValueError, match="touches at least one id"):
        await _change(store)


async def test_the_probe_of_a_file_reads_the_same_changes(store: Store) -> None:
    if store.dialect != "sqlite":
        pytest.skip("only files are probed")
    for touched in ("a", "b"):
        await _change(store, touched)
    probe = sqlite3.connect(make_url(store.url).database or "")
    for revision in (-1, 0, 1, 2, 3):
        async with store.reading() as c:
            assert Changes.of(probe.execute(changes.ABOVE_SQL, (revision,)), revision) == await changes.above(c, revision)
    probe.close()
