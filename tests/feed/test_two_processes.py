"""Two server processes on one file: what was changed through one is so at the other, for every call that is sent after the change returned.

Others call beside each change, so that every credential is hot in both caches and look-ups race with the changes.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from keyrack.manage import keys
from keyrack.model.refusals import Refused
from tests.feed.conftest import MEMORY
from tests.feed.server import build_rack
from tests.feed.servers import Answer, Wire, serving
from tests.hosts import ADMIN_RIGHTS

LANES = 4
PAUSE_SECONDS = 0.003
TRIES_MAX = 30
BUSY_SECONDS = 0.1
CUSTOMERS = "/api/v1/customers"
_slugs = count()
pytestmark = pytest.mark.timeout(300)
# Few rounds always, many in `make fuzz`.
ROUNDS = pytest.mark.parametrize("rounds", [24, pytest.param(1000, marks=pytest.mark.fuzz)])


@dataclass(frozen=True)
class Site:
    """The servers' ports, and their data folder."""

    ports: list[int]
    data: Path


@dataclass
class Target:
    """A credential that others call with. `refused`: a change has returned since which it must be."""

    secret: str
    refused: bool = False


@dataclass
class Lane:
    """One pair of hands: a workspace with its admin key, a connection to each server, and one more each for what others do meanwhile."""

    admin_key: str
    wires: list[Wire]
    others: list[Wire]
    switch_on: Callable[[], Awaitable[object]]
    beside: int = 0
    late: int = 0

    async def manage(self, number: int, method: str, path: str, body: object = None) -> Answer:
        """Change something at one server; which one, the round's number says."""
        answer = await _send(self.wires[number % 2], method, f"/api/v1{path}", self.admin_key, body)
        assert answer.status in (200, 201, 204), answer
        return answer

    async def end(self, number: int, secret: str, method: str, path: str, body: object = None) -> Answer:
        """Make a change after which a secret must be refused, while others call both servers with it."""
        target = Target(secret)
        calling = [asyncio.create_task(self._call_until_refused(other, target)) for other in self.others]
        answer = await self.manage(number, method, path, body)
        target.refused = True
        assert await self.call(number, secret) in (401, 403)
        await asyncio.gather(*calling)
        return answer

    async def operate(self) -> None:
        """Switch the API on from the operator's process, as often as it takes to find the store free."""
        for _ in range(TRIES_MAX):
            with suppress(Refused):
                await self.switch_on()
                return
            await asyncio.sleep(BUSY_SECONDS)

    async def call(self, number: int, secret: str, method: str = "GET") -> int:
        """Call the other server, and return the status."""
        body = {"name": "Acme"} if method == "POST" else None
        return (await _send(self.wires[(number + 1) % 2], method, CUSTOMERS, secret, body)).status

    async def new_key(self, number: int) -> tuple[str, str, str]:
        """Make a key and return its id, secret and integration: it works at once at the other server."""
        made = (await self.manage(number, "POST", "/keys", {"name": "local-dev"})).body
        assert await self.call(number, made["secret"]) == 200
        return made["id"], made["secret"], made["integration_id"]

    async def _call_until_refused(self, wire: Wire, target: Target) -> None:
        late = False
        while not late:
            late = target.refused
            answer = await _send(wire, "GET", CUSTOMERS, target.secret)
            assert answer.status in (401, 403) or (not late and answer.status == 200), f"{answer} to a call that was late: {late}"
            self.beside += not late
            self.late += late
            await asyncio.sleep(PAUSE_SECONDS)


