"""Keyrack's own migrations: once, whole, and to what the tables say."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

import keyrack.store.migrations
from keyrack.model.refusals import STORE_UNAVAILABLE, Refused
from keyrack.store import changes, tables, traffic_tables
from keyrack.store.database import Store, create_engine
from keyrack.store.migrations import VERSION_TABLE, migrate, version_schema
from keyrack.store.sqlite import StoreUnusable
from tests.backends import Backend

SCRIPTS = [
    "0001_pre_first_schema",
    "0002_pre_leases",
    "0003_pre_sign_in",
    "0004_pre_replays",
    "0005_pre_sorted_lists",
    "0006_pre_docs_feedback",
    "0007_pre_versions",
    "0008_pre_places_of_sessions",
    "0009_pre_endpoints",
    "0010_pre_tokens",
    "0011_pre_connectors",
    "0012_pre_oauth",
    "0013_pre_app_tokens",
    "0014_pre_embed_keys",
    "0015_pre_endpoints_of_apps",
    "0016_pre_rights_of_invitations",
    "0001_pre_request_log",
    "0002_pre_quotas",
    "0003_pre_call_counts",
    "0004_pre_deliveries",
    "0005_pre_connector_calls",
]
MIGRATE = """
import asyncio, json, sys
from keyrack.store.migrations import migrate

print(json.dumps(asyncio.run(migrate(*json.loads(sys.argv[1])))))
"""


async def test_every_script_runs_once(backend: Backend) -> None:
    assert await migrate(backend.url, backend.traffic_url) == SCRIPTS
    assert await migrate(backend.url, backend.traffic_url) == []


async def test_the_scripts_make_exactly_what_the_tables_say(backend: Backend) -> None:
    await migrate(backend.url, backend.traffic_url)
    assert await _differences(backend.url, _metadata(backend)) == []
    if backend.traffic_url is not None:
        assert await _differences(backend.traffic_url, tables.without_schema(traffic_tables.metadata)) == []


async def test_a_difference_between_scripts_and_tables_would_be_found(backend: Backend) -> None:
    await migrate(backend.url, backend.traffic_url)
    engine = create_engine(backend.url)
    async with engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {_named(backend, 'keyrack_keys')} ADD COLUMN unknown TEXT"))
    await engine.dispose()
    assert [difference[0] for difference in await _differences(backend.url, _metadata(backend))] == ["remove_column"]


async def test_a_new_store_begins_at_revision_zero(backend: Backend) -> None:
    await migrate(backend.url, backend.traffic_url)
    store = Store(backend.url, backend.traffic_url)
    async with store.reading() as c:
        assert await changes.above(c, 0) == changes.Changes(0, frozenset(), complete=True)
    await store.close()


async def test_a_store_of_a_newer_keyrack_is_left_alone(backend: Backend) -> None:
    await migrate(backend.url, backend.traffic_url)
    engine = create_engine(backend.url)
    async with engine.begin() as connection:
        newer = "SET version_num = 'main_9999_needs_9999' WHERE version_num LIKE 'main_%'"
        await connection.execute(text(f"UPDATE {_named(backend, VERSION_TABLE)} {newer}"))
    await engine.dispose()
    with pytest.raises(StoreUnusable, match="A newer Keyrack has migrated this store"):
        await migrate(backend.url, backend.traffic_url)


async def test_a_migration_that_fails_leaves_nothing(backend: Backend) -> None:
    # A table that a script wants to make is in its way.
    engine = create_engine(backend.url)
    async with engine.begin() as connection:
        if backend.dialect == "postgresql":
            await connection.execute(text("CREATE SCHEMA keyrack"))
        await connection.execute(text(f"CREATE TABLE {_named(backend, 'keyrack_changes')} (id TEXT)"))
    with pytest.raises(Exception, match="already exists"):
        await migrate(backend.url, backend.traffic_url)
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP TABLE {_named(backend, 'keyrack_changes')}"))
    await engine.dispose()
    assert await migrate(backend.url, backend.traffic_url) == SCRIPTS


async def test_a_database_that_does_not_answer_is_a_refusal(backend: Backend, tmp_path: Path) -> None:
    if backend.dialect == "sqlite":
        with pytest.raises(StoreUnusable, match="does not exist"):
            await migrate(f"sqlite:///{tmp_path}/nowhere/keyrack.db")
    else:
        with pytest.raises(Refused) as refused:
            await migrate(backend.url.replace("host=", "host=/nowhere"))
        assert refused.value.refusal is STORE_UNAVAILABLE


async def test_any_folder_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "100% of it, & more"
    folder.mkdir()
    assert await migrate(f"sqlite:///{folder}/keyrack.db") == SCRIPTS


def test_every_script_says_whether_it_comes_before_or_after_the_code() -> None:
    folder = Path(keyrack.store.migrations.__file__ or "").parent / "versions"
    scripts = [path for path in folder.rglob("*.py") if path.name != "__init__.py"]
    for script in scripts:
        number, when = script.stem.split("_")[:2]
        assert number.isdigit()
        assert when in ("pre", "post")
        assert f" {when}: " in script.read_text().partition("\n")[0]
    assert sorted(script.stem for script in scripts) == sorted(SCRIPTS)


def _metadata(backend: Backend) -> MetaData:
    """What the tables say of the first database, whole."""
    if backend.traffic_url is not None:
        return tables.without_schema(tables.metadata)
    both = MetaData(schema=tables.SCHEMA, naming_convention=tables.NAMING)
    for table in (*tables.metadata.sorted_tables, *traffic_tables.metadata.sorted_tables):
        table.to_metadata(both)
    return both


async def _differences(url: str, metadata: MetaData) -> list[Any]:
    """What Alembic would write into a next migration."""

    def compare(connection: Connection) -> list[Any]:
        schema = version_schema(connection.dialect.name)
        options = {
            "version_table": VERSION_TABLE,
            "version_table_schema": schema,
            "include_schemas": schema is not None,
            "compare_type": True,
            "compare_server_default": True,
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    engine = create_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


def _named(backend: Backend, table: str) -> str:
    return table if backend.dialect == "sqlite" else f"keyrack.{table}"
