"""The database, the time and the coroutines of a simulated cluster.

Wherever a coroutine waits for the world it waits at a `Point`. The scheduler has the world do what was asked, at once, later or never,
then delivers the answer or loses it. So a statement may be sent, carried out and answered at three different times, and what was lost may
have happened, may happen later, or never.
"""

from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from keyrack.model.refusals import Refused
from keyrack.store.changes import Changes
from keyrack.store.leases import LeaseRow, SessionLost, Standing

WORKSPACE = "w"
KEYS = ("k0", "k1")


class Point:
    """Where a coroutine waits: `effect` is what the world does there. Without one only the answer is waited for."""

    __slots__ = ("answer", "done", "effect", "error")

    def __init__(self, effect: Callable[[], Any], error: Callable[[], Exception]) -> None:
        self.effect = effect
        self.error = error
        self.done = False
        self.answer: Any = None

    def __await__(self) -> "Generator[Point, Any, Any]":
        return (yield self)

    def happen(self) -> None:
        """Have the world do what was asked."""
        self.answer = self.effect()
        self.done = True


class Task:
    """A coroutine that is stepped by hand. `point` is where it waits; None when it has ended."""

    __slots__ = ("_coroutine", "is_slow", "on_end", "on_session", "point")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], on_session: bool, on_end: Callable[[Any], None]) -> None:
        self.on_session = on_session
        self.on_end = on_end
        self.is_slow: bool | None = None
        self._coroutine = coroutine
        self.point: Point | None = None
        self._step(lambda: coroutine.send(None))

    def deliver(self) -> None:
        """Let it go on with the answer."""
        point = self.point
        assert point is not None
        assert point.done
        self._step(lambda: self._coroutine.send(point.answer))

    def lose(self) -> None:
        """Let it go on without an answer."""
        point = self.point
        assert point is not None
        self._step(lambda: self._coroutine.throw(point.error()))

    def kill(self) -> None:
        """End it where it waits."""
        self.point = None
        self._coroutine.close()

    def _step(self, step: Callable[[], Any]) -> None:
        self.point = None
        try:
            self.point = step()
        except StopIteration as end:
            self.on_end(end.value)
        except (SessionLost, Refused) as lost:
            self.on_end(lost)


@dataclass(frozen=True, slots=True)
class Commit:
    """A change. `serial` counts all that ever were, also those that a fail-over lost; its revision is its place in the history."""

    serial: int
    touched: frozenset[str]


