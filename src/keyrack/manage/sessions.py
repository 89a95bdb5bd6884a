"""Sessions: the links that begin them, and who is signed in. Bookkeeping: written without `change`, for it ends nothing but itself."""

from typing import NamedTuple

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.manage.desk import Desk
from keyrack.model.permissions import compile_rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import SESSION_ENDED
from keyrack.model.sessions import Session
from keyrack.store import lookup, members, people
from keyrack.store import sessions as rows
from keyrack.store.ids import new_id

LINK_SECONDS = 60
"""How long a sign-in link waits for its use, unless whoever makes it says otherwise."""

SESSION_SECONDS_MAX = 12 * 3600
"""A session ends after this time, however busy it is."""


class SignedIn(NamedTuple):
    """A new session and its secret, which leaves here once, as a cookie. The repr hides it."""

    session: Session
    secret: Secret


async def sign_in_link(desk: Desk, person_id: str, workspace_id: str, valid_seconds: int | None = LINK_SECONDS) -> Secret:
    """Make a link that signs a person in to a workspace, once; `None` lets it wait until it is used.

    Raises Refused `not_found` where the person is no member of the workspace.
    """
    secret = mint(f"{desk.brand.key_prefix}_link")
    now = desk.now()
    expires_at = None if valid_seconds is None else now + valid_seconds * 1000
    async with desk.store.changing() as c:
        await people.get(c, workspace_id, person_id)
        await rows.add_link(c, workspace_id, person_id, digest=_digest(secret), created_at=now, expires_at=expires_at)
    return secret


async def redeem(desk: Desk, secret_text: str) -> SignedIn:
    """Use a sign-in link up and begin a session: of many at once, one does.

    Raises Refused `session_ended` where the link is unknown, used or expired, or its person may no longer act in the workspace.
    """
    if not well_formed(secret_text):
        raise SESSION_ENDED("This is not a whole sign-in link: copy it again, from its first character to its last.")
    now = desk.now()
    secret = mint(f"{desk.brand.key_prefix}_session")
    async with desk.store.changing() as c:
        used = await lookup.use_sign_in_link(c, digest(secret_text.encode()), now)
        if used is None:
            raise SESSION_ENDED("This sign-in link was used before, or has expired: each works once. Ask for a new one.")
        member = await members.of_person(c, used.workspace_id, used.person_id)
        if member is None or not member.active(now):
            raise SESSION_ENDED("You are no longer an active member here: ask an admin to let you in again.")
        session = Session(new_id(), used.person_id, used.workspace_id, created_at=now, expires_at=now + SESSION_SECONDS_MAX * 1000)
        await rows.add(c, session, _digest(secret))
    return SignedIn(session, secret)


async def find(desk: Desk, secret_text: str) -> Principal | None:
    """Return the member whose session this is, with the rights of this moment, or None where nobody is signed in with it.

    Reads the store each time, so a session that ended, or a member who lost a right, is seen by the next request.
    """
    if not well_formed(secret_text):
        return None
    async with desk.store.reading() as c:
        found = await lookup.session(c, digest(secret_text.encode()))
    now = desk.now()
    if found is None or found.session.expires_at <= now or not found.member.active(now):
        return None
    session, member = found.session, found.member
    return Principal(
        kind=Kind.SESSION,
        workspace=found.workspace,
        credential_id=session.id,
        credential_name=member.name,
        prefix="",
        mode=Mode.LIVE,
        rights=member.rights,
        masks=compile_rights(member.rights, desk.categories, found.space_ids),
        derived_from=frozenset({session.id, member.id, member.person_id, found.workspace.id, *member.rights.spaces}),
        member_id=member.id,
        person_id=member.person_id,
        until=session.expires_at,
        until_refusal=SESSION_ENDED,
    )


async def end(desk: Desk, session: Principal) -> None:
    """Sign a session out. When this returns, it is found no more; ending it twice is the same as once."""
    async with desk.store.changing() as c:
        await rows.end(c, session.workspace.id, session.credential_id, desk.now())


def _digest(secret: Secret) -> bytes:
    return digest(secret.text.encode())
