"""A story that is told to the processes step by step, and what must be true of every call in it.

A call whose head arrives after a change has returned is decided by what that change left, or by what came after it, never by what held
before.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from itertools import count

from keyrack.manage.operators import operator
from keyrack.manage.workspaces import Workspaces
from keyrack.model.permissions import Level
from keyrack.model.principals import Principal
from keyrack.store import changes as revisions
from tests.feed import changes
from tests.feed.changes import Change
from tests.feed.processes import Gate, Parts, Process, Running, World
from tests.feed.truth import Truth, Verdict

START = 1_700_000_000_000
_slugs = count()


class Stale(AssertionError):
    """A call was decided on what held before a change that had returned."""


class Story:
    """The steps. `truths` are what held, one after the other, in the order of the commits; `returned` is the newest that was told."""

    def __init__(self, world: World, parts: Parts) -> None:
        world.fresh()
        self.world = world
        self._parts = parts
        self.processes = world.processes
        self.now = START
        for process in self.processes:
            process.begin(parts)
            process.now = self.now
        self.truths = [Truth()]
        self.returned = 0
        self.decided = 0
        self._copied: Truth | None = None
        self._names = count(10)
        self._held: dict[str, tuple[asyncio.Task[object], Gate, int]] = {}
        self._owner = self._begin_workspace()

    @property
    def truth(self) -> Truth:
        """What holds now."""
        return self.truths[-1]

    def new_name(self, kind: str) -> str:
        """A name that nothing has yet."""
        return f"{kind}{next(self._names)}"

    def close(self) -> None:
        """Let go of everything."""
        for process in self.processes:
            self.let_return(process)
            process.end()

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += milliseconds
        for process in self.processes:
            process.now = self.now

    # Calls

    def call(self, process: Process, key: str) -> None:
        """A call arrives and is decided."""
        since = self.returned
        self._check(key, since, process.run(process.decide(self.truth.keys[key].secret)))

    def call_in_thread(self, process: Process, key: str) -> None:
        """A call arrives in another thread of the process, and is decided where memory holds its key."""
        self._check(key, self.returned, process.decide_in_thread(self.truth.keys[key].secret))

    def call_while_the_changes_cannot_be_read(self, process: Process, key: str) -> None:
        """A call arrives while the file can be asked whether it changed, but not what."""
        connection = process.feed._connection
        if connection is not None:
            connection.set_authorizer(_deny_changes)
        try:
            self.call(process, key)
        finally:
            if connection is not None:
                connection.set_authorizer(None)

    def call_while_another_commits(self, process: Process, key: str, commit: Callable[[], None]) -> None:
        """A call arrives; right after its process has read the changes, and before it goes on, something else is committed."""
        connection = process.feed._connection
        if connection is None:
            self.call(process, key)
            return
        process.feed._connection = _Interrupted(connection, commit)  # type: ignore[assignment]
        try:
            self.call(process, key)
        finally:
            process.feed._connection = connection

    def restart_while_the_changes_cannot_be_read(self, process: Process, key: str) -> None:
        """A process begins anew and decides a call while the file can be asked whether it changed, but not what."""
        process.end()
        process.begin(self._parts)
        self.world.hide_changes(hidden=True)
        try:
            self.call(process, key)
        finally:
            self.world.hide_changes(hidden=False)

    def call_twice_in_one_task(self, process: Process, key: str, between: Callable[[], None]) -> None:
        """A call arrives; something happens; another call arrives in the same task, as in-process transports make them."""
        secret, since = self.truth.keys[key].secret, self.returned

        async def both() -> tuple[Verdict | None, Verdict | None]:
            first = await process.decide(secret)
            between()
            return first, await process.decide(secret)

        first, second = process.run(both())
        self._check(key, since, first)
        self._check(key, self.returned, second)

    def call_twice_in_one_turn(self, process: Process, key: str, between: Callable[[], None]) -> None:
        """A call is decided; in the same turn of the loop something happens, and the head of another call is read."""
        secret, since = self.truth.keys[key].secret, self.returned

        async def both() -> tuple[Verdict | None, Verdict | None]:
            loop = asyncio.get_running_loop()
            read: asyncio.Future[asyncio.Task[Verdict | None]] = loop.create_future()

            def read_head() -> None:
                between()
                read.set_result(loop.create_task(process.decide(secret)))

            first = loop.create_task(process.decide(secret))
            loop.call_soon(read_head)
            return await first, await (await read)

        first, second = process.run(both())
        self._check(key, since, first)
        self._check(key, self.returned, second)

    def call_beside(self, process: Process, running: Running) -> None:
        """Another call with the same key arrives while a look-up is under way, which then ends; then the other call is decided."""
        if running.ended or running.key not in self.truth.keys:
            self.finish(process, running)
            return
        secret, since = self.truth.keys[running.key].secret, self.returned

        async def both() -> tuple[Verdict | None, Verdict | None]:
            second = asyncio.create_task(process.decide(secret))
            await asyncio.sleep(0)
            return await process.finish(running), await second

        first, second = process.run(both())
        self._check(running.key, running.since, first)
        self._check(running.key, since, second)

    def begin_look_up(self, process: Process, key: str) -> Running:
        """A call arrives that memory does not hold; its look-up begins."""
        running = Running(key, self.returned)
        process.run(process.begin_look_up(running, self.truth.keys[key].secret))
        return running

    def query(self, process: Process, running: Running) -> None:
        """The look-up of a call reads the store."""
        if not running.ended:
            process.run(process.query(running))

    def finish(self, process: Process, running: Running) -> None:
        """The look-up of a call ends, and the call is decided; unless it ended with its process."""
        if not running.ended:
            self._check(running.key, running.since, process.run(process.finish(running)))

    # Changes

    def change(self, process: Process, change: Change | None) -> None:
        """Make a change, which returns."""
        if change is not None:
            made = process.run(_awaited(change, process, self._owner))
            self.truths.append(change.after(made))
            self.returned = len(self.truths) - 1

    def hold(self, process: Process, change: Change | None) -> None:
        """Make a change that is committed, and does not return yet."""
        if change is not None and change.simple and process.name not in self._held:
            task, gate = process.run(_held(change, process, self._owner))
            self.truths.append(change.after(None))
            self._held[process.name] = (task, gate, len(self.truths) - 1)

    def let_return(self, process: Process) -> None:
        """Let a change return that was held up."""
        if process.name in self._held:
            task, gate, place = self._held.pop(process.name)
            process.run(_released(task, gate))
            self.returned = max(self.returned, place)

    def write(self, process: Process) -> None:
        """Commit something that no cache can hold."""
        made = changes.make_integration(self.truth, self.new_name("i"), Level.NONE)
        process.run(_awaited(made, process, self._owner))

    def prune(self, process: Process, keep: int) -> None:
        """Forget which ids were touched, but for the newest revisions."""
        process.run(_pruned(process, keep))

    def save_copy(self) -> None:
        """Make a backup."""
        self.world.save_copy()
        self._copied = self.truth

    def set_back(self) -> None:
        """Set the file back to the backup."""
        if self._copied is not None:
            self.world.set_back()
            self.truths.append(self._copied)
            self.returned = len(self.truths) - 1

    def _check(self, key: str, since: int, verdict: Verdict | None) -> None:
        """Hold a decision against what was true since the call's head arrived. A key that a backup does not know is nobody's promise."""
        truths = self.truths[since:]
        if verdict is None or any(key not in truth.keys for truth in truths):
            return
        self.decided += 1
        possible = {truth.verdict(key, self.now) for truth in truths}
        if verdict not in possible:
            raise Stale(f"a call with {key} was decided as {verdict}; true since it arrived: {possible}")

    def _begin_workspace(self) -> Principal:
        """A workspace with two integrations, a key of each, and two spaces; every process has all of it in memory."""
        process = self.processes[0]
        workspace = process.run(Workspaces(process.desk).create("Acme", slug=f"acme-{next(_slugs)}"))
        self._owner = process.run(operator(process.desk, workspace.id))
        self.prune(process, keep=1)
        for space in ("s1", "s2"):
            self.change(process, changes.make_space(self.truth, space))
        for name, level in (("i1", Level.WRITE), ("i2", Level.READ)):
            self.change(process, changes.make_integration(self.truth, name, level))
            self.change(process, changes.make_key(self.truth, name.replace("i", "k"), name))
        self.change(process, changes.set_role(self.truth, "i1", "s1", inside=True))
        for process in self.processes:
            for key in self.truth.keys:
                self.call(process, key)
        return self._owner


async def _awaited(change: Change, process: Process, owner: Principal) -> object:
    return await change.act(process.desk, owner)


async def _held(change: Change, process: Process, owner: Principal) -> "tuple[asyncio.Task[object], Gate]":
    process.hold = gate = Gate()
    task = asyncio.create_task(_awaited(change, process, owner))
    reached = asyncio.create_task(gate.reached.wait())
    await asyncio.wait({task, reached}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    process.hold = None
    if task.done():
        await task
    return task, gate


async def _released(task: "asyncio.Task[object]", gate: Gate) -> None:
    gate.opened.set()
    await task


async def _pruned(process: Process, keep: int) -> None:
    async with process.store.changing() as c:
        await revisions.prune(c, keep)


class _Interrupted:
    """A connection after whose first statement something happens."""

    def __init__(self, connection: sqlite3.Connection, then: Callable[[], None]) -> None:
        self._connection = connection
        self._then: Callable[[], None] | None = then

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> "_Rows":
        """Run a statement, and then what was to happen."""
        rows = _Rows(self._connection.execute(statement, parameters).fetchall())
        then, self._then = self._then, None
        if then is not None:
            then()
        return rows

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Rows:
    """Rows that were read."""

    def __init__(self, rows: list[object]) -> None:
        self._rows = rows

    def fetchall(self) -> list[object]:
        """Return them."""
        return self._rows

    def fetchone(self) -> object:
        """Return the first one."""
        return self._rows[0] if self._rows else None


def _deny_changes(action: int, table: str | None, *_: object) -> int:
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_READ and table == "keyrack_changes" else sqlite3.SQLITE_OK
