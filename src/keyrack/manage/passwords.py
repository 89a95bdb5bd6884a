"""Passwords: changed by who knows them, and chosen anew by who holds a link. Each change ends the person's other sessions."""

from keyrack.crypto.digest import digest
from keyrack.crypto.format import Secret, mint, well_formed
from keyrack.manage import attempts, mail, members, people, sessions
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.sessions import SignedIn
from keyrack.model.events import EventType
from keyrack.model.members import Role
from keyrack.model.people import Person
from keyrack.model.principals import Kind, Principal
from keyrack.model.principals import operator as principal_of
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, LINK_ENDED, NOT_FOUND, SIGN_IN_FAILED
from keyrack.model.sessions import LinkPurpose
from keyrack.store import lookup
from keyrack.store import members as member_rows
from keyrack.store import people as rows
from keyrack.store import sessions as session_rows

PASSWORD_CHANGED = EventType("person.password_changed", description="A member chose another password.")
PASSWORD_LINK_MADE = EventType("person.password_link_made", description="A link was made with which a member can choose a new password.")

PASSWORD_PLACES_MIN, PASSWORD_PLACES_MAX = 10, 200
RESET_SECONDS = 3600
_RESETS = (LinkPurpose.RESET, LinkPurpose.MAILED_RESET)
_USED = "This link was used before, or has expired. Ask for a new one."


async def is_set(desk: Desk, session: Principal) -> bool:
    """Whether the person behind a session has a password."""
    async with desk.store.reading() as c:
        login = await lookup.login_of(c, session.person_id or "")
    return login is not None and login.password_hash is not None


async def change_own(desk: Desk, session: Principal, *, current: str, new: str, address: str) -> None:
    """Change a signed-in person's password; who has none yet chooses their first, whatever `current` is. Their other sessions end.

    Whom the OpenID provider knows proves it there before they choose their first: a password is a proof from then on.

    Raises Refused: `sign_in_failed` for a wrong current password, `proof_required`, `too_many_failures`, 400 for a new one that is too
    easily guessed, 403 for a session that a portal link began.
    """
    if not session.decides_roles or session.person_id is None:
        raise INSUFFICIENT_PERMISSION("Sign in to the console by yourself to do this.")
    async with desk.store.reading() as c:
        login = await lookup.login_of(c, session.person_id)
        proves_elsewhere = await lookup.has_identity(c, session.person_id)
    assert login is not None
    if login.password_hash is None and proves_elsewhere and desk.outside.openid is not None:
        sessions.require_proof(desk, session)
    check(desk, new, login.person.email)
    attempts.count(desk, login.person.email, address)
    if login.password_hash is not None and not await desk.passwords.matches(current, login.password_hash):
        raise SIGN_IN_FAILED("This is not your password.", param="current")
    stored = await desk.passwords.hash(new)
    async with change(desk, session) as made:
        now_stored = await lookup.login_of(made.connection, session.person_id)
        if now_stored is None or now_stored.password_hash != login.password_hash:
            raise CONFLICT("The password was changed at the same time.")
        await rows.set_password(made.connection, session.workspace.id, session.person_id, stored, made.now)
        await _forget_links_and_sessions(made, session.workspace.id, session.person_id, session.credential_id)
        await session_rows.prove(made.connection, session.workspace.id, session.credential_id, made.now)
        made.record(PASSWORD_CHANGED, session.person_id, {"id": session.person_id, "by_link": False})


async def reset_link(desk: Desk, actor: Principal, member_id: str) -> Secret:
    """Make a link, to be handed to a member, with which they choose a new password within the hour: once.

    Raises Refused: 403 without org-level Admin, for credentials, and for an owner's unless an owner asks; 404; 409 for somebody who is in
    other workspaces too, which no admin of one of them may open: they ask by mail, or the operator does it.
    """
    actor.require_admin("make links for new passwords")
    if not actor.decides_roles:
        raise INSUFFICIENT_PERMISSION("A credential makes no such link: sign in to the console to do that.")
    secret = mint(f"{desk.brand.key_prefix}_reset")
    async with change(desk, actor) as c:
        member = await member_rows.get(c.connection, actor.workspace.id, member_id)
        if actor.kind is not Kind.OPERATOR:
            own = await member_rows.get(c.connection, actor.workspace.id, actor.member_id or "")
            if member.role is Role.OWNER and own.role is not Role.OWNER:
                raise INSUFFICIENT_PERMISSION("Only an owner makes such a link for an owner.")
            if len(await lookup.memberships(c.connection, member.person_id)) > 1:
                raise CONFLICT(f"{member.name} is in other workspaces too: only they themselves can ask for a new password.")
        await _add_link(c, member.person_id, secret, LinkPurpose.RESET)
        c.record(PASSWORD_LINK_MADE, member.person_id, {"id": member.person_id, "member_id": member.id})
    return secret


