"""Rights as rows: org-level access and levels stand on the holder, space roles in rows of their own; finders read all three at once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, delete, insert, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from keyrack.model.permissions import ALL, Level, OrgAccess, Rights, SpaceRole
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.tables import Json, space_roles, spaces

_ROLES = "roles_in_spaces"
_REACHED = "spaces_reached"


class _Gathered(GenericFunction[Any]):
    """Rows gathered into one JSON value: of one column an array, of two an object of names and values."""

    name = "keyrack_gathered"
    type = Json
    inherit_cache = True


@compiles(_Gathered, "sqlite")
def _on_sqlite(element: _Gathered, compiler: Any, **options: Any) -> str:
    function = "json_group_object" if len(element.clauses) > 1 else "json_group_array"
    return f"{function}({compiler.process(element.clauses, **options)})"


@compiles(_Gathered, "postgresql")
def _on_postgresql(element: _Gathered, compiler: Any, **options: Any) -> str:
    function = "jsonb_object_agg" if len(element.clauses) > 1 else "jsonb_agg"
    return f"{function}({compiler.process(element.clauses, **options)})"


def roles_of(holder: Table) -> ColumnElement[Any]:
    """Return the column with a holder's roles in the spaces that still exist, as one JSON object."""
    roles = (
        select(_Gathered(space_roles.c.space_id, space_roles.c.role))
        .join(spaces, spaces.c.id == space_roles.c.space_id)
        .where(space_roles.c.holder_id == holder.c.id, spaces.c.workspace_id == holder.c.workspace_id, spaces.c.deleted_at.is_(None))
    )
    return roles.correlate(holder).scalar_subquery().label(_ROLES)


def reached_by_all(holder: Table) -> ColumnElement[Any]:
    """Return the column with the ids of all spaces of a holder's workspace, where the holder has the wildcard."""
    reached = select(_Gathered(spaces.c.id)).where(
        spaces.c.workspace_id == holder.c.workspace_id, spaces.c.deleted_at.is_(None), holder.c.permissions[ALL].as_string().is_not(None)
    )
    return reached.correlate(holder).scalar_subquery().label(_REACHED)


def read_reached(row: Row[Any]) -> tuple[str, ...]:
    """Return the space ids in a row that was selected with `reached_by_all`."""
    return tuple(row._mapping[_REACHED] or ())


def read(row: Row[Any], holder: Table) -> Rights:
    """Return the rights in a row that was selected with `roles_of` its holder."""
    of = row._mapping
    permissions: dict[str, str] = of[holder.c.permissions]
    roles: dict[str, str] = of[_ROLES] or {}
    return Rights(
        org_access=OrgAccess(of[holder.c.org_access]),
        permissions={category: Level.of(word) for category, word in permissions.items()},
        spaces={space_id: SpaceRole(role) for space_id, role in roles.items()},
    )


def columns(rights: Rights) -> dict[str, Any]:
    """Return what stands on the holder's own row."""
    levels = {category: level.word for category, level in rights.permissions.items() if level is not Level.NONE}
    return {"org_access": rights.org_access.value, "permissions": levels}


async def save_roles(c: Connection, workspace_id: str, kind: str, holder_id: str, roles: Mapping[str, SpaceRole]) -> None:
    """Make a holder's space roles these and no others. `kind` is integration or member. Raises Refused `not_found` for an unknown space."""
    held = (space_roles.c.workspace_id == workspace_id) & (space_roles.c.holder_id == holder_id)
    await c.execute(delete(space_roles).where(held))
    if roles:
        known = select(spaces.c.id).where(spaces.c.workspace_id == workspace_id, spaces.c.id.in_(roles), spaces.c.deleted_at.is_(None))
        if len(await c.all(known)) != len(roles):
            raise NOT_FOUND("There is no such space.", param="spaces")
        own = {"workspace_id": workspace_id, "holder_kind": kind, "holder_id": holder_id}
        await c.execute(insert(space_roles), [{**own, "space_id": space_id, "role": role.value} for space_id, role in roles.items()])
