"""Looking for secrets where they must not stand: in files as they lie on the disk, in databases as they are read, in what was printed."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

RANDOM_PLACES = 30


def random_part(secret: str) -> str:
    """Return the places of a secret that nobody can guess, without prefix and checksum."""
    return secret[secret.rfind("_") + 1 :][:RANDOM_PLACES]


def traces(secret: str) -> Iterator[bytes]:
    """What betrays a secret: its random part, which is in the whole of it too, and the whole of it as Basic credentials write it."""
    yield random_part(secret).encode()
    yield b64encode(secret.encode()).rstrip(b"=")


def found_in(text: bytes, secrets: Iterable[str]) -> list[str]:
    """Return the heads of those secrets that stand in a text."""
    return [secret[:-RANDOM_PLACES] + "…" for secret in secrets if any(trace in text for trace in traces(secret))]


def found_below(folder: Path, secrets: Iterable[str]) -> dict[str, list[str]]:
    """Return which secrets stand in which files below a folder, byte by byte; and, of SQLite's files, value by value."""
    secrets = list(secrets)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            # First the bytes: reading a database the other way would tidy up its write-ahead log.
            found[name] = found_in(path.read_bytes(), secrets)
    for path in sorted(folder.rglob("*.db")):
        found[f"{path.relative_to(folder)}, read"] = found_in(_dump(path), secrets)
    return {name: heads for name, heads in found.items() if heads}


def _dump(path: Path) -> bytes:
    """All values of all tables: in the file, a long one may lie in pieces."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = [row for (name,) in names for row in connection.execute(f'SELECT * FROM "{name.decode()}"')]
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
