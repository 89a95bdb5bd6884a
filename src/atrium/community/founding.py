"""Founding the community: its workspace and its spaces, made once, by whichever process comes first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from atrium.community.models import HOME_ID, CommunityHome, CommunityPlace
from atrium.community.spaces import CommunitySpace
from atrium.database import Base, Database
from keyrack import Keyrack, Refused, new_id, refusals

SPACES_MAX = 100


@dataclass(frozen=True, slots=True)
class Home:
    """Where the community is: its workspace, and the ids of its spaces."""

    workspace_id: str
    space_ids: Mapping[CommunitySpace, str]


async def found(rack: Keyrack, database: Database, name: str) -> Home:
    """Return where the community is; make what is missing of it.

    A start that ends half-way is taken up by the next one. Once all of it was there, nothing is made again: what the operator or the team
    deleted since stays deleted. Nobody uses the API there until the team switches it on.
    """
    async with database.writing.begin() as session:
        # Nobody can know the slug before: a workspace that has it is the one that we made.
        slug = f"dev-community-{new_id()[-8:]}"
        await add_missing(session, CommunityHome, {"id": HOME_ID, "slug": slug, "is_ready": False})
    async with database.reading() as session:
        row = (await session.scalars(select(CommunityHome))).one()
        space_ids = await _space_ids(session)
    if row.is_ready and row.workspace_id is not None:
        return Home(row.workspace_id, space_ids)
    workspace_id = row.workspace_id or await _workspace(rack, name, row.slug)
    await _set(database, workspace_id=workspace_id)
    await rack.workspaces.switch_api(workspace_id, False)
    for space in CommunitySpace:
        if space not in space_ids:
            space_ids[space] = await _space(rack, database, workspace_id, space)
    await _set(database, is_ready=True)
    return Home(workspace_id, space_ids)


async def add_missing(session: AsyncSession, model: type[Base], values: dict[str, Any]) -> None:
    """Add a row, unless one is there that it would collide with."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    await session.execute(dialect.insert(model).values(**values).on_conflict_do_nothing())


async def _workspace(rack: Keyrack, name: str, slug: str) -> str:
    """Make the workspace, or find the one that another process has made meanwhile."""
    try:
        return (await rack.workspaces.create(name, slug=slug)).id
    except Refused as refused:
        made = await rack.workspaces.find(slug)
        if refused.refusal is not refusals.CONFLICT or made is None:
            raise
        return made.id


async def _space(rack: Keyrack, database: Database, workspace_id: str, space: CommunitySpace) -> str:
    """Make a space, or find the one that a start made which ended there; where another process was first, its own is the one."""
    there = {one.name: one.id for one in await rack.spaces.list(workspace_id, limit=SPACES_MAX)}
    found_id = there.get(space.title())
    space_id = found_id or (await rack.spaces.create(workspace_id, space.title())).id
    async with database.writing.begin() as session:
        await add_missing(session, CommunityPlace, {"name": space.value, "space_id": space_id})
        chosen = (await _space_ids(session))[space]
    if chosen != space_id and found_id is None:
        await rack.spaces.delete(workspace_id, space_id)
    return chosen


async def _space_ids(session: AsyncSession) -> dict[CommunitySpace, str]:
    return {CommunitySpace(one.name): one.space_id for one in await session.scalars(select(CommunityPlace))}


async def _set(database: Database, **values: Any) -> None:
    async with database.writing.begin() as session:
        await session.execute(update(CommunityHome).values(**values))
