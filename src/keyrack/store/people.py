"""People as rows. A person is found through a workspace they are in; `lookup.person` finds one by email."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from keyrack.model.people import Person
from keyrack.model.refusals import CONFLICT, NOT_FOUND
from keyrack.store.database import Connection, Duplicate
from keyrack.store.tables import members, people


async def get(c: Connection, workspace_id: str, person_id: str) -> Person:
    """Return a person who is a member of a workspace. Raises Refused `not_found`."""
    found = select(people).join(members, members.c.person_id == people.c.id)
    row = await c.first(found.where(members.c.workspace_id == workspace_id, people.c.id == person_id))
    if row is None:
        raise NOT_FOUND("There is no such person.")
    return read(row)


async def add(c: Connection, person: Person) -> None:
    """Add a person, whose email is lower-case. Raises Refused `conflict` where somebody has it."""
    row = {"id": person.id, "email": person.email, "name": person.name, "created_at": person.created_at, "updated_at": person.updated_at}
    try:
        await c.execute(insert(people).values(**row))
    except Duplicate as duplicate:
        raise CONFLICT("A person with this email exists.", param="email") from duplicate


async def set_password(
    c: Connection, workspace_id: str, person_id: str, password_hash: str | None, at: int, *, verified: bool = False
) -> None:
    """Give a member of a workspace another password, or none; `verified` notes that their email was proved. Raises Refused `not_found`."""
    member_here = select(members.c.id).where(members.c.workspace_id == workspace_id, members.c.person_id == person_id).exists()
    values: dict[str, Any] = {"password_hash": password_hash, "updated_at": at}
    if verified:
        values["email_verified_at"] = at
    if not await c.execute(update(people).where(people.c.id == person_id, member_here).values(**values)):
        raise NOT_FOUND("There is no such person.")


async def rename(c: Connection, workspace_id: str, person_id: str, name: str, at: int) -> None:
    """Give a member of a workspace another name, which is theirs in every workspace. Raises Refused `not_found`."""
    member_here = select(members.c.id).where(members.c.workspace_id == workspace_id, members.c.person_id == person_id).exists()
    if not await c.execute(update(people).where(people.c.id == person_id, member_here).values(name=name, updated_at=at)):
        raise NOT_FOUND("There is no such person.")
    await c.execute(update(members).where(members.c.person_id == person_id).values(updated_at=at))


def read(row: Row[Any]) -> Person:
    """Return the person in a row that holds all columns of its table."""
    of = row._mapping
    return Person(
        id=of[people.c.id],
        email=of[people.c.email],
        name=of[people.c.name],
        created_at=of[people.c.created_at],
        updated_at=of[people.c.updated_at],
    )
