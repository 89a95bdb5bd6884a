"""A copy is the same installation on another database, and says so only when it is."""

import asyncio
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from keyrack import Keyrack
from keyrack.manage import events, keys
from keyrack.store import changes, copying, tables, traffic_tables
from keyrack.store.copying import CopyDiffers
from keyrack.store.copying.places import LEFT_BEHIND, Place, tables_of
from keyrack.store.migrations import migrate, pending
from keyrack.store.sqlite import StoreUnusable
from tests.copy.conftest import Road
from tests.copy.grown import LINES

KILLS = 5


class Stopped(Exception):
    """A copy was ended by the test."""


async def test_what_is_read_on_the_target_is_what_the_source_held(road: Road) -> None:
    grown = await road.grow()
    copied = await _copied(road)
    rack = road.target_rack()
    async with rack.assembly.store.reading() as c:
        assert 5 == await changes.newest(c) == copied.tables["keyrack_changes"].rows
    assert 2 == copied.tables["keyrack_tokens"].rows
    assert 1 == copied.tables["keyrack_embed_keys"].rows
    assert grown.events == await events.page(rack.assembly.desk, await rack.workspaces.operator(grown.workspace.id), limit=100)
    assert LINES == copied.tables["keyrack_request_logs"].rows
    await _closed(rack)


async def test_a_list_goes_on_behind_the_place_that_it_had_reached(road: Road) -> None:
    grown = await road.grow()
    await _copied(road)
    rack = road.target_rack()
    owner = await rack.workspaces.operator(grown.workspace.id)
    rest = await events.page(rack.assembly.desk, owner, limit=100, before=grown.events[4].position)
    assert grown.events[5:] == rest
    await _closed(rack)


async def test_what_happens_on_the_target_comes_after_what_was_copied(road: Road) -> None:
    grown = await road.grow()
    await _copied(road)
    rack = road.target_rack()
    owner = await rack.workspaces.operator(grown.workspace.id)
    await keys.revoke(rack.assembly.desk, owner, grown.working.key.id)
    (newest,) = await events.page(rack.assembly.desk, owner, limit=1)
    last = grown.events[0].position
    assert last is not None
    assert last + 1 == newest.position
    async with rack.assembly.store.reading() as c:
        assert 6 == await changes.newest(c)
    await _closed(rack)


async def test_a_copy_that_is_killed_again_and_again_goes_on_where_it_stood(road: Road) -> None:
    await road.grow(lines=3000)
    chance = random.Random(10)
    times = [str(chance.uniform(0, 0.3)) for _ in range(KILLS)]
    command = [sys.executable, "-m", "tests.copy.killed", road.source, road.target, *times]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=100, check=True)
    codes = ended.stdout.split()
    assert "-9" == codes[0]
    if codes[-1] == "-9":
        with pytest.raises(StoreUnusable, match="an unfinished copy"):
            await pending(*_urls(road))
        copied = await _copied(road)
        assert 0 < copied.resumed_rows <= sum(each.rows for each in copied.tables.values())
    await migrate(*_urls(road))


async def test_a_difference_is_found_and_no_server_starts_on_it(road: Road) -> None:
    await road.grow()
    await _begun(road, copying.VERIFY)
    rack = road.target_rack()
    async with rack.assembly.store.changing() as c:
        await c.execute(text(f"UPDATE {_named(rack, 'keyrack_keys')} SET ended_by = NULL, ends_at = NULL WHERE name = 'revoked'"))
    await _closed(rack)
    with pytest.raises(CopyDiffers, match="keyrack_keys"):
        await _copied(road)
    with pytest.raises(StoreUnusable, match="an unfinished copy"):
        await migrate(*_urls(road))


async def test_a_line_that_is_missing_or_twice_there_is_a_difference(road: Road) -> None:
    await road.grow()
    await _begun(road, copying.VERIFY)
    rack = road.target_rack()
    async with rack.assembly.store.writing_traffic() as c:
        logs = _named(rack, "keyrack_request_logs")
        await c.execute(text(f"UPDATE {logs} SET path = '/other' WHERE request_id = (SELECT min(request_id) FROM {logs})"))
    await _closed(rack)
    with pytest.raises(CopyDiffers, match=rf"keyrack_request_logs \(source {LINES} rows, target {LINES}\)"):
        await _copied(road)


async def test_a_source_that_was_used_since_is_not_gone_on_with(road: Road) -> None:
    grown = await road.grow()
    await _begun(road, copying.COPY)
    rack = road.source_rack()
    await keys.revoke(rack.assembly.desk, await rack.workspaces.operator(grown.workspace.id), grown.working.key.id)
    await _closed(rack)
    with pytest.raises(StoreUnusable, match="unfinished copy of another source, or of this one before it was used again"):
        await _copied(road)


