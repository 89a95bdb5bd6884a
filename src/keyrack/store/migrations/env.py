"""What Alembic loads to run the scripts: on the connection that `migrate` has opened, inside its transaction."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import Connection, MetaData

from keyrack.store.migrations import VERSION_TABLE, version_schema
from keyrack.store.tables import NAMING

connection: Connection = context.config.attributes["connection"]
ran: list[str] = context.config.attributes["ran"]


def note(ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]) -> None:
    """Note the script that ran. Alembic passes all four by name."""
    script = step.up_revision
    assert isinstance(script, Script)
    ran.append(Path(script.path).stem)


context.configure(
    connection=connection,
    target_metadata=MetaData(naming_convention=NAMING),
    version_table=VERSION_TABLE,
    version_table_schema=version_schema(connection.dialect.name),
    transactional_ddl=True,
    on_version_apply=note,
)
with context.begin_transaction():
    context.run_migrations()
