"""`keyrack doctor`: whether everything that a server stands on is as it must be. It looks, and changes nothing."""

import asyncio
import os
import platform
import shutil
import sqlite3
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import typer
from libvalkey import pack_command
from sqlalchemy import func, select

from keyrack.cli import hosts
from keyrack.cli.failures import explain
from keyrack.cli.options import App, Data, Json
from keyrack.cli.printing import print_json, print_table
from keyrack.settings import Settings
from keyrack.store import migrations
from keyrack.store.database import Store
from keyrack.volatile.wire import OPEN_SECONDS_MAX, Away, Wire

OK, WARNING, ERROR = "ok", "warning", "error"
SQLITE_OLDEST = (3, 35, 0)  # the first with RETURNING
PACKAGES = ("fastapi", "starlette", "sqlalchemy", "uvicorn")
# More than a file system rounds times by, less than anybody sets a clock back by hand.
CLOCK_SECONDS_MAX = 5.0
EARLIEST_TIME = 1_735_689_600  # 2025-01-01: no clock that runs is behind this program's first year
SEGMENTS_NEEDED, SEGMENTS_WISHED = 2, 20


class Finding(NamedTuple):
    """One thing that was looked at: its state (ok, warning, error), and what there is to know or to do."""

    name: str
    state: str
    detail: str


def doctor(app: App = None, data: Data = None, as_json: Json = False) -> None:
    """Look for what is wrong, and say how to mend it.

    Looks at versions, settings, data folder, database, Valkey, clock, spool and signing keys, and changes nothing of yours. Ends with 1
    for an error.
    """
    findings = asyncio.run(_examine(hosts.settings_for(app, data)))
    sound = all(finding.state != ERROR for finding in findings)
    if as_json:
        print_json({"ok": sound, "checks": [finding._asdict() for finding in findings]})
    else:
        print_table(("", "CHECK", "FOUND"), [(finding.state.upper(), finding.name, finding.detail) for finding in findings], "")
    if not sound:
        raise typer.Exit(1)


async def _examine(settings: Settings) -> list[Finding]:
    local: list[Callable[[Settings], Finding]] = [_versions, _variables, _folder, _clock, _spool, _signing_keys, _addresses, _telemetry]
    return [*(check(settings) for check in local), *[finding async for finding in _database(settings)], await _valkey(settings)]


def _versions(_settings: Settings) -> Finding:
    others = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    found = f"Keyrack {version('keyrack')}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {others}"
    if sqlite3.sqlite_version_info < SQLITE_OLDEST:
        return Finding("versions", ERROR, f"{found}. SQLite {'.'.join(map(str, SQLITE_OLDEST))} or newer is needed: use a newer Python.")
    return Finding("versions", OK, found)


def _variables(_settings: Settings) -> Finding:
    known = {f"KEYRACK_{name.upper()}" for name in Settings.model_fields} | {"KEYRACK_APP"}
    unknown = sorted(name for name in os.environ if name.startswith("KEYRACK_") and name.upper() not in known)
    if unknown:
        return Finding("settings", WARNING, f"{', '.join(unknown)}: no setting has this name, so it does nothing. Is it misspelt?")
    return Finding("settings", OK, "every KEYRACK_… variable of the environment is a setting")


def _folder(settings: Settings) -> Finding:
    folder = settings.data.absolute()
    if not folder.is_dir():
        return Finding("data folder", ERROR, f"{folder} does not exist: name another with --data, or run keyrack migrate --data {folder}")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding("data folder", ERROR, f"{folder} may not be written by this user: change its owner, or name another.")
    if folder.stat().st_mode & stat.S_IWOTH:
        return Finding("data folder", WARNING, f"everybody on this machine may write {folder}: chmod o-rwx {folder}")
    return Finding("data folder", OK, str(folder))


def _clock(settings: Settings) -> Finding:
    now = time.time()
    newest = max((path.stat().st_mtime for path in _data_files(settings)), default=0.0)
    if now < EARLIEST_TIME:
        return Finding("clock", ERROR, f"it says {time.strftime('%Y-%m-%d', time.gmtime(now))}: set it, and keep it right with NTP.")
    if newest > now + CLOCK_SECONDS_MAX:
        return Finding("clock", ERROR, f"the data was written {newest - now:.0f} s in its future, so it went back: set it, and use NTP.")
    return Finding("clock", OK, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now))}, not behind the data")


def _spool(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.data.absolute())).free
    waiting = [path.stat().st_size for path in (settings.data / "spool").glob("*.spool")]
    found = f"{_mebibytes(free)} free for the request log; {len(waiting)} segments ({_mebibytes(sum(waiting))}) are in use"
    if free < SEGMENTS_NEEDED * settings.spool_segment_bytes:
        return Finding("spool", ERROR, f"{found}. Calls are refused when no segment can be made: free some space.")
    if free < SEGMENTS_WISHED * settings.spool_segment_bytes:
        return Finding("spool", WARNING, f"{found}: that is little, free some space.")
    return Finding("spool", OK, found)