class Database:
    """What is committed, and the time. `serial` counts all changes, `returned` are the serials of those that have returned."""

    def __init__(self) -> None:
        self.time = 0.0
        self.history: list[Commit] = []
        self.leases: dict[str, LeaseRow] = {}
        self.returned: set[int] = set()
        self.pruned = 0
        self._promised: dict[str, int] = {}
        self.serial = 0
        self._ids = 0

    def new_id(self) -> str:
        """An id that nobody else has."""
        self._ids += 1
        return f"lease-{self._ids}"

    @property
    def newest(self) -> int:
        """The newest revision."""
        return len(self.history)

    def commit(self, touched: frozenset[str]) -> int:
        """Commit a change, and return its revision."""
        self.serial += 1
        self.history.append(Commit(self.serial, touched))
        return self.newest

    def right(self, key: str, revision: int) -> int:
        """What a key may do at a revision: named by the serial of the last change that touched it."""
        return max((commit.serial for commit in self.history[:revision] if commit.touched & {key, WORKSPACE}), default=0)

    def promised(self, key: str) -> int:
        """The oldest right that a call which arrives now may be decided on."""
        if key not in self._promised:
            touching = (commit.serial for commit in self.history if commit.touched & {key, WORKSPACE})
            self._promised[key] = max((serial for serial in touching if serial in self.returned), default=0)
        return self._promised[key]

    def serials(self, revision: int) -> list[int]:
        """The serials of all changes up to a revision."""
        return [commit.serial for commit in self.history[:revision]]

    def give_back(self, serials: list[int]) -> None:
        """Have changes return."""
        self.returned.update(serials)
        self._promised.clear()

    def prune(self, keep: int) -> None:
        """Forget what was touched, but for the newest revisions."""
        self.pruned = max(self.pruned, self.newest - keep)

    def fail_over(self, lost: int) -> None:
        """Go on with a server that lacks the last changes."""
        del self.history[max(0, self.newest - lost) :]
        self.pruned = min(self.pruned, self.newest)
        self._promised.clear()

    def above(self, revision: int, change_id: str | None) -> Changes:
        """What happened above a revision."""
        first = max(1, revision, self.pruned + 1)
        rows = [
            (self.newest, place, touched, str(self.history[place - 1].serial))
            for place in range(self.newest, first - 1, -1)
            for touched in self.history[place - 1].touched
        ]
        return Changes.of(rows or [(self.newest, None, None, None)], revision, change_id)

    def renew(self, lease_id: str) -> bool:
        """Renew a lease."""
        row = self.leases.get(lease_id)
        if row is not None:
            self.leases[lease_id] = replace(row, renewal=row.renewal + 1)
        return row is not None

    def acknowledge(self, lease_id: str, revision: int) -> None:
        """Write what a process has evicted."""
        row = self.leases.get(lease_id)
        if row is not None and row.seen_revision < revision:
            self.leases[lease_id] = replace(row, seen_revision=revision)

    def delete(self, ended: Mapping[str, int]) -> None:
        """Delete leases whose renewal is still this one."""
        for lease_id, renewal in ended.items():
            row = self.leases.get(lease_id)
            if row is not None and row.renewal == renewal:
                del self.leases[lease_id]


class Ground:
    """The real protocol's ground: a node's clock, which runs a little wrong, and its session."""

    def __init__(self, database: Database, rate: float) -> None:
        self._database = database
        self._rate = rate

    def now(self) -> float:
        """The node's clock."""
        return 1000 + self._database.time * self._rate

    def touched_by(self, revision: int) -> frozenset[str]:
        """What a change of this process touched, as it knows without asking."""
        return self._database.history[revision - 1].touched if revision <= self._database.newest else frozenset()

    async def join(self, lease_id: str, length_seconds: float) -> None:
        """Commit a lease."""
        await _ask(lambda: self._database.leases.update({lease_id: LeaseRow(0, 0, length_seconds)}))

    async def renew(self, lease_id: str) -> bool:
        """Commit a renewal."""
        return bool(await _ask(lambda: self._database.renew(lease_id)))

    async def remove(self, lease_id: str) -> None:
        """Remove a lease."""
        await _ask(lambda: self._database.leases.pop(lease_id, None))

    async def above(self, revision: int, change_id: str | None) -> Changes:
        """Read what happened."""
        found: Changes = await _ask(lambda: self._database.above(revision, change_id))
        return found

    async def acknowledge(self, lease_id: str, revision: int) -> None:
        """Acknowledge."""
        await _ask(lambda: self._database.acknowledge(lease_id, revision))

    async def standing(self) -> Standing:
        """Read all leases."""
        standing: Standing = await _ask(lambda: Standing(self._database.newest, dict(self._database.leases)))
        return standing

    async def delete(self, ended: Mapping[str, int]) -> None:
        """Delete leases."""
        await _ask(lambda: self._database.delete(ended))

    async def announce(self) -> None:
        """Tell everybody: any node may apply at any time, so a message is one that comes late, soon or never."""
        await _ask(lambda: None)


class ForgetfulGround(Ground):
    """Loses the creation of a lease, as a commit does that waits for no disk."""

    async def join(self, lease_id: str, length_seconds: float) -> None:
        """Create nothing."""
        await _ask(lambda: None)


async def _ask(effect: Callable[[], Any]) -> Any:
    return await Point(effect, lambda: SessionLost("lost"))
