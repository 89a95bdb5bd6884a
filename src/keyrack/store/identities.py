"""Who people are to identity providers, as rows. One is found by the provider and its own id of the person: see `lookup`."""

from sqlalchemy import insert

from keyrack.model.people import Identity
from keyrack.model.refusals import CONFLICT
from keyrack.store.database import Connection, Duplicate
from keyrack.store.tables import identities


async def add(c: Connection, identity: Identity) -> None:
    """Link a person to what a provider calls them. Raises Refused `conflict` where that was done before."""
    own = ("issuer", "subject", "person_id", "created_at")
    try:
        await c.execute(insert(identities).values({name: getattr(identity, name) for name in own}))
    except Duplicate as duplicate:
        raise CONFLICT("This sign-in was linked at the same time: begin it again.") from duplicate
