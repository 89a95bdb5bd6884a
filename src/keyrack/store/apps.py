"""Apps as rows. Deleted ones stay, for calls of theirs are in logs."""

from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update

from keyrack.model.apps import App
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import apps, grants
from keyrack.store.paging import keyset

_SAME = ("client_id", "name", "created_at", "updated_at", "deleted_at", "made_by", "made_by_name", "secret_digest", "secret_prefix")
_LISTS = ("redirect_uris", "scopes", "own_scopes")
_COLUMNS = (*_SAME, "secret_made_at", "secret_ended_at", "partner", "homepage_url")


async def get(c: Connection, workspace_id: str, app_id: str) -> App:
    """Return an app that was not deleted. Raises Refused `not_found`."""
    own = select(apps).where(apps.c.workspace_id == workspace_id, apps.c.id == app_id, apps.c.deleted_at.is_(None))
    row = await c.first(own)
    if row is None:
        raise NOT_FOUND("There is no such app.")
    return read(row)


async def known(c: Connection, workspace_id: str, app_id: str) -> App:
    """Return an app that was registered in a workspace, or that a member of it has ever let in. Raises Refused `not_found`."""
    let_in = select(grants.c.id).where(grants.c.workspace_id == workspace_id, grants.c.app_id == apps.c.id).exists()
    here = or_(apps.c.workspace_id == workspace_id, let_in)
    row = await c.first(select(apps).where(apps.c.id == app_id, apps.c.deleted_at.is_(None), here))
    if row is None:
        raise NOT_FOUND("There is no such app.")
    return read(row)


async def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    after: Place | None = None,
    order: Order = NEWEST,
    search: str | None = None,
    updated_after: int | None = None,
) -> list[App]:
    """Return the apps that were registered in a workspace and not deleted, in an order. `search` is part of a name."""
    found = select(apps).where(apps.c.workspace_id == workspace_id, apps.c.deleted_at.is_(None))
    if search:
        found = found.where(apps.c.name.icontains(search, autoescape=True))
    paged = keyset(found, apps.c, limit=limit, order=order, after=after, updated_after=updated_after)
    return [read(row) for row in await c.all(paged)]


async def count_grants_elsewhere(c: Connection, workspace_id: str, app_id: str) -> int:
    """Return how many grants of other workspaces for an app of this one nobody has ended: a number, and nothing of theirs."""
    own = select(apps.c.id).where(apps.c.workspace_id == workspace_id, apps.c.id == app_id, apps.c.deleted_at.is_(None))
    others = (grants.c.app_id.in_(own), grants.c.workspace_id != workspace_id, grants.c.ended_at.is_(None))
    row = await c.first(select(func.count().label("grants")).select_from(grants).where(*others))
    return int(row.grants) if row else 0


async def add(c: Connection, app: App) -> None:
    """Add an app."""
    await c.execute(insert(apps).values(id=app.id, workspace_id=app.workspace_id, **values_of(app)))


async def save(c: Connection, app: App) -> None:
    """Save what changed of an app. Touch it."""
    await c.execute(update(apps).where(apps.c.workspace_id == app.workspace_id, apps.c.id == app.id).values(**values_of(app)))


def read(row: Row[Any]) -> App:
    """Return the app in a row that holds all columns of its table."""
    of = row._mapping
    lists: dict[str, Any] = {name: tuple(of[apps.c[name]]) for name in _LISTS}
    return App(id=of[apps.c.id], workspace_id=of[apps.c.workspace_id], **lists, **{name: of[apps.c[name]] for name in _COLUMNS})


def values_of(app: App) -> dict[str, Any]:
    """Return an app as its row, but for whose it is."""
    return {**{name: list(getattr(app, name)) for name in _LISTS}, **{name: getattr(app, name) for name in _COLUMNS}}
