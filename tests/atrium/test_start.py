"""Starting: tables are there when the first call comes, also for several processes that start at once."""

import asyncio

from atrium.database import Database
from keyrack import create_engine
from tests.atrium.host import Host
from tests.backends import Backend


async def test_processes_that_start_at_once_create_the_tables_once(backend: Backend) -> None:
    databases = [Database(create_engine(backend.url)) for _ in range(4)]
    await asyncio.gather(*(database.create_tables() for database in databases))
    for database in databases:
        await database.close()


async def test_what_a_refused_call_wrote_is_rolled_back(host: Host) -> None:
    await host.post("/customers", {"name": "Aurora", "slug": "aurora"})
    assert 409 == (await host.post("/customers", {"name": "Other", "slug": "aurora"})).status_code
    events = [event for event in (await host.get("/events")).json()["data"] if event["object_type"] == "customer"]
    assert 1 == len(events)
    assert 246 == (await host.post("/customers", {"name": "Other"})).json()["display_id"]


async def test_parameters_that_nothing_takes_are_refused(host: Host) -> None:
    for method, path, body in (("POST", "/customers", {"name": "X"}), ("GET", "/customers/245", None), ("DELETE", "/customers/245", None)):
        answer = await host.call(method, f"{path}?dry_run=true", body)
        assert (400, "dry_run") == (answer.status_code, answer.json()["param"])
    assert [] == (await host.get("/customers")).json()["data"]