async def operators_link(desk: Desk, email: str) -> tuple[Secret, Person]:
    """Make such a link as the operator, for anybody, and return it with its person. Raises Refused 404 for who is in no workspace."""
    async with desk.store.reading() as c:
        login = await lookup.login(c, email)
        there = await lookup.memberships(c, login.person.id) if login else []
    if login is None or not there:
        raise NOT_FOUND("Nobody with this email is a member of any workspace.")
    best = next(iter(sessions.homes(there, desk.now())), there[0])
    return await reset_link(desk, principal_of(best.workspace, dict(desk.categories)), best.member.id), login.person


async def forgot(desk: Desk, *, email: str, address: str) -> None:
    """Ask for a link by mail, with which to choose a new password. The answer and its time are the same whether or not it is anybody's.

    Raises Refused: 409 where no mail is set up; 400 for an email that is none; `too_many_failures`.
    """
    if not desk.outside.sends_mail:
        raise CONFLICT("No mail goes out from here: ask an admin for a link to choose a new password.")
    to = members.checked_email(email)
    attempts.count(desk, to, address)
    async with desk.store.changing() as c:
        await mail.queue_password_link(desk, c, to)


async def mailed_link(desk: Desk, email: str) -> tuple[Secret, str] | None:
    """Make the link that goes by mail to who asked with `forgot`; return it with the person's name, None where nobody has this email."""
    async with desk.store.reading() as c:
        login = await lookup.login(c, email)
        homes = sessions.homes(await lookup.memberships(c, login.person.id), desk.now()) if login else []
    if login is None or not homes:
        return None
    secret = mint(f"{desk.brand.key_prefix}_reset")
    async with change(desk, people.acting(desk, homes[0].workspace, homes[0].member)) as made:
        await _add_link(made, login.person.id, secret, LinkPurpose.MAILED_RESET)
        made.record(PASSWORD_LINK_MADE, login.person.id, {"id": login.person.id, "member_id": homes[0].member.id})
    return secret, login.person.name


async def reset(desk: Desk, secret_text: str, *, new: str, address: str) -> SignedIn:
    """Choose a new password with a link, and begin a session. The link, the person's other links and all their sessions end.

    Raises Refused: `link_ended`; 400 for a password that is too easily guessed, which leaves the link as it was; `too_many_failures`.
    """
    attempts.count_of_address(desk, address)
    if not well_formed(secret_text):
        raise LINK_ENDED("This is not a whole link: copy it again, from its first character to its last.")
    check(desk, new)
    stored = await desk.passwords.hash(new)
    # Whose link it is decides in whose name this is written, so it is used up first: what goes wrong then costs a new link, no more.
    async with desk.store.changing() as c:
        used = await lookup.use_sign_in_link(c, digest(secret_text.encode()), desk.now(), _RESETS)
        there = await lookup.memberships(c, used.person_id) if used else []
    here = [one for one in there if used is not None and one.workspace.id == used.workspace_id and one.member.active(desk.now())]
    if used is None or not here:
        raise LINK_ENDED(_USED)
    async with change(desk, people.acting(desk, here[0].workspace, here[0].member)) as made:
        verified = used.purpose is LinkPurpose.MAILED_RESET
        await rows.set_password(made.connection, used.workspace_id, used.person_id, stored, made.now, verified=verified)
        await _forget_links_and_sessions(made, used.workspace_id, used.person_id)
        signed_in = await sessions.begin(desk, made.connection, used.person_id, used.workspace_id, proved_at=made.now)
        made.record(PASSWORD_CHANGED, used.person_id, {"id": used.person_id, "by_link": True})
    return signed_in


def check(desk: Desk, password: str, email: str = "") -> None:
    """Raise Refused 400 for a password that is too short, too long, or what everybody would try first."""
    if not PASSWORD_PLACES_MIN <= len(password) <= PASSWORD_PLACES_MAX:
        raise INVALID_REQUEST(f"A password has {PASSWORD_PLACES_MIN} to {PASSWORD_PLACES_MAX} characters.", param="password")
    lowered = password.lower()
    obvious = {email.strip().lower(), email.partition("@")[0].lower(), desk.brand.name.lower(), "password", "1234567890", "qwertyuiop"}
    rest = lowered
    for word in sorted(filter(None, obvious), key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(set(lowered)) < 4 or len(rest.strip("0123456789!?.,- ")) < 3:
        raise INVALID_REQUEST("Anybody would try this password first: choose another one.", param="password")


async def _add_link(c: Change, person_id: str, secret: Secret, purpose: LinkPurpose) -> None:
    expires_at = c.now + RESET_SECONDS * 1000
    await session_rows.add_link(
        c.connection,
        c.workspace_id,
        person_id,
        digest=sessions.digest_of(secret),
        created_at=c.now,
        expires_at=expires_at,
        purpose=purpose,
    )


async def _forget_links_and_sessions(c: Change, workspace_id: str, person_id: str, but: str | None = None) -> None:
    await session_rows.end_links(c.connection, workspace_id, person_id, c.now)
    await lookup.end_sessions(c.connection, person_id, c.now, but)
