"""One play: a cluster is built up, hands work on it while things are done to it, and what happened is returned."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

from keyrack import Settings
from keyrack.store.migrations import migrate
from tests.chaos.app import build_rack
from tests.chaos.databases import databases
from tests.chaos.faults import Faults
from tests.chaos.hands import Hands, Site, new_workspace
from tests.chaos.history import History
from tests.chaos.links import Link
from tests.chaos.nodes import APP, STORE_ANSWER_SECONDS, Node, url
from tests.chaos.report import Strength

NODES = 4
END_SECONDS_MAX = 60.0
BREATH_SECONDS = 0.2


@dataclass(frozen=True)
class Plan:
    """What is played. It ends after `seconds`, or sooner when it has been strong enough and every kind of fault has happened.

    `faults` are those that may happen; all by default. `leases` are the nodes', in turn.
    """

    seconds: float
    strength: Strength
    hands: int = 32
    pause_seconds: float = 1.0
    hands_in_calm: int = 4
    pause_seconds_in_calm: float = 0.1
    hands_shared: int = 8
    calm_seconds: float = 3.0
    faults_between_calm: int = 6
    leases: tuple[float, ...] = (2.0, 2.0, 2.0, 1.0)
    has_standby: bool = True
    app: str = APP
    environment: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    stops_when_stale: bool = False
    seed: int = 0


Tell = Callable[[History, str], None]


async def play(plan: Plan, folder: Path, tell: Tell) -> History:
    """Play, and return what happened. It ends when its time is over."""
    random = Random(plan.seed)
    history = History(max(plan.leases))
    async with AsyncExitStack() as stack:
        both = await stack.enter_async_context(databases(has_standby=plan.has_standby))
        links = [await stack.enter_async_context(_link(lambda: both.primary.socket)) for _ in range(NODES + 1)]
        await migrate(url(links[NODES]))
        settings = Settings(data=folder / "operator", database_url=url(links[NODES]), store_answer_seconds=STORE_ANSWER_SECONDS)
        operator = build_rack(settings)
        stack.push_async_callback(operator.assembly.store.close)
        nodes = [
            Node(number, links[number], folder / f"node-{number}", plan.leases[number % len(plan.leases)], plan.app, plan.environment)
            for number in range(NODES)
        ]
        for node in nodes:
            stack.callback(node.kill)
            node.start()
        await asyncio.gather(*[node.ready() for node in nodes])
        site = Site(nodes, operator, history, random, plan.hands_in_calm, plan.pause_seconds_in_calm)
        shared = await new_workspace(operator)
        hands = [Hands(number, site, shared if number % 4 == 0 else None) for number in range(plan.hands)]
        await _run(plan, site, hands, Faults(site, both, links, max(plan.leases), random), tell)
    return history


async def _run(plan: Plan, site: Site, hands: list[Hands], faults: Faults, tell: Tell) -> None:
    working = [asyncio.create_task(one.work()) for one in hands]
    raging = asyncio.create_task(_rage(plan, site, faults, tell))
    feeling = [asyncio.create_task(_feel(site, node)) for node in site.nodes]
    try:
        await asyncio.wait({raging, *working}, return_when=asyncio.FIRST_COMPLETED)
        site.is_over = True
        raging.result() if raging.done() else raging.cancel()
        _, late = await asyncio.wait(working, timeout=END_SECONDS_MAX)
        if late:
            site.history.violations.append(f"{len(late)} hands wait for an answer after all is over")
        for one in working:
            if one.done():
                one.result()
    finally:
        for task in (raging, *feeling, *working, *site.calling):
            task.cancel()
        await asyncio.gather(raging, *feeling, *working, *site.calling, return_exceptions=True)


async def _rage(plan: Plan, site: Site, faults: Faults, tell: Tell) -> None:
    """Calm, then some faults, and so on, until the time is over, or enough was seen."""
    history, ends_at = site.history, monotonic() + plan.seconds
    kinds = list(plan.faults or (*faults.of_nodes, *faults.of_store))
    bag: list[str] = []
    while True:
        await _be_calm(plan, site)
        tell(history, "calm")
        for _ in range(plan.faults_between_calm):
            is_enough = len(history.faults) >= len(kinds) and not [*plan.strength.missing(history)]
            if monotonic() > ends_at or is_enough or (plan.stops_when_stale and history.stale):
                return
            bag = bag or site.random.sample(kinds, len(kinds))
            kind = bag.pop()
            await faults.happen(kind)
            tell(history, kind)


async def _be_calm(plan: Plan, site: Site) -> None:
    """Few hands, and nothing is done to anything: what counts begins when the others have stopped."""
    site.hands_max, site.pause_seconds = plan.hands_in_calm, plan.pause_seconds_in_calm
    await asyncio.sleep(1.0)
    site.history.calm_since = monotonic()
    await asyncio.sleep(plan.calm_seconds)
    site.history.calm_since = None
    site.hands_max, site.pause_seconds = plan.hands, plan.pause_seconds


async def _feel(site: Site, node: Node) -> None:
    """Ask a node that is well, again and again, for nothing but a sign of life."""
    while True:
        await asyncio.sleep(BREATH_SECONDS)
        if node.number not in site.faulty:
            began = site.history.asking[node.number] = monotonic()
            await node.send("GET", "/healthz", "")
            del site.history.asking[node.number]
            if node.number not in site.faulty:
                site.history.breathe(began, monotonic())


@asynccontextmanager
async def _link(target: Callable[[], str]) -> AsyncIterator[Link]:
    link = Link(target)
    await link.open()
    try:
        yield link
    finally:
        await link.close()
