"""Spaces: named areas inside a workspace. What lies in one is reached through a role in it, and nothing else."""

from dataclasses import dataclass

from keyrack.model.permissions import SpaceRole


@dataclass(frozen=True, slots=True)
class Space:
    """One space. Times are milliseconds since the epoch."""

    id: str
    workspace_id: str
    name: str
    created_at: int
    updated_at: int
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has a role in a space: a member or an integration (`kind` says which)."""

    space_id: str
    kind: str
    id: str
    name: str
    role: SpaceRole