async def test_a_target_that_holds_something_is_left_alone(road: Road) -> None:
    await road.grow()
    rack = road.target_rack()
    await migrate(rack.settings.store_url, rack.settings.traffic_url)
    await rack.workspaces.create("Other", slug="other")
    await _closed(rack)
    with pytest.raises(StoreUnusable, match="holds data already"):
        await _copied(road)
    assert ["other"] == [workspace.slug for workspace in await rack.workspaces.list(limit=10)]
    await _closed(rack)


async def test_a_target_that_was_migrated_and_holds_nothing_will_do(road: Road) -> None:
    await road.grow()
    await migrate(*_urls(road))
    assert LINES == (await _copied(road)).tables["keyrack_request_logs"].rows


async def test_a_finished_copy_is_not_copied_over(road: Road) -> None:
    await road.grow()
    await _copied(road)
    with pytest.raises(StoreUnusable, match="holds data already"):
        await _copied(road)


async def test_a_source_that_somebody_serves_from_is_refused(road: Road) -> None:
    await road.grow()
    rack = road.source_rack()
    await rack.assembly.start()
    try:
        with pytest.raises(StoreUnusable, match="stop every one of them first"):
            await _copied(road)
    finally:
        await rack.assembly.stop()
    assert LINES == (await _copied(road)).tables["keyrack_request_logs"].rows


async def test_nobody_starts_on_a_source_that_is_being_copied(road: Road) -> None:
    await road.grow()
    rack = road.source_rack()
    tried: list[asyncio.Task[object]] = []

    def tell(*_: object) -> None:
        if not tried:
            tried.append(asyncio.create_task(rack.workspaces.create("Late", slug="late")))

    copied = await copying.copy(Place.named(road.source), Place.named(road.target), tell)
    with suppress(Exception):
        await tried[0]
    assert 1 == copied.tables["keyrack_workspaces"].rows
    await _closed(rack)


async def test_one_place_named_twice_is_refused(road: Road) -> None:
    await road.grow()
    with pytest.raises(StoreUnusable, match="named twice"):
        await copying.copy(Place.named(road.source), Place.named(road.source), _ignore)


def test_every_table_is_copied_or_belongs_to_running_processes() -> None:
    ours = {*tables.metadata.sorted_tables, *traffic_tables.metadata.sorted_tables}
    for name in ("data", "postgresql://nobody@nowhere/none"):
        copied = [table for _, of_each in tables_of(Place.named(name)) for table in of_each]
        assert ours == {*copied, *LEFT_BEHIND}
        assert len(copied) == len(set(copied))


@pytest.mark.parametrize("name", ["mysql://robin:hunter2@db/shop", "postgresql://robin:hunter2@db:port/shop", "sqlite://"])
def test_what_names_no_installation_is_told_without_its_password(name: str) -> None:
    with pytest.raises(StoreUnusable) as refused:
        Place.named(name)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("data", ["data/keyrack.db", "data/traffic.db"]),
        ("backups/2026.11", ["backups/2026.11/keyrack.db", "backups/2026.11/traffic.db"]),
        ("sqlite:data", ["data/keyrack.db", "data/traffic.db"]),
        ("sqlite:///data", ["data/keyrack.db", "data/traffic.db"]),
        ("sqlite:///srv/main.db", ["srv/main.db", "srv/traffic.db"]),
        ("sqlite:////srv/main.db", ["/srv/main.db", "/srv/traffic.db"]),
    ],
)
def test_files_are_named_by_their_folder_or_by_the_main_one(name: str, files: list[str]) -> None:
    assert [Path(file).absolute() for file in files] == list(Place.named(name).files)


def test_the_rest_of_an_installation_may_lie_apart_from_its_main_file() -> None:
    files = Place.named("sqlite:////srv/main.db", Path("data")).files
    assert [Path("/srv/main.db"), Path("data/traffic.db").absolute()] == list(files)


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in str(Place.named("postgres://robin:hunter2@db/shop")) + repr(Place.named("postgres://robin:hunter2@db/shop"))


async def _copied(road: Road) -> copying.Copied:
    return await copying.copy(Place.named(road.source), Place.named(road.target), _ignore)


async def _begun(road: Road, until: str) -> None:
    """Begin a copy, and end it when it comes to something."""

    def tell(doing: str, _table: str, done: int, _total: int) -> None:
        if doing == until and done:
            raise Stopped

    with pytest.raises(Stopped):
        await copying.copy(Place.named(road.source), Place.named(road.target), tell)


def _urls(road: Road) -> tuple[str, str | None]:
    place = Place.named(road.target)
    return place.url, place.traffic_url


def _named(rack: Keyrack, table: str) -> str:
    return table if rack.assembly.store.dialect == "sqlite" else f"keyrack.{table}"


async def _closed(rack: Keyrack) -> None:
    await rack.assembly.feed.stop()
    await rack.assembly.store.close()


def _ignore(*_: object) -> None:
    pass
