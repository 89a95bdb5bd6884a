"""Requests per second over real HTTP: each app on uvicorn on one core, the load generator on another.

Variants take turns, so that whatever else the machine does meets all of them. A gated server is first brought to its stride, so that its
log is being moved while it is measured, and then left alone until the last line is in the store: its processor time per answer holds all
of that, however late it was spent.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench.commits import committing
from bench.figures import Figure
from bench.hosts import BODY, HOSTS, PATH
from bench.load import Generator, requests
from bench.servers import Server, running
from bench.stock import Stock

CONNECTIONS = 32
PAIRS = {"raw behind the gate": ("raw", 0.60), "FastAPI behind the gate": ("FastAPI", 0.85)}
IDLE_SHARE = 0.05
IDLE_SECONDS = 0.4
DRAIN_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Plan:
    """How long: rounds, seconds of each, and seconds in which a server gets into its stride. `keys` are called in turn."""

    rounds: int
    seconds: float
    stride_seconds: float
    keys: int


@dataclass(frozen=True)
class Served:
    """What one server did: answers per second, processor time per answer in µs (its own, its mover's), and how busy both sides were."""

    per_second: Figure
    cpu_us: Figure
    mover_us: Figure
    server_busy: Figure
    generator_busy: Figure


@dataclass(frozen=True)
class Ratio:
    """How an app behind the gate compares with the same app without, round by round: by answers per second, by processor time."""

    gated: str
    bare: str
    with_commits: bool
    target: float
    by_rate: Figure
    by_cpu: Figure


@dataclass(frozen=True)
class OverHttp:
    """All of it. `served` is by variant; `raw_by_connections` shows that neither the generator nor its settings are the limit."""

    served: dict[str, Served]
    ratios: list[Ratio]
    raw_by_connections: dict[int, Served]


@dataclass
class _Samples:
    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    mover_us: list[float] = field(default_factory=list)
    server_busy: list[float] = field(default_factory=list)
    generator_busy: list[float] = field(default_factory=list)

    def served(self) -> Served:
        all_of_them = (self.per_second, self.cpu_us, self.mover_us, self.server_busy, self.generator_busy)
        return Served(*map(Figure.of, all_of_them))


@dataclass(frozen=True)
class _Variant:
    server: Server
    folder: Path
    generator: Generator
    commits: bool
    samples: _Samples = field(default_factory=_Samples)

    @property
    def name(self) -> str:
        return self.server.name + (" · with commits" if self.commits else "")


def measure(stock: Stock, scratch: Path, server_core: int, own_core: int, plan: Plan) -> OverHttp:
    """Start all servers and measure them in turn."""
    with ExitStack() as stack:
        variants = []
        for name in HOSTS:
            own = stock.copy(scratch / name.replace(" ", "-"))
            server = stack.enter_context(running(name, own.folder, server_core))
            generator = stack.enter_context(_generator(server, stock, plan.keys, CONNECTIONS))
            variants.append(_Variant(server, own.folder, generator, commits=False))
            if name in PAIRS:
                _warm(variants[-1], plan.keys)
                variants.append(_Variant(server, own.folder, generator, commits=True))
        for number in range(plan.rounds):
            for variant in variants if number % 2 else variants[::-1]:
                _round(variant, plan, own_core)
        raw_server = next(variant.server for variant in variants if variant.name == "raw")
        by_connections = {count: _raw(raw_server, stock, plan, count) for count in (8, 16, 32, 64, 128)}
    return OverHttp({v.name: v.samples.served() for v in variants}, list(_ratios(variants)), by_connections)


@contextmanager
def _generator(server: Server, stock: Stock, key_count: int, connections: int) -> Iterator[Generator]:
    generator = Generator(server.port, connections, requests(PATH, stock.secrets[:key_count]), BODY)
    try:
        yield generator
    finally:
        generator.close()


def _warm(variant: _Variant, key_count: int) -> None:
    """Call until every key has been: what is measured is a server that knows them."""
    answers = 0
    while answers < key_count + CONNECTIONS:
        answers += variant.generator.run(0.25).answers
    _settle(variant.server)


def _round(variant: _Variant, plan: Plan, own_core: int) -> None:
    beside = committing(variant.folder, own_core) if variant.commits else nullcontext()
    with beside:
        cpu, moved = variant.server.cpu_seconds, variant.server.mover_cpu_seconds
        answers = variant.generator.run(plan.stride_seconds).answers
        answers += _measure(variant.server, variant.generator, plan.seconds, variant.samples)
    if variant.server.name in PAIRS:
        _settle(variant.server)
    variant.samples.cpu_us.append((variant.server.cpu_seconds - cpu) / answers * 1e6)
    # A mover that ended in between takes its time with it.
    variant.samples.mover_us.append(max(variant.server.mover_cpu_seconds - moved, 0.0) / answers * 1e6)


def _measure(server: Server, generator: Generator, seconds: float, samples: _Samples) -> int:
    cpu, own = server.cpu_seconds, time.process_time()
    load = generator.run(seconds)
    samples.per_second.append(load.answers / load.seconds)
    samples.server_busy.append((server.cpu_seconds - cpu) / load.seconds)
    samples.generator_busy.append((time.process_time() - own) / load.seconds)
    return load.answers


def _settle(server: Server) -> None:
    """Wait until the server has nothing left to do."""
    end = time.monotonic() + DRAIN_SECONDS_MAX
    quiet_since = time.monotonic()
    while time.monotonic() < end and time.monotonic() - quiet_since < 1.0 + IDLE_SECONDS:
        before = server.cpu_seconds + server.mover_cpu_seconds
        time.sleep(IDLE_SECONDS / 4)
        if server.cpu_seconds + server.mover_cpu_seconds - before > IDLE_SHARE * IDLE_SECONDS / 4:
            quiet_since = time.monotonic()


def _raw(server: Server, stock: Stock, plan: Plan, connections: int) -> Served:
    samples = _Samples()
    with _generator(server, stock, plan.keys, connections) as generator:
        for _ in range(max(1, plan.rounds // 2)):
            cpu = server.cpu_seconds
            answers = _measure(server, generator, plan.seconds, samples)
            samples.cpu_us.append((server.cpu_seconds - cpu) / answers * 1e6)
            samples.mover_us.append(0.0)
    return samples.served()


def _ratios(variants: list[_Variant]) -> Iterator[Ratio]:
    found = {variant.name: variant for variant in variants}
    for variant in variants:
        if variant.server.name in PAIRS:
            bare_name, target = PAIRS[variant.server.name]
            own, bare = variant.samples, found[bare_name].samples
            rates = [mine / theirs for mine, theirs in zip(own.per_second, bare.per_second, strict=True)]
            costs = [theirs / mine for mine, theirs in zip(own.cpu_us, bare.cpu_us, strict=True)]
            yield Ratio(variant.server.name, bare_name, variant.commits, target, Figure.of(rates), Figure.of(costs))
