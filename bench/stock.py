"""A data folder with many keys, as a host has them after some years: many workspaces, each with its own integrations."""

import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.hosts import rack_on
from keyrack.crypto.digest import digest
from keyrack.crypto.format import mint
from keyrack.manage import keys
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.store.ids import new_id, new_workspace_id
from keyrack.store.migrations import migrate

KEYS_PER_WORKSPACE = 100
SECRETS = "secrets.json"
Row = tuple[object, ...]


@dataclass(frozen=True)
class Stock:
    """A folder that is ready to be served, and the secrets of its keys."""

    folder: Path
    secrets: list[str]

    def copy(self, folder: Path) -> "Stock":
        """Return the same once more, for a server of its own."""
        shutil.copytree(self.folder, folder)
        return Stock(folder, self.secrets)

    @classmethod
    def of(cls, folder: Path) -> "Stock":
        """Return what `fill` left in a folder."""
        return cls(folder, msgspec.json.decode((folder / SECRETS).read_bytes(), type=list[str]))


async def fill(folder: Path, key_count: int, per_workspace: int = KEYS_PER_WORKSPACE) -> Stock:
    """Make a folder with that many keys, each of an integration of its own that may do everything, and so many to a workspace."""
    rack = rack_on(folder)
    settings = rack.settings
    await migrate(settings.store_url, settings.traffic_url)
    workspace = await rack.workspaces.create("Model", slug="model")
    owner = await rack.workspaces.operator(workspace.id)
    made = await keys.create(rack.assembly.desk, owner, name="model", rights=Rights(permissions={ALL: Level.WRITE}))
    await rack.assembly.store.close()
    path = settings.store_path
    assert path is not None
    secrets = _multiply(path, workspace.id, made.integration.id, made.key.id, key_count, per_workspace)
    (folder / SECRETS).write_bytes(msgspec.json.encode(secrets))
    return Stock(folder, secrets)


def _multiply(path: Path, workspace_id: str, integration_id: str, key_id: str, key_count: int, per_workspace: int) -> list[str]:
    """Copy the rows of one key, integration and workspace: a hundred thousand changes one by one would take minutes."""
    minted = [mint("bench") for _ in range(key_count)]
    integration_ids = [new_id() for _ in minted]
    workspace_ids = [new_workspace_id() for _ in range(-(-key_count // per_workspace))]
    workspaces = [{"id": id_, "name": f"Workspace {n}", "slug": f"workspace-{n}"} for n, id_ in enumerate(workspace_ids)]
    integrations = [
        {"id": id_, "workspace_id": workspace_ids[n // per_workspace], "name": f"Integration {n}"} for n, id_ in enumerate(integration_ids)
    ]
    keys_ = [
        {
            "id": new_id(),
            "workspace_id": workspace_ids[n // per_workspace],
            "integration_id": integration_ids[n],
            "name": f"Key {n}",
            "prefix": secret.shown_prefix,
            "digest": digest(secret.text.encode()),
        }
        for n, secret in enumerate(minted)
    ]
    with sqlite3.connect(path) as connection:
        _copy(connection, "keyrack_workspaces", workspace_id, workspaces)
        _copy(connection, "keyrack_integrations", integration_id, integrations)
        _copy(connection, "keyrack_keys", key_id, keys_)
    connection.close()
    return [secret.text for secret in minted]


def _copy(connection: sqlite3.Connection, table: str, model_id: str, changes: Iterable[Mapping[str, object]]) -> None:
    cursor = connection.execute(f"SELECT * FROM {table} WHERE id = ?", (model_id,))
    names = [column[0] for column in cursor.description]
    model: Row = cursor.fetchone()
    marks = ", ".join("?" * len(names))
    rows = (tuple(change.get(name, value) for name, value in zip(names, model, strict=True)) for change in changes)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
