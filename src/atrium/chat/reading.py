"""Reading what others sent, in a process of its own that is given little memory and little time."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass

READING_SECONDS_MAX = 30.0
TOLD_BYTES_MAX = 32 * 1024 * 1024
CHILD = "atrium.chat.reading_child"


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage: where it stands, what it says, and its terms."""

    place: str
    text: str
    terms: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a content holds. `title` is the one that it gives itself."""

    title: str | None
    passages: tuple[Piece, ...]


class NotRead(Exception):
    """A content that cannot be read. `reason` is for whoever sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def read(kind: str, content: bytes) -> Read:
    """Return the passages of a content, one of `formats.read`. Raises NotRead."""
    # Nothing of the server's environment, which may hold secrets, goes along.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONIOENCODING": "utf-8"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", CHILD, kind),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    try:
        async with asyncio.timeout(READING_SECONDS_MAX):
            _, told = await asyncio.gather(_give(child, content), _take(child))
            code = await child.wait()
    except TimeoutError:
        raise NotRead("Reading it takes too long.") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return _understood(told, code)


async def _give(child: asyncio.subprocess.Process, content: bytes) -> None:
    assert child.stdin is not None
    with suppress(ConnectionError):
        child.stdin.write(content)
        await child.stdin.drain()
    child.stdin.close()


async def _take(child: asyncio.subprocess.Process) -> bytes:
    assert child.stdout is not None
    told = bytearray()
    while part := await child.stdout.read(256 * 1024):
        told += part
        if len(told) > TOLD_BYTES_MAX:
            raise NotRead("It is too long.")
    return bytes(told)


def _understood(told: bytes, code: int) -> Read:
    try:
        said = json.loads(told)
    except ValueError:
        said = None
    if code != 0 or not isinstance(said, dict):
        # Ended by a limit, or by a fault of a parser that its content has found.
        raise NotRead("It could not be read: reading it failed, or took more time or memory than is allowed.")
    if "reason" in said:
        raise NotRead(said["reason"])
    return Read(said["title"], tuple(Piece(*passage) for passage in said["passages"]))
