"""The databases that every promise of the store is kept on."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

NAMES = ("keyrack.db", "traffic.db")


@dataclass(frozen=True)
class Backend:
    """A database of a test's own. `traffic_url` is None where requests are logged into the same one."""

    dialect: str
    url: str
    traffic_url: str | None

    @classmethod
    def in_folder(cls, folder: Path) -> "Backend":
        """Return the pair of files that Keyrack keeps in a data folder."""
        url, traffic_url = (f"sqlite+aiosqlite:///{folder / name}" for name in NAMES)
        return cls("sqlite", url, traffic_url)


def copy_files(migrated: Path, folder: Path) -> None:
    """Put migrated files into a data folder, as if Keyrack had made them there."""
    for name in NAMES:
        copyfile(migrated / name, folder / name)
