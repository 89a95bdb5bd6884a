"""How the scripts run: Alembic, given everything by hand.

Its command and `env.py` go through `alembic.context` and `alembic.op`, of which a process has one each: two racks that start at once,
or a host whose own Alembic is running, would take each other's. So each script is given its operations.
"""

from collections.abc import Mapping
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from keyrack.store.migrations import MAIN, TRAFFIC, VERSION_TABLE, VERSIONS, version_schema
from keyrack.store.tables import NAMING


def upgrade(connection: Connection, revisions: Mapping[str, str]) -> None:
    """Bring each branch to its revision, in the connection's transaction."""
    scripts = ScriptDirectory(VERSIONS.parent, version_locations=[VERSIONS / branch for branch in (MAIN, TRAFFIC)])
    for branch, revision in revisions.items():
        _upgrade(connection, scripts, branch, revision)


def _upgrade(connection: Connection, scripts: ScriptDirectory, branch: str, revision: str) -> None:
    def missing(heads: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        # The other branch may be ahead of this code.
        own = tuple(head for head in heads if head.startswith(f"{branch}_"))
        newest_first = list(scripts.iterate_revisions(revision, own, implicit_base=True))
        return [MigrationStep.upgrade_from_script(scripts.revision_map, script) for script in reversed(newest_first)]

    options: dict[str, Any] = {
        "fn": missing,
        "target_metadata": MetaData(naming_convention=NAMING),
        "version_table": VERSION_TABLE,
        "version_table_schema": version_schema(connection.dialect.name),
        "transactional_ddl": True,
    }
    context = MigrationContext.configure(connection, opts=options)
    context.run_migrations(op=Operations(context))
