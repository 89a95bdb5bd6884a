"""What was appended to the spool is there, whatever happens to its process."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrack.model.request_logs import RECORD_BYTES_MAX
from keyrack.store.spool import PLACE_BYTES, START, Spool, SpoolFull, read

SMALL = START + 3 * PLACE_BYTES
RECORDS = st.lists(st.binary(min_size=1, max_size=RECORD_BYTES_MAX), max_size=12)

APPENDING = """
import sys
from pathlib import Path
from keyrack.store.spool import Spool
spool = Spool(Path(sys.argv[1]), int(sys.argv[2]))
for number in range(10_000_000):
    spool.reserve()
    spool.append(b"%d " % number + b"x" * (number % 300))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty spool with small segments."""
    spool = Spool(tmp_path / "spool", SMALL)
    yield spool
    spool.close()


def records_of(spool: Spool) -> list[bytes]:
    """All records that this process has written, in order."""
    return [record for segment in spool.own() for record, _ in read(segment.content, START)]


def append(spool: Spool, *records: bytes) -> None:
    """Append each record into a place of its own."""
    for record in records:
        spool.reserve()
        spool.append(record)


@given(RECORDS)
def test_records_are_read_as_they_were_appended_whatever_they_hold(records: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), SMALL)
        append(spool, *records)
        assert records_of(spool) == records
        spool.close()


@given(RECORDS, st.data())
def test_a_torn_record_hides_nothing_before_it(records: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), START + 13 * PLACE_BYTES)
        append(spool, *records, b"last " * 20)
        (segment,) = spool.own()
        # The record goes in first, then its length and checksum: a kill leaves a beginning of the one, or all of it and one of the other.
        start = segment.end - 100
        kept = data.draw(st.integers(0, 107))
        if kept <= 100:
            segment.content[start - 8 : start] = bytes(8)
            segment.content[start + kept : start + 100] = bytes(100 - kept)
        else:
            segment.content[start - 8 + kept - 100 : start] = bytes(8 - (kept - 100))
        assert records_of(spool) == records
        assert segment.damaged_bytes(start - 8) == 0 or kept > 100
        spool.close()


@given(RECORDS.filter(lambda records: len(records) > 0), st.data())
def test_a_changed_byte_is_never_read_as_a_record(records: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), START + 13 * PLACE_BYTES)
        append(spool, *records)
        (segment,) = spool.own()
        at = data.draw(st.integers(START, segment.end - 1))
        segment.content[at] ^= data.draw(st.integers(1, 255))
        found = records_of(spool)
        assert found == records[: len(found)]
        assert len(found) < len(records)
        spool.close()


@pytest.mark.parametrize("record", [b"", b"x" * (RECORD_BYTES_MAX + 1)])
def test_a_record_that_has_no_place_is_refused(spool: Spool, record: bytes) -> None:
    spool.reserve()
    with pytest.raises(ValueError, match="bytes"):
        spool.append(record)


def test_every_record_that_was_appended_is_there_after_kill_9(tmp_path: Path) -> None:
    for round_ in range(5):
        folder = tmp_path / str(round_)
        child = subprocess.Popen([sys.executable, "-c", APPENDING, folder, "65536"], stdout=subprocess.PIPE)
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(100 + 1000 * round_)]
        child.send_signal(signal.SIGKILL)
        printed += child.stdout.readlines()
        child.stdout.close()
        child.wait()
        printed = [line for line in printed if line.endswith(b"\n")]

        spool = Spool(folder, 65536)
        found = []
        while segments := spool.orphans():
            for segment in segments:
                found += [record.split(b" ")[0] for record, _ in read(segment.content, START)]
                spool.finish(segment)
        assert len(found) - len(printed) in (0, 1)
        assert found == [b"%d" % number for number in range(len(found))]
        assert not list(folder.glob("*.spool"))


def test_a_segment_that_was_never_finished_is_cleared_away(spool: Spool, tmp_path: Path) -> None:
    append(spool, b"record")
    unfinished = tmp_path / "spool" / "0001-old.new"
    unfinished.write_bytes(b"")
    assert spool.orphans() == []
    assert unfinished.exists()
    os.utime(unfinished, (0, 0))
    assert spool.orphans() == []
    assert not unfinished.exists()


def test_segments_of_living_processes_are_left_alone(spool: Spool, tmp_path: Path) -> None:
    append(spool, b"mine")
    neighbour = Spool(tmp_path / "spool", SMALL)
    assert neighbour.orphans() == []
    spool.close()
    (orphan,) = neighbour.orphans()
    assert orphan.read(START, 10)[0] == [b"mine"]
    neighbour.give_back()
    assert [segment.name for segment in spool.orphans()] == [orphan.name]
    assert neighbour.orphans() == []
    spool.give_back()


def test_closing_leaves_only_segments_with_records(spool: Spool, tmp_path: Path) -> None:
    spool.prepare()
    spool.close()
    assert not list((tmp_path / "spool").iterdir())
    append(spool, b"kept")
    spool.prepare()
    spool.close()
    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_files_of_others_in_the_folder_are_left_alone(spool: Spool, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    for name in ("notes.txt", "0001-later.spool", "0002-young.new"):
        (folder / name).write_bytes(b"KEYRACK-SPOOL-9\n" + bytes(100))
    assert spool.orphans() == []
    assert len(list(folder.iterdir())) == 3


def test_a_record_is_found_by_its_head_in_any_segment_of_the_folder(spool: Spool, tmp_path: Path) -> None:
    neighbour = Spool(tmp_path / "spool", SMALL)
    append(neighbour, *[b"theirs %d" % number + bytes(3000) for number in range(10)])
    append(spool, b"mine", b"the text theirs 3 inside another")
    assert spool.find(b"theirs 3\0") == b"theirs 3" + bytes(3000)
    assert spool.find(b"mine") == b"mine"
    assert spool.find(b"inside") is None
    neighbour.close()


def test_nobody_else_may_read_a_segment(spool: Spool, tmp_path: Path) -> None:
    append(spool, b"an address")
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "spool").iterdir())


def test_a_segment_too_small_for_one_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no record"):
        Spool(tmp_path, PLACE_BYTES)


def test_reserving_without_a_folder_that_may_be_written_is_a_full_spool(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    with pytest.raises(SpoolFull):
        Spool(tmp_path / "spool", SMALL).reserve()
