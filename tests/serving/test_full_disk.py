"""With no room on the disk calls are refused rather than answered without a line in the log; and served again when there is room."""

import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.hosts import ADMIN_RIGHTS
from tests.serving.served import Served, installed, serving, until
from tests.serving.wire import Received, Wire

SEGMENT_BYTES = 65536
FILE_SYSTEM_BYTES = 24 * 1024 * 1024
# More lines than fit into the segments that a server has at hand.
CALLS_MAX = 3000
JSON = "Content-Type: application/json"
Fill = Callable[[Served], AbstractContextManager[None]]


@contextmanager
def full_file_system(served: Served) -> Iterator[None]:
    """Leave not a byte on the file system of the data."""
    ballast = served.data / "ballast"
    try:
        with pytest.raises(OSError, match="No space left"):
            write_without_end(ballast)
        yield
    finally:
        ballast.unlink()


def write_without_end(path: Path) -> None:
    """Write into a file until the system refuses. Raises OSError."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@contextmanager
def files_that_do_not_grow(served: Served) -> Iterator[None]:
    """Let the server make no file of a segment's size, and write no further into the others than that."""
    pid = served.program.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (SEGMENT_BYTES // 2, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=[full_file_system, files_that_do_not_grow])
def fill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fill]:
    """What leaves a server no room. For the first, the data folder is a file system of its own."""
    (tmp_path / "data").mkdir()
    if request.param is full_file_system:
        command = ["mount", "-t", "tmpfs", "-o", f"size={FILE_SYSTEM_BYTES}", "tmpfs", str(tmp_path / "data")]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a file system takes root")
    try:
        yield request.param
    finally:
        if request.param is full_file_system:
            # This process still has the counters mapped.
            subprocess.run(["umount", "--lazy", str(tmp_path / "data")], check=True)


@pytest.fixture
async def served(fill: Fill, tmp_path: Path) -> AsyncIterator[Served]:
    """A server whose disk can be filled."""
    segment_bytes = str(SEGMENT_BYTES)
    async with installed(tmp_path / "data") as installation, serving(installation, KEYRACK_SPOOL_SEGMENT_BYTES=segment_bytes) as one:
        yield one


async def test_full_disk_refuses_calls_until_there_is_room_and_leaves_none_unlogged(served: Served, fill: Fill) -> None:
    async with served.wire(await served.key()) as wire, served.wire(await served.key(ADMIN_RIGHTS)) as admins:
        answered = [await wire.get("/api/v1/customers")]
        with fill(served):
            *created, refused = await until_refused(admins, "POST", "/api/v1/keys", body=b'{"name": "another"}')
            assert refused.json["retryable"]
            *read, refused = await until_refused(wire, "GET", "/api/v1/customers")
            assert ("5", "store_unavailable") == (refused.headers["retry-after"], refused.json["code"])
            readiness = await wire.get("/readyz")
            told = readiness.json
            assert (503, False, ["no room for the request log"]) == (readiness.status, told["ready"], told["missing"])
            assert not told["checks"]["request_log"]["ok"]
            assert 200 == (await wire.get("/healthz")).status
            answered += [*created, *read]

        async def is_ready() -> bool:
            return (await wire.get("/readyz")).status == 200

        await until(is_ready)
        answered += [await wire.get("/api/v1/customers"), await admins.send("POST", "/api/v1/keys", JSON, body=b'{"name": "last"}')]
    assert {200, 201} == {answer.status for answer in answered}
    await served.all_logged(answer.request_id for answer in answered)
    assert 0 == served.program.stop()
    assert "Traceback" not in served.program.err


async def until_refused(wire: Wire, method: str, target: str, body: bytes = b"") -> list[Received]:
    """Call again and again, until a call is refused because there is no room; return all answers."""
    answers = []
    for _ in range(CALLS_MAX):
        answers.append(await wire.send(method, target, *([JSON] if body else []), body=body))
        if answers[-1].status == 503:
            return answers
    raise AssertionError("the disk is not full")
