"""Sessions: the links and passwords that begin them, and who is signed in. Bookkeeping: written without `change`, for it ends nothing
but itself.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.manage import attempts
from keyrack.manage.desk import Desk
from keyrack.model.devices import device_of
from keyrack.model.permissions import Rights, compile_rights
from keyrack.model.principals import Kind, Mode, Principal
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, NOT_FOUND, PROOF_REQUIRED, SESSION_ENDED, SIGN_IN_FAILED, Refused
from keyrack.model.sessions import PROOF_SECONDS_MAX, Session, is_fresh
from keyrack.store import integrations, keys, lookup, members, people
from keyrack.store import sessions as rows
from keyrack.store.database import Connection
from keyrack.store.ids import new_id

LINK_SECONDS = 60
"""How long a sign-in link waits for its use, unless whoever makes it says otherwise."""

SESSION_SECONDS_MAX = 12 * 3600
"""A session ends after this time, however busy it is."""

SESSIONS_SHOWN_MAX = 100
_WRONG = "No sign-in has this email and password."


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
        await rows.add_link(c, workspace_id, person_id, digest=digest_of(secret), created_at=now, expires_at=expires_at)
    return secret


async def redeem(desk: Desk, secret_text: str) -> SignedIn:
    """Use a sign-in link up and begin a session, in which nothing is proved: of many at once, one does.

    Raises Refused `session_ended` where the link is unknown, used or expired, or its person may no longer act in the workspace.
    """
    if not well_formed(secret_text):
        raise SESSION_ENDED("This is not a whole sign-in link: copy it again, from its first character to its last.")
    now = desk.now()
    async with desk.store.changing() as c:
        used = await lookup.use_sign_in_link(c, digest(secret_text.encode()), now)
        if used is None:
            raise SESSION_ENDED("This sign-in link was used before, or has expired: each works once. Ask for a new one.")
        member = await members.of_person(c, used.workspace_id, used.person_id)
        if member is None or not member.active(now):
            raise SESSION_ENDED("You are no longer an active member here: ask an admin to let you in again.")
        return await begin(desk, c, used.person_id, used.workspace_id, proved_at=0)


async def sign_in(desk: Desk, *, email: str, password: str, address: str, workspace_id: str | None = None, replaces: str = "") -> SignedIn:
    """Begin a session with an email and a password, in the workspace named, else in the one joined last.

    `address` is the client's. `replaces` is the secret of the session that the browser had, which ends. Raises Refused `sign_in_failed`,
    in the same words and after about the same time for an unknown email as for a wrong password; `too_many_failures`, per account and
    per address; `session_ended` for somebody who may act in no workspace (told only to who knows the password).
    """
    attempts.count(desk, email, address)
    async with desk.store.reading() as c:
        login = await lookup.login(c, email)
    if not await desk.passwords.matches(password, login.password_hash if login else None) or login is None:
        raise SIGN_IN_FAILED(_WRONG)
    now = desk.now()
    async with desk.store.changing() as c:
        await end_replaced(c, replaces, now)
        chosen = await home(c, login.person.id, now, workspace_id)
        return await begin(desk, c, login.person.id, chosen, proved_at=now)


async def find(desk: Desk, secret_text: str) -> Principal | None:
    """Return the member whose session this is, with the rights of this moment, or None where nobody is signed in with it.

    Reads the store each time, so a session that ended, or a member who lost a right, is seen by the next request. A session that a portal
    link began reaches no further than the key that asked for the link, and ends with it.
    """
    if not well_formed(secret_text):
        return None
    now = desk.now()
    async with desk.store.reading() as c:
        found = await lookup.session(c, digest(secret_text.encode()))
        if found is None or found.session.expires_at <= now or not found.member.active(now):
            return None
        rights, mode = found.member.rights, Mode.LIVE
        if found.session.through_key_id is not None:
            bound = await _bound(c, found.session.workspace_id, found.session.through_key_id, now)
            if bound is None:
                return None
            rights, mode = rights.within(bound[0], desk.categories), bound[1]
    session, member = found.session, found.member
    return Principal(
        kind=Kind.SESSION,
        workspace=found.workspace,
        credential_id=session.id,
        credential_name=member.name,
        prefix="",
        mode=mode,
        rights=rights,
        masks=compile_rights(rights, desk.categories, found.space_ids),
        derived_from=frozenset({session.id, member.id, member.person_id, found.workspace.id, *rights.spaces}),
        member_id=member.id,
        person_id=member.person_id,
        until=session.expires_at,
        until_refusal=SESSION_ENDED,
        proved_at=session.proved_at,
        through_key_id=session.through_key_id,
        origin=session.origin,
        may_use_api=member.may_use_api,
    )


async def prove(desk: Desk, session: Principal, *, password: str, address: str) -> None:
    """Prove with the password that the person is still there: for ten minutes. Raises Refused `sign_in_failed`, `too_many_failures`."""
    async with desk.store.reading() as c:
        login = await lookup.login_of(c, session.person_id or "")
    attempts.count(desk, login.person.email if login else "", address)
    if not await desk.passwords.matches(password, login.password_hash if login else None):
        raise SIGN_IN_FAILED("This is not your password.", param="password")
    async with desk.store.changing() as c:
        if not await rows.prove(c, session.workspace.id, session.credential_id, desk.now()):
            raise SESSION_ENDED("You are signed out.")


def require_proof(desk: Desk, actor: Principal) -> None:
    """Raise Refused `proof_required` unless the actor is a person who proved themselves within the last ten minutes."""
    if actor.kind is not Kind.SESSION:
        raise INSUFFICIENT_PERMISSION("A credential never does this: sign in to the console.")
    if not is_fresh(actor.proved_at, desk.now()):
        raise PROOF_REQUIRED(f"For this, prove that it is you: your last proof is older than {PROOF_SECONDS_MAX // 60} minutes.")


async def switch(desk: Desk, session: Principal, workspace_id: str) -> SignedIn:
    """Go on in another workspace of the same person: a new session takes this one's place, with its proof and its end.

    Raises Refused `not_found` where the person may not act there, and for a session that a portal link began.
    """
    now = desk.now()
    if not session.decides_roles:
        raise NOT_FOUND("There is no such workspace.")
    async with desk.store.changing() as c:
        member = await members.of_person(c, workspace_id, session.person_id or "")
        there = [one for one in await lookup.memberships(c, session.person_id or "") if one.workspace.id == workspace_id]
        if member is None or not member.active(now) or not there:
            raise NOT_FOUND("There is no such workspace.")
        if not await rows.end(c, session.workspace.id, session.credential_id, now):
            raise SESSION_ENDED("You are signed out.")
        return await begin(desk, c, member.person_id, workspace_id, proved_at=session.proved_at, expires_at=session.until)


async def note_place(desk: Desk, session: Session, *, address: str, user_agent: str) -> None:
    """Note from where and with what a session began, so that its person knows it again in the list of theirs.

    It has begun already: where the store cannot note it, the list says less.
    """
    with suppress(Refused):
        async with desk.store.changing() as c:
            await rows.note_place(c, session.workspace_id, session.id, address, device_of(user_agent))


async def open_of(desk: Desk, session: Principal) -> list[tuple[Session, str]]:
    """Return the sessions of the person behind a session, the newest 100, each with its workspace's name.

    Raises Refused 403 for a session that a portal link began.
    """
    if not session.decides_roles:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to see this.")
    async with desk.store.reading() as c:
        return await lookup.open_sessions(c, session.person_id or "", desk.now(), SESSIONS_SHOWN_MAX)


async def end(desk: Desk, session: Principal) -> None:
    """Sign a session out. When this returns, it is found no more; ending it twice is the same as once."""
    async with desk.store.changing() as c:
        await rows.end(c, session.workspace.id, session.credential_id, desk.now())


async def end_all(desk: Desk, session: Principal, *, but_this: bool = False) -> int:
    """Sign a person out everywhere, in all their workspaces, and return how many sessions that ended; `but_this` keeps the present one.

    Raises Refused 403 for a session that a portal link began.
    """
    if not session.decides_roles:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")
    async with desk.store.changing() as c:
        return await lookup.end_sessions(c, session.person_id or "", desk.now(), session.credential_id if but_this else None)


async def begin(
    desk: Desk,
    c: Connection,
    person_id: str,
    workspace_id: str,
    *,
    proved_at: int,
    expires_at: int | None = None,
    through_key_id: str | None = None,
    origin: str | None = None,
) -> SignedIn:
    """Begin a session inside a transaction, under a secret that nobody could know before."""
    secret = mint(f"{desk.brand.key_prefix}_session")
    now = desk.now()
    ends_at = now + SESSION_SECONDS_MAX * 1000 if expires_at is None else expires_at
    session = Session(new_id(), person_id, workspace_id, now, ends_at, proved_at, through_key_id, origin)
    await rows.add(c, session, digest_of(secret))
    return SignedIn(session, secret)


async def home(c: Connection, person_id: str, now: int, workspace_id: str | None = None) -> str:
    """Return the workspace in which a person begins: the one named where they are in it, else the first of their `homes`.

    Raises Refused `session_ended` where they may act in none.
    """
    found = homes(await lookup.memberships(c, person_id), now)
    if not found:
        raise SESSION_ENDED("You are no longer an active member anywhere: ask an admin to let you in again.")
    named = [one for one in found if one.workspace.id == workspace_id]
    return [*named, *found][0].workspace.id


def homes(found: Sequence[lookup.Membership], now: int) -> list[lookup.Membership]:
    """Return the memberships in which a person may act, in the order given; last those without any right, like that of a community."""
    active = [one for one in found if one.member.active(now)]
    return sorted(active, key=lambda one: not one.member.has_rights)


async def end_replaced(c: Connection, secret_text: str, now: int) -> None:
    """End the session that a browser had before it signs in anew: whoever put its cookie there gains nothing (ASVS 7.2.4)."""
    if well_formed(secret_text):
        found = await lookup.session(c, digest(secret_text.encode()))
        if found is not None:
            await rows.end(c, found.session.workspace_id, found.session.id, now)


def digest_of(secret: Secret) -> bytes:
    """Return what is stored of a link or a session."""
    return digest(secret.text.encode())


async def _bound(c: Connection, workspace_id: str, key_id: str, now: int) -> tuple[Rights, Mode] | None:
    """The rights and the mode beyond which a portal link's session never reaches, or None where the key that asked for it is over."""
    try:
        key = await keys.get(c, workspace_id, key_id)
        integration = await integrations.get(c, workspace_id, key.integration_id)
    except Refused as refused:
        if refused.refusal is NOT_FOUND:
            return None
        raise
    if key.refusal(now) is not None or (key.expires_at is not None and key.expires_at <= now):
        return None
    return integration.rights, key.mode
