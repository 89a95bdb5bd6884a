"""A call that was let in can be logged, though the disk is full; and calls are let in again when it no longer is."""

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from keyrack.model.request_logs import RECORD_BYTES_MAX
from keyrack.store.spool import PLACE_BYTES, START, Spool, SpoolFull
from tests.spool.test_segments import append, records_of

SMALL = START + 3 * PLACE_BYTES


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow over 4 KiB meanwhile, the one that pytest writes our output to included: so we write none."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with capture_logs():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def places_left(spool: Spool) -> int:
    """Reserve as many places as there are."""
    for number in range(10_000):
        try:
            spool.reserve()
        except SpoolFull:
            return number
    raise AssertionError("the disk is not full")


@given(st.lists(st.sampled_from(["begin", "begin", "largest", "small", "leave", "prepare", "fill", "free"]), max_size=60))
def test_whoever_got_a_place_can_append_the_largest_record_whatever_happens_to_the_disk(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool, running, written, is_full = Spool(Path(folder), SMALL), 0, 0, False
        for step in [*steps, "fill"]:
            is_full = step == "fill" or (is_full and step != "free")
            with full_disk() if is_full else tempfile.TemporaryFile():
                try:
                    if step in ("begin", "prepare"):
                        spool.reserve() if step == "begin" else spool.prepare()
                        running += step == "begin"
                    elif running and step in ("largest", "small"):
                        spool.append(b"x" * (RECORD_BYTES_MAX if step == "largest" else 10))
                        running, written = running - 1, written + 1
                    elif running and step == "leave":
                        spool.release()
                        running -= 1
                except SpoolFull:
                    assert is_full or not spool.has_room
        with full_disk():
            for _ in range(running):
                spool.append(b"x" * RECORD_BYTES_MAX)
        assert len(records_of(spool)) == written + running
        spool.close()


def test_a_full_disk_is_told_and_refuses_calls_until_there_is_room_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SMALL)
    spool.prepare()
    with full_disk():
        append(spool, b"1", b"2")
        assert spool.has_room
        with pytest.raises(SpoolFull):
            spool.prepare()
        assert not spool.has_room
        assert places_left(spool) <= 5
    # Nobody asks the disk for every call that is refused: the next turn of the mover does.
    with pytest.raises(SpoolFull):
        spool.reserve()
    spool.prepare()
    assert spool.has_room
    spool.reserve()
    spool.close()


def test_a_full_file_system_is_found_when_a_segment_is_made(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a file system takes root")
    spool = Spool(tmp_path / "spool", 64 * 1024)
    try:
        written = places_left(spool)
        assert written == 4 * 15
        for _ in range(written):
            spool.append(b"x" * RECORD_BYTES_MAX)
        assert not spool.has_room
        spool.finish(spool.own()[0])
        spool.prepare()
        append(spool, b"resumed")
        assert records_of(spool)[-1] == b"resumed"
    finally:
        spool.close()
        subprocess.run(["umount", tmp_path], check=True)


def test_a_forked_child_writes_segments_of_its_own_and_leaves_the_parents_locked(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SMALL)
    append(spool, b"parent")
    spool.prepare()
    child = os.fork()
    if child == 0:
        append(spool, b"child")
        os._exit(0 if records_of(spool) == [b"child"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    append(spool, b"parent again")
    assert records_of(spool) == [b"parent", b"parent again"]
    neighbour = Spool(tmp_path, SMALL)
    assert [segment.read(START, 9)[0] for segment in neighbour.orphans()] == [[b"child"]]
    neighbour.give_back()
    spool.close()
