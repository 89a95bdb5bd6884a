"""A grown installation on each database, and an empty place of the other kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyrack import Keyrack
from tests.backends import copy_files
from tests.copy.grown import LINES, Grown, grow, rack_on


@dataclass
class Road:
    """From where to where: as `keyrack copy` is told, and as settings are."""

    source: str
    target: str
    source_url: str | None
    target_url: str | None
    folder: Path

    @property
    def source_data(self) -> Path:
        """The data folder of the source."""
        return self.folder / "source"

    @property
    def target_data(self) -> Path:
        """The data folder of the target."""
        return self.folder / "target"

    def source_rack(self) -> Keyrack:
        """A rack on the source."""
        return rack_on(self.source_url, self.source_data)

    def target_rack(self) -> Keyrack:
        """A rack on the target."""
        return rack_on(self.target_url, self.target_data)

    async def grow(self, lines: int = LINES) -> Grown:
        """Fill the source."""
        return await grow(self.source_url, self.source_data, lines)


@pytest.fixture(params=["to postgresql", "to sqlite"])
def road(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Road]:
    """Both ways in turn, from a migrated source to nothing."""
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
    server = request.getfixturevalue("postgresql_server")
    if request.param == "to postgresql":
        copy_files(request.getfixturevalue("migrated_files"), tmp_path / "source")
        with server.database() as url:
            yield Road(str(tmp_path / "source"), url, None, url, tmp_path)
    else:
        with server.database(migrated=True) as url:
            yield Road(url, str(tmp_path / "target"), url, None, tmp_path)
