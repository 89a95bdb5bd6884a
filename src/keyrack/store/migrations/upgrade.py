"""How the scripts run: Alembic, given everything by hand.

Its command and `env.py` go through `alembic.context` and `alembic.op`, of which a process has one each: two racks that start at once,
or a host whose own Alembic is running, would take each other's. So each script is given its operations.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from keyrack.store.migrations import MAIN, TRAFFIC, VERSION_TABLE, VERSIONS, version_schema
from keyrack.store.tables import NAMING


def upgrade(connection: Connection, branches: Collection[str]) -> list[str]:
    """Bring these branches up to date in the connection's transaction, and return the scripts that ran, in order."""
    scripts = ScriptDirectory(VERSIONS.parent, version_locations=[VERSIONS / branch for branch in (MAIN, TRAFFIC)])
    return [name for branch in branches for name in _upgrade(connection, scripts, branch)]


def _upgrade(connection: Connection, scripts: ScriptDirectory, branch: str) -> list[str]:
    ran: list[str] = []

    def missing(heads: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        newest_first = list(scripts.iterate_revisions(f"{branch}@head", heads, implicit_base=True))
        ran.extend(Path(script.path).stem for script in reversed(newest_first))
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
    return ran
