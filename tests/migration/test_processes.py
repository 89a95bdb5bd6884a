"""Processes that start at once on one database: one of them migrates it, and none fails."""

import asyncio
import json
import sys
from pathlib import Path

from sqlalchemy import text

from keyrack.store.database import create_engine
from keyrack.store.migrations import MAIN, TRAFFIC, VERSION_TABLE, VERSIONS, pending, revision
from tests.backends import Backend

PROCESSES = 6
# They wait for each other at the end of a pipe.
MIGRATE = """
import asyncio, json, os, sys
from pathlib import Path
from keyrack.store.migrations import migrate

folder, count, urls = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
read, write = os.pipe()
children = []
for number in range(count):
    child = os.fork()
    if child == 0:
        os.close(write)
        os.read(read, 1)
        (folder / f"ran-{number}").write_text(json.dumps(asyncio.run(migrate(*urls))))
        os._exit(0)
    children.append(child)
os.close(write)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


async def test_processes_that_migrate_at_once_do_it_once(backend: Backend, tmp_path: Path) -> None:
    arguments = (str(tmp_path), str(PROCESSES), json.dumps([backend.url, backend.traffic_url]))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, *arguments)
    assert 0 == await process.wait()
    answers = [json.loads((tmp_path / f"ran-{number}").read_text()) for number in range(PROCESSES)]
    scripts = [path for branch in (MAIN, TRAFFIC) for path in sorted((VERSIONS / branch).glob("[0-9]*.py"))]
    # On files, one process may be first at the one and another at the other.
    assert sorted(path.stem for path in scripts) == sorted(script for answer in answers for script in answer)
    assert [] == await pending(backend.url, backend.traffic_url)
    newest = {path.parent.name: revision(path) for path in scripts}
    assert set(newest.values()) == {version for url in (backend.url, backend.traffic_url) if url for version in await _versions(url)}


async def _versions(url: str) -> list[str]:
    schema = "keyrack." if url.startswith("postgresql") else ""
    engine = create_engine(url)
    async with engine.begin() as c:
        found = (await c.execute(text(f"SELECT version_num FROM {schema}{VERSION_TABLE}"))).scalars().all()
    await engine.dispose()
    return list(found)
