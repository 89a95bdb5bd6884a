"""Keeps a copy of a workspace's customers and onboardings in a SQLite file, and draws how far they are.

    API_URL=https://my.atrium.example API_KEY=atrium_… python report.py report.db onboardings.svg

The key only reads: `customers:read` and `onboardings:read`. Run it as often as you like: each run reads what has changed since the one
before, and takes away what was deleted. A run that is stopped, at any moment, is gone on with by the next one.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from keyrack.client import Client, InvalidRequestError, KeyrackError

KINDS = {"customer": "/customers", "onboarding": "/onboardings"}
OVERLAP = timedelta(minutes=5)
PHASES = ("before_getting_started", "getting_started", "building", "testing", "launched")
SCHEMA = """
    CREATE TABLE IF NOT EXISTS objects (kind TEXT, id TEXT, data TEXT, PRIMARY KEY (kind, id));
    CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, value TEXT);
    CREATE VIEW IF NOT EXISTS customers AS
        SELECT id, data->>'name' AS name, data->>'status' AS status, data->>'created_at' AS created_at
        FROM objects WHERE kind = 'customer';
    CREATE VIEW IF NOT EXISTS onboardings AS
        SELECT id, data->>'customer_id' AS customer_id, data->>'phase' AS phase, data->>'state' AS state
        FROM objects WHERE kind = 'onboarding';
"""


class Copy:
    """The copy, and how far it has come. Whatever is stored is stored together with the place from which to go on, or not at all."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=1)
        # From the first write on the file is this program's alone: a second one beside it could bring back what this one has deleted.
        self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("COMMIT")
        self.db.executescript(SCHEMA)

    def place(self, name: str) -> str | None:
        """Return a place that was kept."""
        row = self.db.execute("SELECT value FROM progress WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def store(
        self, places: Mapping[str, str | None], kind: str = "", objects: Sequence[Mapping[str, Any]] = (), deleted: Sequence[str] = ()
    ) -> None:
        """Keep places (None forgets one), write objects over those with the same id, and take deleted ones away."""
        self.db.execute("BEGIN")
        self.db.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", [(kind, one["id"], json.dumps(one)) for one in objects])
        self.db.executemany("DELETE FROM objects WHERE id = ?", [(one,) for one in deleted])
        self.db.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?)", places.items())
        self.db.execute("DELETE FROM progress WHERE value IS NULL")
        self.db.execute("COMMIT")


def synchronize(client: Client, copy: Copy) -> None:
    """Bring the copy up to date."""
    if copy.place("events") is None:
        # Before the first list is read: what is deleted while lists are read is told behind this place.
        newest = client.events.list(limit=1).page().data
        copy.store({"events": newest[0].id if newest else ""})
    for kind in KINDS:
        read_changes(client, copy, kind)
    # After the lists: nothing that a page still showed outlives its deletion.
    read_deletions(client, copy)


def read_changes(client: Client, copy: Copy, kind: str) -> None:
    """Read all objects of a kind the first time, later those that have changed; page after page, on from where a run was stopped.

    `since` is from when on changes are asked for; it moves when a walk is complete, to the moment at which that walk began, on the
    server's clock, less an overlap for changes that were on their way then.
    """
    cursor, since = copy.place(f"{kind} cursor"), copy.place(f"{kind} since")
    order = {"sort": "created_at"} if since is None else {"sort": "updated_at", "updated_after": since}
    listing = client.list(KINDS[kind], **order, limit=100, cursor=cursor)
    try:
        for page in listing.pages():
            began = copy.place(f"{kind} began") or page.answer.headers["date"]
            copy.store({f"{kind} cursor": page.next_cursor, f"{kind} began": began}, kind, page.data)
    except InvalidRequestError as error:
        if error.param != "cursor":
            raise
        # The place is no longer one (the server's keys were replaced): what it led to is read from the beginning.
        copy.store({f"{kind} cursor": None, f"{kind} began": None})
        read_changes(client, copy, kind)
        return
    from_then = (parsedate_to_datetime(began) - OVERLAP).astimezone(UTC).isoformat()
    copy.store({f"{kind} since": from_then, f"{kind} began": None})


def read_deletions(client: Client, copy: Copy) -> None:
    """Read what happened since the last event that was read, and take away what was deleted."""
    for page in client.events.list(sort="created_at", limit=100, starting_after=copy.place("events") or None).pages():
        gone = [event.object_id for event in page.data if event.type.endswith(".deleted") and event.object_type in KINDS]
        if page.data:
            copy.store({"events": page.data[-1].id}, deleted=gone)


def counts(copy: Copy) -> dict[str, int]:
    """Count the active onboardings by phase."""
    found = dict(copy.db.execute("SELECT phase, count(*) FROM onboardings WHERE state = 'active' GROUP BY phase"))
    return {phase: found.get(phase, 0) for phase in (*PHASES, *sorted(found.keys() - set(PHASES)))}


def chart(title: str, bars: dict[str, int]) -> str:
    """Draw bars as SVG, readable on light and dark pages."""
    widest, height = max([*bars.values(), 1]), 48 + 36 * len(bars)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" role="img" font-family="sans-serif" font-size="14">',
            f"<title>{escape(title)}</title>",
            "<style>text { fill: #1a1a1a } @media (prefers-color-scheme: dark) { text { fill: #f0f0f0 } }</style>",
            f'<text x="0" y="20" font-size="18">{escape(title)}</text>',
            *_bars(bars, 400 / widest),
            "</svg>",
            "",
        ]
    )


def _bars(bars: dict[str, int], unit: float) -> Iterator[str]:
    for place, (name, count) in enumerate(bars.items()):
        top, width = 40 + 36 * place, round(count * unit)
        yield f'<text x="170" y="{top + 17}" text-anchor="end">{escape(name.replace("_", " "))}</text>'
        yield f'<rect x="180" y="{top}" width="{width}" height="24" rx="3" fill="#5b46d6"/>'
        yield f'<text x="{188 + width}" y="{top + 17}">{count}</text>'


def main() -> str | None:
    """Synchronize, draw, and say how much there is; return what went wrong."""
    if len(sys.argv) != 3 or not {"API_URL", "API_KEY"} <= os.environ.keys():
        return "Usage: API_URL=… API_KEY=… python report.py DATABASE CHART.svg"
    try:
        copy = Copy(Path(sys.argv[1]))
        with closing(copy.db), Client(os.environ["API_KEY"], base_url=os.environ["API_URL"]) as client:
            synchronize(client, copy)
            bars = counts(copy)
            (customers,) = copy.db.execute("SELECT count(*) FROM customers").fetchone()
    except KeyrackError as error:
        return f"Not everything was read; the next run goes on from here. {error}"
    except sqlite3.OperationalError as error:
        return f"{sys.argv[1]}: {error}"
    Path(sys.argv[2]).write_text(chart("Active onboardings by phase", bars), encoding="utf-8")
    print(f"{customers} customers; active onboardings: {', '.join(f'{count} {phase}' for phase, count in bars.items())}")
    return None


if __name__ == "__main__":
    sys.exit(main())