def _signing_keys(settings: Settings) -> Finding:
    if settings.secrets:
        return Finding("signing keys", OK, f"{len(settings.secrets)} from KEYRACK_SECRETS; the first one signs")
    path = settings.data / "secret.key"
    if not path.exists():
        return Finding("signing keys", WARNING, f"{path} is made when a server first starts")
    state = path.stat()
    if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("signing keys", ERROR, f"others may read {path}, with which lists and forms are signed: chmod 600 {path}")
    if not os.access(path, os.R_OK):
        return Finding("signing keys", ERROR, f"this user may not read {path}: run the server as the user who owns it.")
    return Finding("signing keys", OK, f"{path}, for its owner alone")


def _addresses(settings: Settings) -> Finding:
    base = settings.base_url or "each call's own Host header (set KEYRACK_BASE_URL behind a proxy)"
    proxies = ", ".join(settings.trusted_proxies) or "none: a client's address is its peer's"
    found = f"links begin with {base}; trusted proxies: {proxies}"
    if not settings.trusted_proxies and (settings.base_url or "").startswith("https://"):
        # This program speaks no TLS, so something in front of it does.
        advice = "name what answers HTTPS in front in KEYRACK_TRUSTED_PROXIES, or all calls seem to come from there."
        return Finding("addresses", WARNING, f"{found}. {advice}")
    return Finding("addresses", OK, found)


def _telemetry(settings: Settings) -> Finding:
    metrics = (
        f"/metrics for whoever has the token of {len(settings.metrics_token.get_secret_value())} places"
        if settings.metrics_token
        else "no metrics"
    )
    traces = f"{settings.traces_ratio:.0%} of the traces to {settings.traces_url}" if settings.traces_url else "no traces"
    return Finding("telemetry", OK, f"{metrics}; {traces}; log as {settings.log_format}")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    if settings.store_path is not None and not settings.store_path.is_file():
        yield Finding("database", ERROR, "there is none yet: make it with keyrack migrate")
        return
    store = Store(settings.store_url, settings.traffic_url)
    try:
        await store.check()
        kind = "SQLite, on a local file system, with its write-ahead log" if store.dialect == "sqlite" else "PostgreSQL"
        yield Finding("database", OK, f"{kind}: it answers")
        yield await _schema(settings)
        if store.dialect != "sqlite":
            yield await _database_clock(store)
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        yield Finding("database", ERROR, message)
    finally:
        await store.close()


async def _schema(settings: Settings) -> Finding:
    missing = await migrations.pending(settings.store_url, settings.traffic_url)
    before = [name for name in missing if not migrations.is_post(name)]
    if before:
        return Finding("migrations", ERROR, f"{', '.join(before)} did not run yet: keyrack migrate")
    if missing:
        return Finding("migrations", WARNING, f"{', '.join(missing)}: keyrack migrate --post, once no process runs an older version")
    return Finding("migrations", OK, "the tables are those of this version")


async def _database_clock(store: Store) -> Finding:
    async with store.reading() as c:
        row = await c.first(select(func.extract("epoch", func.clock_timestamp()).label("seconds")))
    apart = abs(time.time() - float(row.seconds)) if row else 0.0
    if apart > CLOCK_SECONDS_MAX:
        return Finding("database clock", WARNING, f"it is {apart:.0f} s from this machine's: keep both right with NTP.")
    return Finding("database clock", OK, "agrees with this machine's")


async def _valkey(settings: Settings) -> Finding:
    if settings.valkey_url is None:
        return Finding("valkey", OK, "none: limits are counted on each machine by itself (several machines need KEYRACK_VALKEY_URL)")
    try:
        connection = await Wire(settings.valkey_url.get_secret_value(), OPEN_SECONDS_MAX).open()
        told = await connection.ask(pack_command(("INFO",)))
        connection.close("looked at")
    except (Away, ValueError) as away:
        return Finding("valkey", ERROR, f"it is away ({away}), so each process admits its share of every limit. Start it, or mend the URL.")
    if not isinstance(told, bytes):
        return Finding("valkey", WARNING, f"it answers and can be written, but does not say how it is set up ({told}): allow INFO.")
    facts = dict(line.split(":", 1) for line in told.decode(errors="replace").splitlines() if ":" in line)
    found = f"it answers and can be written: version {facts.get('valkey_version', facts.get('redis_version', 'unknown'))}"
    if facts.get("cluster_enabled") == "1":
        return Finding("valkey", ERROR, f"{found}. It is part of a cluster, whose redirections are not followed: name a single primary.")
    if facts.get("maxmemory", "0") != "0" and facts.get("maxmemory_policy") != "noeviction":
        return Finding("valkey", WARNING, f"{found}. It forgets counts when its memory is full: set maxmemory-policy to noeviction.")
    apart = abs(time.time() - int(facts.get("server_time_usec", time.time_ns() // 1000)) / 1e6)
    if apart > CLOCK_SECONDS_MAX:
        return Finding("valkey", WARNING, f"{found}. Its clock, by which limits go, is {apart:.0f} s from this machine's: use NTP.")
    return Finding("valkey", OK, found)


def _data_files(settings: Settings) -> Iterator[Path]:
    for pattern in ("*.db", "*.db-wal", "secret.key"):
        yield from settings.data.glob(pattern)


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


def _mebibytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MiB"
