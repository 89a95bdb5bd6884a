"""Lines reach the store once: none is lost, none comes twice, whoever is killed and however many move at once."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keyrack.model.request_logs import Filter, RequestLog, encode
from keyrack.store import credential_uses, request_logs
from keyrack.store.database import Store
from keyrack.store.spool import START, Spool
from keyrack.work.request_logs import Mover
from tests.backends import Backend
from tests.spool.lines import NOW, a_line

# Moves what the folder holds, and is killed at the n-th statement; n grows until a child gets through. Only the parent prints.
KILLED_MOVES = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.work.request_logs import Mover

url, traffic_url, folder, when = sys.argv[1], sys.argv[2] or None, Path(sys.argv[3]), sys.argv[4]
left = 0

def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, when, count)

async def main():
    store = Store(url, traffic_url)
    await Mover(store, Spool(folder, 65536)).move()

kills = 0
while True:
    child = os.fork()
    if child == 0:
        left = kills + 1
        asyncio.run(main())
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    kills += 1
print(kills)
"""


def append(spool: Spool, *lines: RequestLog) -> None:
    """Log these calls."""
    for line in lines:
        spool.reserve()
        spool.append(encode(line))


async def stored(store: Store, workspace_id: str = "org_acme") -> list[RequestLog]:
    """All lines of a workspace in the store, oldest first."""
    async with store.reading_traffic() as c:
        found = await request_logs.search(c, workspace_id, Filter(since=0), now=NOW * 2, limit=100_000)
    return list(reversed(found.lines))


def ids(lines: list[RequestLog]) -> list[str]:
    """Their request ids, in order."""
    return sorted(line.request_id for line in lines)


async def test_every_line_is_moved_as_it_was_and_finished_segments_are_removed(store: Store, spool: Spool, tmp_path: Path) -> None:
    lines = [a_line(at=NOW + number, reason="needs customers:write" * (number % 20)) for number in range(1500)]
    append(spool, *lines)
    assert await Mover(store, spool).move() == 1500
    assert await stored(store) == lines
    assert await Mover(store, spool).move() == 0
    later = [a_line(at=NOW + 2000 + number) for number in range(500)]
    append(spool, *later)
    assert await Mover(store, spool).move() == 500
    assert await stored(store) == lines + later
    assert {path.name for path in (tmp_path / "spool").iterdir()} >= {segment.name for segment in spool.own()}
    assert len(spool.own()) == 1


async def test_a_segment_that_turns_while_it_is_moved_loses_no_line(store: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 512 * 1024)
    lines = [a_line(at=NOW + number) for number in range(5000)]
    append(spool, lines[0])
    spool.prepare()
    moving = asyncio.create_task(Mover(store, spool).move())
    await asyncio.sleep(0)
    append(spool, *lines[1:])
    assert len(spool.own()) == 2
    await moving
    await Mover(store, spool).move()
    assert ids(await stored(store)) == ids(lines)
    spool.close()


async def test_what_a_dead_process_left_is_moved_by_the_next(store: Store, spool: Spool, tmp_path: Path) -> None:
    dead = Spool(tmp_path / "spool", 64 * 1024)
    lines = [a_line(at=NOW + number) for number in range(400)]
    append(dead, *lines)
    dead.close()
    assert await Mover(store, spool).move() == 400
    assert await stored(store) == lines
    assert spool.orphans() == []


async def test_half_moved_segments_go_on_where_their_position_says(store: Store, spool: Spool, tmp_path: Path) -> None:
    dead = Spool(tmp_path / "spool", 64 * 1024)
    first, second = [a_line(at=NOW), a_line(at=NOW + 1)], [a_line(at=NOW + 2)]
    append(dead, *first)
    assert await Mover(store, dead).move() == 2
    append(dead, *second)
    dead.close()
    assert await Mover(store, spool).move() == 1
    assert await stored(store) == first + second


