"""Set-up: how the very first person comes in, through a link that works once and that only whoever runs the program can make."""

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.manage import attempts, members, passwords, sessions, workspaces
from keyrack.manage.change import change
from keyrack.manage.desk import Desk
from keyrack.manage.sessions import SignedIn, digest_of
from keyrack.model.members import Role
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import CONFLICT, LINK_ENDED
from keyrack.store import lookup
from keyrack.store import people as person_rows

LINK_SECONDS = 24 * 3600


async def needed(desk: Desk) -> bool:
    """Whether nobody at all can sign in with a password yet."""
    async with desk.store.reading() as c:
        return not await lookup.anybody(c)


async def link(desk: Desk) -> Secret:
    """Make the link of the first set-up, good for a day, in place of any made before. Raises Refused 409 where somebody can sign in."""
    secret = mint(f"{desk.brand.key_prefix}_setup")
    now = desk.now()
    async with desk.store.changing() as c:
        if await lookup.anybody(c):
            raise CONFLICT("Somebody can sign in already: they invite others.")
        await lookup.add_set_up_link(c, digest_of(secret), now, now + LINK_SECONDS * 1000)
    return secret


async def complete(desk: Desk, secret_text: str, *, workspace_name: str, name: str, email: str, password: str, address: str) -> SignedIn:
    """Use the link up: make a workspace, its owner and their session, or nothing of it.

    Raises Refused: `link_ended`, also where somebody else was faster; 400 for a name, email or password that cannot be; 409 where a
    person with this email is known; `too_many_failures`.
    """
    attempts.count_of_address(desk, address)
    if not well_formed(secret_text):
        raise LINK_ENDED("This is not a whole link: copy it again, from its first character to its last.")
    passwords.check(desk, password, email)
    workspace = workspaces.made(desk, workspace_name)
    stored = await desk.passwords.hash(password)
    actor = principal_of(workspace, dict(desk.categories))
    async with change(desk, actor) as c:
        if not await lookup.use_set_up_link(c.connection, digest(secret_text.encode()), c.now) or await lookup.anybody(c.connection):
            raise LINK_ENDED("This link was used before, or has expired. Whoever runs this server can make a new one.")
        if await lookup.login(c.connection, email) is not None:
            raise CONFLICT("A person with this email is known here: the operator makes a link for their password.", param="email")
        await workspaces.add(c, workspace)
        owner = await members.join(desk, c, actor, email=email, name=name, role=Role.OWNER, may_use_api=True)
        await person_rows.set_password(c.connection, workspace.id, owner.person_id, stored, c.now)
        return await sessions.begin(desk, c.connection, owner.person_id, workspace.id, proved_at=c.now)
