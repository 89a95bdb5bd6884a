"""The next version of Keyrack, as far as migrations go: this one, with one more script that comes before the code, and one after it."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyrack.store import migrations
from keyrack.store.migrations import upgrade

SCRIPT = '''"""{told}. {when}: {why}."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "{revision}"
down_revision = "{before}"
branch_labels = None


def upgrade(op: Operations) -> None:
    """{told}."""
    schema = "keyrack" if op.get_bind().dialect.name == "postgresql" else None
    {statement}
'''
# sitecustomize is imported by every Python that finds it, before anything else.
CUSTOMIZE = """
from pathlib import Path

from keyrack.store import migrations

migrations.VERSIONS = Path({versions!r})
"""


class Newer:
    """A version with scripts of its own in `versions`: `pre` and `post` by name. `variables` make the `keyrack` program be it."""

    def __init__(self, folder: Path) -> None:
        self.versions = versions = folder / "versions"
        shutil.copytree(migrations.VERSIONS, versions, ignore=shutil.ignore_patterns("__pycache__"))
        scripts = sorted((versions / "main").glob("[0-9]*.py"))
        last = len(scripts)
        self.next = ""
        self.pre, self.post = f"{last + 1:04}_pre_nicknames", f"{last + 2:04}_post_fewer_indexes"
        before, pre = migrations.revision(scripts[-1]), f"main_{last + 1:04}"
        self._write(
            versions,
            self.pre,
            revision=pre,
            before=before,
            told="Keys have nicknames",
            when="pre",
            why="the code writes them",
            statement='op.add_column("keyrack_keys", Column("nickname", Text, nullable=True), schema=schema)',
        )
        self._write(
            versions,
            self.post,
            revision=f"main_{last + 2:04}_needs_{last + 2:04}",
            before=pre,
            told="Nobody looks for keys by their integration",
            when="post",
            why="older code does",
            statement='op.drop_index("ix_keyrack_keys_integration_id_created_at_id", "keyrack_keys", schema=schema)',
        )
        (folder / "sitecustomize.py").write_text(CUSTOMIZE.format(versions=str(versions)))
        self.variables = {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}

    def go_on(self) -> None:
        """Become the version after the next one: it needs a script, `next`, behind the one that comes after the code."""
        number = int(self.post.partition("_")[0])
        self.next = f"{number + 1:04}_pre_colours"
        self._write(
            self.versions,
            self.next,
            revision=f"main_{number + 1:04}_needs_{number:04}",
            before=f"main_{number:04}_needs_{number:04}",
            told="Keys have colours",
            when="pre",
            why="the code writes them",
            statement='op.add_column("keyrack_keys", Column("colour", Text, nullable=True), schema=schema)',
        )

    @contextmanager
    def imported(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let this process be that version for the length of a block."""
        with patch.context() as c:
            for module in (migrations, upgrade):
                c.setattr(module, "VERSIONS", self.versions)
            yield

    def _write(self, versions: Path, name: str, **words: str) -> None:
        (versions / "main" / f"{name}.py").write_text(SCRIPT.format(**words))
