"""Chooses, from a seed, what happens next. Each seed has its own taste: what it likes to do, and what it never does."""

from collections.abc import Callable
from random import Random

from keyrack.feed.leases import Terms, over_after
from tests.feed.simulation.nodes import SHORT, TERMS, Late, Node, Parts
from tests.feed.simulation.world import KEYS, WORKSPACE, Database, Task

NODES, NODES_MAX = 3, 5
TERMS_OF_NODES = (TERMS, SHORT, TERMS)
RATES = (0.97, 1.0, 1.03)
TOUCHED = (frozenset({KEYS[0]}), frozenset({KEYS[1]}), frozenset({WORKSPACE}), frozenset({"other"}))
ROUNDS_MAX = 200
SLOW_STEPS, PAUSED = 0.03, 0.3


class Scheduler:
    """A cluster: two nodes that decide calls, with leases of different lengths, and one that only changes things."""

    def __init__(self, seed: int, parts: Parts | None = None) -> None:
        self._random = random = Random(seed)
        self.database = Database()
        self._parts = parts or Parts()
        self._strays: list[Callable[[], object]] = []
        self.steps = 0
        self.behind = random.choice((0.0, 0.0, 0.3))
        self.nodes = [self._new(place < NODES - 1, TERMS_OF_NODES[place]) for place in range(NODES)]
        always = {
            self.go_on: 30,
            self.call: 8,
            self.renew: 5,
            self.round: 4,
            self.tick: 1,
            self.connect: 2,
            self.change: 2,
            self.pass_time: 2,
        }
        at_times = {self.apply: 3, self.lose: 0.4, self.pause: 1, self.crash: 0.1, self.fork: 0.2, self.again: 1, self.prune: 0.2}
        at_times |= {self.fail_over: 0.1, self.expire: 1, self.stray: 1}
        chosen = always | {act: weight * random.choice((0, 0.3, 1, 2)) for act, weight in at_times.items()}
        self._acts = list(chosen)
        self._weights = [weight * random.choice((0.5, 1, 2)) for weight in chosen.values()]
        self._hurry = random.choice((0.02, 0.1, 0.5))
        self._slow = random.choice((0, 0.1, 0.4))

    def run(self, steps: int) -> None:
        """Let things happen; then let everything go well, until all changes have returned."""
        for act in self._random.choices(self._acts, self._weights, k=steps):
            act()
            for node in self.nodes:
                node.observe()
        self.steps += steps
        self.end_well()

    def end_well(self) -> None:
        """Nothing is lost any more: every change returns."""
        for _ in range(ROUNDS_MAX):
            for node in self.nodes:
                node.is_paused = False
                node.connect()
                node.begin_renewal()
                self.finish(node)
                node.begin_round()
                self.finish(node)
                node.expire()
            if not any(node.settling.waiting for node in self.nodes):
                return
            self.database.time += 0.1
        raise Late("a change does not return")

    def finish(self, node: Node) -> None:
        """Let all that is under way in a node go on to its end."""
        for _ in range(ROUNDS_MAX):
            if not node.tasks:
                return
            for task in list(node.tasks):
                self._step(node, task)
        for task in list(node.tasks):
            node.step(task, deliver=False)

    def go_on(self) -> None:
        """Something that is under way goes on: it happens, or its answer arrives."""
        node = self._any(lambda node: bool(node.tasks))
        if node is not None:
            task = self._random.choice(node.tasks)
            task.is_slow = task.is_slow if task.is_slow is not None else self._random.random() < self._slow
            if not task.is_slow or self._random.random() < SLOW_STEPS:
                for _ in range(self._random.choice((1, 1, 2, 10))):
                    self._step(node, task)

    def lose(self) -> None:
        """An answer is lost, and perhaps what was asked still happens."""
        node = self._any(lambda node: bool(node.tasks))
        if node is not None:
            task = self._random.choice(node.tasks)
            if task.point is not None and task.on_session and not task.point.done:
                self._strays.append(task.point.effect)
            node.step(task, deliver=False)

    def stray(self) -> None:
        """Something happens that nobody waits for any more."""
        if self._strays:
            self._strays.pop(self._random.randrange(len(self._strays)))()

    def call(self) -> None:
        """Calls arrive."""
        node = self._any(lambda node: node.has_lease)
        if node is not None:
            node.begin_call(self._random.choice(KEYS))

    def renew(self) -> None:
        """A renewal begins."""
        self._do(Node.begin_renewal)

    def round(self) -> None:
        """A round begins."""
        self._do(Node.begin_round, lambda node: bool(node.settling.waiting))

    def apply(self) -> None:
        """A message arrives."""
        self._do(Node.begin_apply)

    def expire(self) -> None:
        """A tick."""
        self._do(Node.expire)

    def tick(self) -> None:
        """All nodes that run see to what waits."""
        for node in self.nodes:
            if not node.is_paused:
                node.expire()

    def connect(self) -> None:
        """A session is opened."""
        self._do(Node.connect, lambda node: node.is_lost)

    def change(self) -> None:
        """Something is changed."""
        self._do(lambda node: node.begin_change(self._random.choice(TOUCHED)))

    def again(self) -> None:
        """Something is asked for again."""
        self._do(Node.begin_same_again)

    def prune(self) -> None:
        """Old changes are forgotten."""
        self.database.prune(self._random.randrange(3))

    def pass_time(self) -> None:
        """Time passes."""
        self.database.time += self._hurry * self._random.choice((0.1, 1, 1, 1, 5, 20))

    def pause(self) -> None:
        """A node stops for a while, or goes on."""
        node = self._random.choice(self.nodes)
        node.is_paused = not node.is_paused and self._random.random() < PAUSED

    def crash(self) -> None:
        """A node ends, and another one begins."""
        place = self._random.randrange(len(self.nodes))
        node = self.nodes[place]
        node.crash()
        self.nodes[place] = self._new(node.has_lease, node.terms)

    def fork(self) -> None:
        """A node forks; where there are many, a child ends."""
        node = self._any(lambda node: node.has_lease)
        if node is not None:
            if len(self.nodes) == NODES_MAX:
                self.nodes.pop().crash()
            self.nodes.append(node.fork())

    def fail_over(self) -> None:
        """The server fails. Where the next one lacks something, it begins when no lease of the old one can last."""
        lost = self._random.choice((0, 1, 2))
        for node in self.nodes:
            node.lose_session()
            for task in list(node.tasks):
                node.step(task, deliver=False)
        self._strays.clear()
        if lost:
            self.database.time += over_after(TERMS.lease_seconds_max) / min(RATES)
            self.database.fail_over(lost)

    def _new(self, has_lease: bool, terms: Terms) -> Node:
        return Node(self.database, self._parts, self._random.choice(RATES), self._pick, has_lease, terms)

    def _pick(self, newest: int) -> int:
        return self._random.randint(max(0, newest - 3), newest) if self._random.random() < self.behind else newest

    def _any(self, fits: Callable[[Node], bool]) -> Node | None:
        fitting = [node for node in self.nodes if not node.is_paused and fits(node)]
        return self._random.choice(fitting) if fitting else None

    def _do(self, act: Callable[[Node], None], fits: Callable[[Node], bool] = lambda _node: True) -> None:
        node = self._any(fits)
        if node is not None:
            act(node)

    def _step(self, node: Node, task: Task) -> None:
        point = task.point
        if point is not None:
            if not point.done:
                point.happen()
            else:
                node.step(task, deliver=True)
