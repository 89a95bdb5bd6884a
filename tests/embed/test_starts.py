"""A start that fails leaves nothing open behind, and can be repeated when its reason is gone."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from keyrack import Keyrack, Settings, create_engine
from keyrack.cli.servers import settling
from keyrack.store.migrations import VERSION_TABLE
from tests.backends import Backend
from tests.hosts import BRAND, living


def rack_on(backend: Backend, folder: Path) -> Keyrack:
    """Return a rack on a database."""
    return Keyrack(Settings(data=folder, database_url=backend.url), brand=BRAND)


async def rename_revisions(backend: Backend, old: str, new: str) -> None:
    """Have the store say that other scripts have migrated it."""
    engine = create_engine(backend.url)
    table = VERSION_TABLE if backend.dialect == "sqlite" else f"keyrack.{VERSION_TABLE}"
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE {table} SET version_num = replace(version_num, '{old}', '{new}')"))
    await engine.dispose()


def open_in(folder: Path) -> list[str]:
    """Return the files of a folder that this process has open; what nobody holds any more is closed with a warning, which is an error."""
    gc.collect()
    handles = Path("/proc/self/fd")
    if not handles.exists():
        pytest.skip("the system does not tell which files are open")
    names = [str(handle.readlink()) for handle in handles.iterdir() if handle.is_symlink()]
    return [name for name in names if name.startswith(str(folder))]


async def test_store_that_cannot_be_used_stops_the_start_and_nothing_stays_open(backend: Backend, tmp_path: Path) -> None:
    await rename_revisions(backend, "main_", "later_")
    app = FastAPI()
    rack_on(backend, tmp_path).install(app)
    with pytest.raises(RuntimeError, match="A newer Keyrack"):
        async with living(app):
            pass
    assert [] == open_in(tmp_path)
    await rename_revisions(backend, "later_", "main_")
    async with living(app):
        pass
    assert [] == open_in(tmp_path)


async def test_host_that_cannot_start_leaves_nothing_of_the_rack_open(backend: Backend, tmp_path: Path) -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if next(reasons):
            raise LookupError("the host's own reason")
        yield

    reasons = iter([True, False])
    app = FastAPI(lifespan=lifespan)
    rack_on(backend, tmp_path).install(app)
    with pytest.raises(LookupError, match="the host's own reason"):
        async with living(app):
            pass
    assert [] == open_in(tmp_path)
    async with living(app):
        pass
    assert [] == open_in(tmp_path)


@pytest.mark.parametrize("moment", ["startup", "shutdown"])
async def test_what_an_app_raises_in_its_lifespan_ends_a_test_of_it(moment: str) -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        while True:
            kind = (await receive())["type"]
            if kind == f"lifespan.{moment}":
                raise OSError(moment)
            await send({"type": f"{kind}.complete"})

    with pytest.raises(OSError, match=moment):
        async with living(app):
            assert moment == "shutdown"


async def test_what_a_served_app_has_loaded_is_looked_through_for_cycles_no_more(backend: Backend, tmp_path: Path) -> None:
    rack, app = rack_on(backend, tmp_path), FastAPI()
    rack.install(app)
    try:
        async with living(settling(app)):
            assert gc.get_freeze_count() > len(gc.get_objects())
    finally:
        gc.unfreeze()
