"""What is done to nodes, links and the database, one after another and at times two at once, until all is well again."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from time import monotonic

from tests.chaos.databases import Databases
from tests.chaos.hands import Site
from tests.chaos.history import Fault
from tests.chaos.links import Link
from tests.chaos.nodes import Node

RESTART_SECONDS_MAX = 1.5
DELAY_SECONDS_MAX = 0.05

Act = Callable[[list[Node]], Awaitable[None]]


class Faults:
    """Does things to a site. `links` are all links to the database, the operator's too. `lease_seconds` is the longest lease."""

    def __init__(self, site: Site, databases: Databases, links: list[Link], lease_seconds: float, random: Random) -> None:
        self._site = site
        self._databases = databases
        self._links = links
        self._lease_seconds = lease_seconds
        self._random = random
        self.of_nodes: dict[str, tuple[int, Act]] = {
            "short pause": (1, self._pause_shortly),
            "long pause": (1, self._pause_long),
            "kill": (1, self._kill),
            "cut to the database": (1, self._cut_up),
            "cut from the database": (1, self._cut_down),
            "cut both ways": (1, self._cut_both),
            "reset": (1, self._reset),
            "slow link": (1, self._slow),
            "lost messages": (2, self._deafen),
            "two long pauses": (2, self._pause_long),
        }
        self.of_store: dict[str, Act] = {"restart of the database": self._restart}
        if databases.standby is not None:
            self.of_store |= {"fail-over": self._fail_over, "fail-over beside a living primary": self._fail_over_split}

    async def happen(self, kind: str) -> None:
        """Do one of them, and return when every node is ready again."""
        site = self._site
        if kind in self.of_store:
            nodes, act, affected = site.nodes, self.of_store[kind], list[Node]()
        else:
            count, act = self.of_nodes[kind]
            nodes = affected = self._random.sample(site.nodes, count)
        fault = Fault(kind, frozenset(node.number for node in affected), monotonic())
        site.history.faults.append(fault)
        site.faulty.update(fault.nodes)
        await act(nodes)
        await asyncio.gather(*[node.ready() for node in nodes])
        site.faulty.difference_update(fault.nodes)
        fault.ended = monotonic()

    async def _pause_shortly(self, nodes: list[Node]) -> None:
        await self._pause(nodes, self._leases(0.1, 0.9))

    async def _pause_long(self, nodes: list[Node]) -> None:
        await self._pause(nodes, self._leases(1.1, 2.0))

    async def _pause(self, nodes: list[Node], seconds: float) -> None:
        for node in nodes:
            node.pause()
        await asyncio.sleep(seconds)
        for node in nodes:
            node.resume()

    async def _kill(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.kill()
        await asyncio.sleep(self._leases(0, 1.2))
        for node in nodes:
            node.start()

    async def _cut_up(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.link.up.cut()
        await self._mend(nodes)

    async def _cut_down(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.link.down.cut()
        await self._mend(nodes)

    async def _cut_both(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.link.up.cut()
            node.link.down.cut()
        await self._mend(nodes)

    async def _mend(self, nodes: list[Node]) -> None:
        """After a while; at times all that was held up is lost with its connections."""
        await asyncio.sleep(self._leases(0.2, 2.0))
        for node in nodes:
            if self._random.random() < 0.5:
                node.link.reset()
            node.link.mend()

    async def _reset(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.link.is_closed = self._random.random() < 0.5
            node.link.reset()
        await asyncio.sleep(self._leases(0, 1.2))
        for node in nodes:
            node.link.mend()

    async def _slow(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.link.delay_seconds = self._random.uniform(0.005, DELAY_SECONDS_MAX)
        await asyncio.sleep(self._leases(0.5, 1.5))
        for node in nodes:
            node.link.mend()

    async def _deafen(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.link.is_deaf = True
        await asyncio.sleep(self._leases(0.5, 2.0))
        for node in nodes:
            node.link.mend()

    async def _restart(self, _nodes: list[Node]) -> None:
        at_once = self._random.random() < 0.5
        await self._databases.restart(at_once=at_once, pause_seconds=self._random.uniform(0, RESTART_SECONDS_MAX))

    async def _fail_over(self, _nodes: list[Node]) -> None:
        await self._databases.primary.stop(at_once=True)
        await self._databases.promote()
        self._lead()
        await self._databases.attach_old()

    async def _fail_over_split(self, _nodes: list[Node]) -> None:
        """The old primary runs on, and some nodes still reach it alone: it cannot commit any more."""
        left = self._random.sample(self._links, len(self._links) // 2)
        old = self._databases.primary.socket
        for link in left:
            link.target = lambda: old
        await self._databases.promote()
        for link in self._links:
            if link not in left:
                link.reset()
        await asyncio.sleep(self._leases(0.5, 2.0))
        self._lead()
        await self._databases.attach_old()

    def _lead(self) -> None:
        """Have all links lead to the primary of the moment."""
        for link in self._links:
            link.target = lambda: self._databases.primary.socket
            link.reset()

    def _leases(self, least: float, most: float) -> float:
        """So many leases, in seconds."""
        return self._lease_seconds * self._random.uniform(least, most)