async def test_two_movers_of_the_same_lines_move_each_once(store: Store, backend: Backend, tmp_path: Path) -> None:
    dead = Spool(tmp_path / "one", 64 * 1024)
    lines = [a_line(at=NOW + number // 7) for number in range(3000)]
    append(dead, *lines)
    dead.close()
    # A lock would keep the second one out: so it gets segments of the same names in a folder of its own.
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    stores = [store, Store(backend.url, backend.traffic_url)]
    spools = [Spool(tmp_path / "one", 64 * 1024), Spool(tmp_path / "two", 64 * 1024)]
    moved = await asyncio.gather(*(Mover(*pair).move() for pair in zip(stores, spools, strict=True)))
    assert ids(await stored(store)) == ids(lines)
    assert sum(moved) == 3000
    for spool in spools:
        spool.close()
    await stores[1].close()


@pytest.mark.parametrize("when", ["after_cursor_execute", "commit"])
async def test_a_mover_killed_at_any_statement_neither_loses_nor_repeats_a_line(
    store: Store, spool: Spool, backend: Backend, tmp_path: Path, when: str
) -> None:
    dead = Spool(tmp_path / "spool", 64 * 1024)
    lines = [a_line(at=NOW + number, path=f"/api/v1/customers/{number}") for number in range(1200)]
    append(dead, *lines)
    dead.close()
    await store.close()
    command = [sys.executable, "-c", KILLED_MOVES, backend.url, backend.traffic_url or "", f"{tmp_path}/spool", when]
    kills = await asyncio.to_thread(subprocess.check_output, command)
    assert int(kills) >= 3
    await Mover(store, spool).move()
    assert ids(await stored(store)) == ids(lines)
    assert spool.orphans() == []


async def test_a_damaged_segment_gives_what_is_before_the_damage_and_says_so(store: Store, spool: Spool, tmp_path: Path) -> None:
    dead = Spool(tmp_path / "spool", 64 * 1024)
    lines = [a_line(at=NOW + number) for number in range(100)]
    append(dead, *lines)
    (segment,) = dead.own()
    middle = segment.read(START, 50)[1]
    segment.content[middle + 20] ^= 1
    dead.close()
    with capture_logs() as logs:
        assert await Mover(store, spool).move() == 50
    assert await stored(store) == lines[:50]
    assert [entry["event"] for entry in logs] == ["spool_segment_damaged"]
    assert await Mover(store, spool).move() == 0
    assert spool.orphans() == []


async def test_what_is_no_line_is_left_out_and_holds_nothing_up(store: Store, spool: Spool) -> None:
    before, after = a_line(at=NOW), a_line(at=NOW + 1)
    append(spool, before)
    spool.reserve()
    spool.append(b"no line")
    append(spool, after)
    with capture_logs() as logs:
        assert await Mover(store, spool).move() == 2
    assert await stored(store) == [before, after]
    assert [entry["event"] for entry in logs] == ["request_log_line_unreadable"]


async def test_a_line_that_the_database_will_not_take_holds_nothing_up(store: Store, spool: Spool) -> None:
    lines = [a_line(at=NOW + number, credential_name="no\0text" if number in (3, 40) else "text") for number in range(60)]
    append(spool, *lines)
    await Mover(store, spool).move()
    kept = [line for line in lines if line.credential_name == "text"]
    # SQLite takes a NUL in a text, PostgreSQL does not.
    assert await stored(store) == (lines if store.dialect == "sqlite" else kept)


async def test_a_line_is_found_by_its_id_before_and_after_it_is_moved(store: Store, spool: Spool) -> None:
    line, other = a_line(), a_line("org_other")
    append(spool, line, other)
    assert await request_logs.find(store, spool, "org_acme", line.request_id) == line
    await Mover(store, spool).move()
    assert await request_logs.find(store, spool, "org_acme", line.request_id) == line


async def test_the_last_use_of_a_credential_is_its_latest_accepted_call(store: Store, spool: Spool) -> None:
    append(
        spool,
        a_line(at=NOW + 5, ip_address="203.0.113.5"),
        a_line(at=NOW + 3, ip_address="203.0.113.3"),
        a_line(at=NOW + 9, ip_address="203.0.113.9", status=401, code="key_revoked"),
        a_line(at=NOW + 4, credential_id="key_2", status=403),
        a_line(None, at=NOW + 8, credential_id=None),
    )
    await Mover(store, spool).move()
    append(spool, a_line(at=NOW + 1, ip_address="203.0.113.1"))
    await Mover(store, spool).move()
    async with store.reading_traffic() as c:
        uses = await credential_uses.of(c, "org_acme", ["key_1", "key_2", "key_3"])
        assert {key: (use.used_at, use.ip_address) for key, use in uses.items()} == {
            "key_1": (NOW + 5, "203.0.113.5"),
            "key_2": (NOW + 4, "203.0.113.7"),
        }
        assert await credential_uses.of(c, "org_other", ["key_1"]) == {}
