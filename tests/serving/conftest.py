"""Installations whose servers are real processes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.serving.served import Installation, Served, installed, serving

# What tests bring about: a crash of the host's, and a stream that is cut.
WANTED = ("the secret detail of a crash", "ASGI callable returned without completing response.")


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation that nobody serves yet."""
    async with installed(tmp_path / "data") as one:
        yield one


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A server that the tests of a module share. All that it answered must be in the log, once, and nothing may have crashed."""
    async with installed(tmp_path_factory.mktemp("serving") / "data") as installation, serving(installation) as one:
        yield one
        await one.all_logged(one.seen)
        assert 0 == one.program.stop()
        told = [line for line in one.program.err.splitlines() if json.loads(line)["level"] in ("error", "critical")]
        assert [] == [line for line in told if not any(words in line for words in WANTED)]
