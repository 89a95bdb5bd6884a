"""`keyrack copy`: move an installation into another database, verified."""

import asyncio
import time
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from keyrack.cli.failures import Failed
from keyrack.cli.options import Json
from keyrack.cli.printing import print_json, print_lines
from keyrack.settings import Settings
from keyrack.store import copying
from keyrack.store.copying import Copied
from keyrack.store.copying.places import Place
from keyrack.store.database import Store
from keyrack.store.spool import Spool
from keyrack.work import request_logs

DOING = {copying.COPY: "Copying", copying.VERIFY: "Verifying"}
MOVES_MAX = 10_000


def copy(
    source: Annotated[str, typer.Option("--from", metavar="URL|FOLDER", help="The installation: a data folder, or a database's URL.")],
    target: Annotated[str, typer.Option("--to", metavar="URL|FOLDER", help="Where to: an empty PostgreSQL database, or a new folder.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", file_okay=False, help="The data folder of an SQLite file that stands apart from it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Move an installation into another database, and verify it.

    Stop every process of the source first: it is held while it is copied. A copy that was ended goes on when the
    same command is run again. Passwords are best left out of URLs: PGPASSWORD and ~/.pgpass are read.
    """
    places = Place.named(source, data), Place.named(target)
    started = time.monotonic()
    with _Bar(shows=not as_json) as bar:
        copied = asyncio.run(_copy(*places, bar))
    _tell(*places, copied, time.monotonic() - started, as_json)


async def _copy(source: Place, target: Place, bar: "_Bar") -> Copied:
    await copying.check(source, target)
    if source.folder is not None:
        await _move_log(source, source.folder / "spool")
    return await copying.copy(source, target, bar.tell)


async def _move_log(source: Place, folder: Path) -> None:
    """Move the log lines that are still in the spool of the source into its log, as its next start would. Raises Failed."""
    if not _segments(folder):
        return
    store = Store(source.url, source.traffic_url, copying.PATIENCE_SECONDS)
    spool = Spool(folder, Settings.model_fields["spool_segment_bytes"].default)
    mover = request_logs.Mover(store, spool)
    try:
        for _ in range(MOVES_MAX):
            if not await mover.move():
                break
    finally:
        spool.close()
        await store.close()
    if left := _segments(folder):
        raise Failed(f"Log lines in {folder} cannot be moved, as a process or another version holds them ({left[0]}): stop it first.")


def _segments(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.spool"))


def _tell(source: Place, target: Place, copied: Copied, seconds: float, as_json: bool) -> None:
    rows = sum(each.rows for each in copied.tables.values())
    key = source.folder / "secret.key" if source.folder is not None else None
    has_key = key is not None and key.is_file()
    if as_json:
        tables = [{"name": name, "rows": each.rows, "digest": f"{each.digest:032x}"} for name, each in copied.tables.items()]
        told = {"from": str(source), "to": str(target), "rows": rows, "resumed_rows": copied.resumed_rows, "seconds": round(seconds, 3)}
        print_json(told | {"tables": tables, "host_tables": copied.host_tables, "signing_key": str(key) if has_key else None})
        return
    own = f"Not copied, because they are the host's own: {', '.join(copied.host_tables)}." if copied.host_tables else None
    lines = [
        f"Copied {rows:,} rows in {len(copied.tables)} tables to {target}, and verified each on both sides.",
        own,
        f"Take along {key}: give each node a copy in its data folder, or its content in KEYRACK_SECRETS." if has_key else None,
        "Give each node the secrets that KEYRACK_SECRETS names now." if not has_key else None,
        f"Then start with {_setting(target)}. What is left of each limit begins anew. {source} is as it was: do not serve from it again.",
    ]
    print_lines(*(line for line in lines if line is not None))


def _setting(target: Place) -> str:
    return f"KEYRACK_DATA={target.folder}" if target.folder is not None else f"KEYRACK_DATABASE_URL={target}"


class _Bar:
    """Shows people how far it is, on standard error."""

    def __init__(self, *, shows: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), _Rows(), TimeRemainingColumn(compact=True))
        self._progress = Progress(*columns, console=Console(stderr=True, highlight=False, markup=False), disable=not shows)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def tell(self, doing: str, table: str, done: int, total: int) -> None:
        """Show how far one pass has come."""
        if doing not in self._tasks:
            self._tasks[doing] = self._progress.add_task(DOING[doing], total=total, completed=done)
        self._progress.update(self._tasks[doing], completed=done, description=f"{DOING[doing]} {table}")


class _Rows(ProgressColumn):
    """Rows done, of how many, and how many in a second."""

    def render(self, task: Task) -> Text:
        """Return the text of one pass."""
        rate = f", {task.finished_speed or task.speed or 0:,.0f}/s"
        return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f} rows{rate}")