async def _send(wire: Wire, method: str, path: str, key: str, body: object = None) -> Answer:
    """Send a call, and once more where the store was too busy to begin: such an answer decided nothing, and nothing has changed."""
    for _ in range(TRIES_MAX):
        answer = await wire.send(method, path, key, body)
        if answer.status != 503 or not answer.body["type"].endswith("store_unavailable"):
            return answer
        await asyncio.sleep(BUSY_SECONDS)
    return answer


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Two servers on one data folder, started at once."""
    data = Path(tempfile.mkdtemp(prefix="keyrack-", dir=MEMORY if MEMORY.is_dir() else None))
    with serving(data, 2) as ports:
        yield Site(ports, data)
    shutil.rmtree(data)


@asynccontextmanager
async def lanes(site: Site) -> AsyncIterator[list[Lane]]:
    """Some lanes. The operator who makes the workspaces is a third process on the file: this one."""
    rack = build_rack(site.data)
    made: list[Lane] = []
    for _ in range(LANES):
        workspace = await rack.workspaces.create(name="Acme", slug=f"acme-{next(_slugs)}")
        owner = await rack.workspaces.operator(workspace.id)
        admin = await keys.create(rack.assembly.desk, owner, name="admin", rights=ADMIN_RIGHTS)
        wires = [await Wire.to(port) for port in site.ports * 2]
        made.append(Lane(admin.secret.text, wires[:2], wires[2:], partial(rack.workspaces.switch_api, workspace.id, enabled=True)))
    try:
        yield made
    finally:
        for lane in made:
            for wire in (*lane.wires, *lane.others):
                await wire.close()
        await rack.assembly.store.close()


async def _run(site: Site, rounds: int, play: Callable[[Lane, range], Awaitable[None]]) -> None:
    """Play the rounds, a part of them in each lane."""
    async with lanes(site) as made:
        await asyncio.gather(*[play(lane, range(first, rounds, LANES)) for first, lane in enumerate(made)])
        assert sum(lane.beside for lane in made) > rounds, "hardly anybody called beside the changes"
        assert sum(lane.late for lane in made) == 2 * rounds


@ROUNDS
async def test_a_revoked_key_is_refused_by_the_other_process_when_revoke_returns(site: Site, rounds: int) -> None:
    async def play(lane: Lane, rounds: range) -> None:
        for number in rounds:
            key_id, secret, _ = await lane.new_key(number)
            await lane.end(number, secret, "DELETE", f"/keys/{key_id}")
            assert await lane.call(number, secret) == 401
            assert await lane.call(number + 1, secret) == 401

    await _run(site, rounds, play)


@ROUNDS
async def test_a_disabled_key_is_refused_and_an_enabled_one_accepted_by_the_other_process_at_once(site: Site, rounds: int) -> None:
    async def play(lane: Lane, rounds: range) -> None:
        key_id, secret, _ = await lane.new_key(rounds[0])
        for number in rounds:
            await lane.end(number, secret, "PATCH", f"/keys/{key_id}", {"enabled": False})
            await lane.manage(number, "PATCH", f"/keys/{key_id}", {"enabled": True})
            assert await lane.call(number, secret) == 200

    await _run(site, rounds, play)


@ROUNDS
async def test_a_key_rotated_without_overlap_is_refused_by_the_other_process_and_its_successor_accepted(site: Site, rounds: int) -> None:
    async def play(lane: Lane, rounds: range) -> None:
        key_id, secret, _ = await lane.new_key(rounds[0])
        for number in rounds:
            successor = (await lane.end(number, secret, "POST", f"/keys/{key_id}/rotate", {"overlap_seconds": 0})).body
            key_id, secret = successor["id"], successor["secret"]
            assert await lane.call(number, secret) == 200

    await _run(site, rounds, play)


@ROUNDS
async def test_edited_permissions_hold_at_the_other_process_at_once(site: Site, rounds: int) -> None:
    async def play(lane: Lane, rounds: range) -> None:
        _, secret, integration_id = await lane.new_key(rounds[0])
        path = f"/integrations/{integration_id}"
        for number in rounds:
            await lane.manage(number, "PATCH", path, {"permissions": {"customers": "read"}})
            assert await lane.call(number, secret, "POST") == 403
            await lane.end(number, secret, "PATCH", path, {"permissions": {}})
            await lane.manage(number, "PATCH", path, {"permissions": {"customers": "write"}})
            assert await lane.call(number, secret, "POST") == 201

    await _run(site, rounds, play)


@ROUNDS
async def test_an_api_that_was_switched_off_is_off_at_the_other_process_at_once(site: Site, rounds: int) -> None:
    async def play(lane: Lane, rounds: range) -> None:
        _, secret, _ = await lane.new_key(rounds[0])
        for number in rounds:
            await lane.end(number, secret, "PATCH", "/workspace", {"api_enabled": False})
            assert await lane.call(number, lane.admin_key) == 401
            await lane.operate()
            assert await lane.call(number, secret) == 200

    await _run(site, rounds, play)
