"""Apps as rows. Deleted ones stay, for calls of theirs are in logs."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from keyrack.model.apps import App
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.refusals import NOT_FOUND
from keyrack.store.database import Connection
from keyrack.store.oauth_tables import apps
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


async def page(c: Connection, workspace_id: str, *, limit: int, after: Place | None = None, order: Order = NEWEST) -> list[App]:
    """Return the apps that were registered in a workspace and not deleted, in an order."""
    found = select(apps).where(apps.c.workspace_id == workspace_id, apps.c.deleted_at.is_(None))
    return [read(row) for row in await c.all(keyset(found, apps.c, limit=limit, order=order, after=after))]


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
