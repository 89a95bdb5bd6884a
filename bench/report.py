"""The figures as tables that people read."""

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Machine
from bench.in_process import TARGET_US, InProcess
from bench.memory import Memory
from bench.over_http import OverHttp, Served

MET, MISSED = "[green]met[/]", "[red]missed[/]"


def machine(console: Console, here: Machine) -> None:
    """Say where it was measured."""
    versions = f"Python {here.python} · uvicorn {here.uvicorn}, uvloop {here.uvloop}, FastAPI {here.fastapi}"
    console.print(f"{here.processor}, {here.cores} cores · {versions} · load {here.load_before:.1f} before, {here.load_after:.1f} after")
    console.print("Medians of many short rounds, ± how far the quartiles lie; one core for what is measured, one for what drives it.\n")


def in_process(console: Console, found: InProcess, steps: dict[str, float]) -> None:
    """Print µs per call, then where they go."""
    table = _table("The gate in process, warm: µs per call", "", "app alone", "gate adds", "· with commits")
    table.add_row("one by one: each asks the file", *_three(found.one_by_one_app, found.one_by_one_gate, found.one_by_one_commits))
    table.add_row("32 in a turn, sharing the answer", *_three(found.in_turns_app, found.in_turns_gate, found.in_turns_commits))
    console.print(table)
    reached = MET if found.one_by_one_gate.median <= TARGET_US else MISSED
    console.print(
        f"Target: at most {TARGET_US:.0f} µs, one by one: {reached}. Not warm: {found.first_call.text(0)} µs for the first call of a key."
    )
    console.print(f"Later, in the background: {found.log_moving.text()} µs per call for moving its line into the store.\n")
    table = _table("Where they go: each step in a loop of its own", "step", "µs")
    for name, micros in steps.items():
        table.add_row(name, f"{micros:.2f}")
    console.print(table, "")


def over_http(console: Console, found: OverHttp) -> None:
    """Print answers per second and processor time per answer, then the ratios."""
    table = _served("Over HTTP, 32 connections: answers/s, processor time, and how busy each side kept its core", "")
    for name, served in found.served.items():
        table.add_row(name, *_columns(served))
    console.print(table)
    table = _table("Behind the gate ÷ the same app without it, round by round", "", "by answers/s", "by CPU", "target", "")
    for ratio in found.ratios:
        name = ratio.bare + (" · with commits" if ratio.with_commits else "")
        reached = MET if ratio.by_rate.median >= ratio.target else MISSED
        table.add_row(name, ratio.by_rate.text(2), ratio.by_cpu.text(2), f"≥ {ratio.target:.2f}", "" if ratio.with_commits else reached)
    console.print(table)
    table = _served("Is the generator the limit? The raw app with other numbers of connections", "connections")
    for count, served in found.raw_by_connections.items():
        table.add_row(str(count), *_columns(served))
    console.print(table, "")


def memory(console: Console, found: Memory) -> None:
    """Print resident memory."""
    table = _table(f"Memory with {found.keys_stored:,} keys stored", "", "MiB")
    table.add_row("Python with all imports", f"{found.imported_mib:.0f}")
    table.add_row("started, one key called", f"{found.started_mib:.0f}")
    table.add_row(f"{found.keys_cached:,} keys cached ({found.bytes_per_cached_key:,.0f} bytes each)", f"{found.cached_mib:.0f}")
    console.print(table, "")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _served(title: str, first: str) -> Table:
    return _table(title, first, "answers/s", "µs of CPU each", "of its mover", "server", "generator")


def _columns(served: Served) -> tuple[str, ...]:
    cpu = served.cpu_us.text(), served.mover_us.text()
    return served.per_second.text(0), *cpu, f"{served.server_busy.median:.0%}", f"{served.generator_busy.median:.0%}"


def _three(app: Figure, gate: Figure, commits: Figure) -> tuple[str, str, str]:
    return app.text(2), gate.text(), commits.text()
