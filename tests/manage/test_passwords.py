"""Passwords: what signs in, what does not, and what a change of them ends."""

import asyncio

import pytest

from keyrack.manage import attempts, events, passwords, sessions, set_ups
from keyrack.manage.desk import Desk
from keyrack.manage.operators import operator
from keyrack.manage.sessions import SignedIn
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import (
    CONFLICT,
    INSUFFICIENT_PERMISSION,
    INVALID_REQUEST,
    LINK_ENDED,
    PROOF_REQUIRED,
    SESSION_ENDED,
    SIGN_IN_FAILED,
    TOO_MANY_FAILURES,
    Refused,
)
from keyrack.store import sessions as session_rows
from tests.hosts import ADMIN_RIGHTS, Host
from tests.manage.conftest import Actors
from tests.manage.refused import refused

FROM = "192.0.2.9"
FIRST, SECOND = "correct horse battery", "staple of another horse"


@pytest.fixture
async def ada(host: Host, desk: Desk) -> Member:
    """An owner with a password."""
    member = await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada", role=Role.OWNER)
    await choose(desk, member, FIRST)
    return member


async def choose(desk: Desk, member: Member, password: str) -> SignedIn:
    """Give a member a password, by a link of the operator's."""
    link = await passwords.reset_link(desk, await operator(desk, member.workspace_id), member.id)
    return await passwords.reset(desk, link.text, new=password, address=FROM)


async def found(desk: Desk, signed_in: SignedIn) -> Principal | None:
    """Whose session this is."""
    return await sessions.find(desk, signed_in.secret.text)


async def signed_in(desk: Desk, password: str = FIRST, email: str = "ada@acme.test") -> Principal:
    """Sign in, and return who that is."""
    principal = await found(desk, await sessions.sign_in(desk, email=email, password=password, address=FROM))
    assert principal is not None
    return principal


async def test_email_and_password_sign_in(host: Host, desk: Desk, ada: Member) -> None:
    session = await signed_in(desk, email=" Ada@ACME.test")
    assert (ada.id, host.workspace.id, host.clock.now()) == (session.member_id, session.workspace.id, session.proved_at)


async def test_unknown_email_and_wrong_password_are_refused_in_the_same_words(desk: Desk, ada: Member) -> None:
    words = set()
    for email, password in (("ada@acme.test", SECOND), ("nobody@acme.test", FIRST), ("", "")):
        with refused(SIGN_IN_FAILED) as raised:
            await sessions.sign_in(desk, email=email, password=password, address=FROM)
        words.add((raised.value.detail, raised.value.param, tuple(raised.value.headers.items())))
    assert 1 == len(words)


async def test_person_without_a_password_signs_in_with_none(host: Host, desk: Desk) -> None:
    await host.rack.members.add(host.workspace.id, email="new@acme.test", name="New")
    for password in ("", "nobody's", FIRST):
        with refused(SIGN_IN_FAILED):
            await sessions.sign_in(desk, email="new@acme.test", password=password, address=FROM)


async def test_attempts_on_one_account_end_whatever_address_they_come_from(desk: Desk, ada: Member) -> None:
    for number in range(attempts.OF_ACCOUNT.at_once):
        attempts.count(desk, "ada@acme.test", f"198.51.100.{number}")
    with refused(TOO_MANY_FAILURES) as raised:
        await sessions.sign_in(desk, email="ADA@acme.test", password=FIRST, address="203.0.113.1")
    assert int(raised.value.headers["Retry-After"]) > 0
    with refused(SIGN_IN_FAILED):
        await sessions.sign_in(desk, email="other@acme.test", password=FIRST, address="203.0.113.1")


async def test_attempts_from_one_address_end_whatever_account_they_are_on(desk: Desk, ada: Member) -> None:
    for number in range(attempts.OF_ADDRESS.at_once):
        attempts.count(desk, f"guess{number}@acme.test", "2001:db8::1")
    with refused(TOO_MANY_FAILURES):
        await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address="2001:db8::ffff")
    assert await signed_in(desk)


async def test_guesses_at_once_are_counted_each(desk: Desk, ada: Member) -> None:
    guesses = [sessions.sign_in(desk, email="ada@acme.test", password=f"guess number {n}", address=FROM) for n in range(20)]
    refusals = [one.refusal for one in await asyncio.gather(*guesses, return_exceptions=True) if isinstance(one, Refused)]
    assert attempts.OF_ACCOUNT.at_once >= refusals.count(SIGN_IN_FAILED)
    assert 20 == len(refusals)


async def test_session_fixed_before_signing_in_ends(desk: Desk, ada: Member) -> None:
    planted = await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM)
    own = await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM, replaces=planted.secret.text)
    assert own.secret.text != planted.secret.text
    assert await found(desk, planted) is None
    assert await found(desk, own) is not None


async def test_changed_password_ends_the_other_sessions_and_links(host: Host, desk: Desk, ada: Member, actors: Actors) -> None:
    here, there = await signed_in(desk), await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM)
    waiting = await passwords.reset_link(desk, await operator(desk, host.workspace.id), ada.id)
    with refused(SIGN_IN_FAILED):
        await passwords.change_own(desk, here, current=SECOND, new=SECOND, address=FROM)
    await passwords.change_own(desk, here, current=FIRST, new=SECOND, address=FROM)
    assert await found(desk, there) is None
    with refused(LINK_ENDED):
        await passwords.reset(desk, waiting.text, new=FIRST, address=FROM)
    with refused(SIGN_IN_FAILED):
        await signed_in(desk, FIRST)
    assert await signed_in(desk, SECOND)
    told = await events.page(desk, host.owner, limit=50, kind="person.password_changed")
    assert ada.person_id in {event.object_id for event in told}


async def test_reset_link_works_once_and_for_an_hour(host: Host, desk: Desk, ada: Member) -> None:
    by = await operator(desk, host.workspace.id)
    first, second = await passwords.reset_link(desk, by, ada.id), await passwords.reset_link(desk, by, ada.id)
    session = await passwords.reset(desk, first.text, new=SECOND, address=FROM)
    assert await found(desk, session) is not None
    for link in (first, second):
        with refused(LINK_ENDED):
            await passwords.reset(desk, link.text, new=FIRST, address=FROM)
    third = await passwords.reset_link(desk, by, ada.id)
    host.clock.pass_seconds(passwords.RESET_SECONDS)
    with refused(LINK_ENDED):
        await passwords.reset(desk, third.text, new=FIRST, address=FROM)


async def test_of_two_who_use_a_reset_link_at_once_one_gets_in(host: Host, desk: Desk, ada: Member) -> None:
    link = await passwords.reset_link(desk, await operator(desk, host.workspace.id), ada.id)
    both = [passwords.reset(desk, link.text, new=f"{SECOND} {n}", address=FROM) for n in range(2)]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert [True, False] == sorted((isinstance(one, SignedIn) for one in ended), reverse=True)


async def test_no_link_of_one_purpose_serves_another(host: Host, desk: Desk, ada: Member) -> None:
    sign_in = await sessions.sign_in_link(desk, ada.person_id, host.workspace.id)
    reset = await passwords.reset_link(desk, await operator(desk, host.workspace.id), ada.id)
    with refused(LINK_ENDED):
        await passwords.reset(desk, sign_in.text, new=SECOND, address=FROM)
    with refused(SESSION_ENDED):
        await sessions.redeem(desk, reset.text)


async def test_admin_opens_nobody_who_is_elsewhere_too_and_no_owner(host: Host, desk: Desk, ada: Member, actors: Actors) -> None:
    admin = await actors.sign_in("bo", Role.ADMIN)
    neighbour = await host.other_workspace()
    plain = await host.rack.members.add(host.workspace.id, email="cy@acme.test", name="Cy")
    assert await passwords.reset_link(desk, admin, plain.id)
    with refused(INSUFFICIENT_PERMISSION, "owner"):
        await passwords.reset_link(desk, admin, ada.id)
    await host.rack.members.add(neighbour.workspace.id, email="cy@acme.test", name="Cy")
    with refused(CONFLICT, "other workspaces"):
        await passwords.reset_link(desk, admin, plain.id)
    with refused(INSUFFICIENT_PERMISSION, "credential"):
        await passwords.reset_link(desk, await actors.behind(await host.key(ADMIN_RIGHTS)), plain.id)


async def test_password_that_anybody_would_try_is_refused(desk: Desk) -> None:
    for password in ("short", "aaaaaaaaaaaaaaa", "1234567890", "ada@acme.test", "Password2024!", "x" * 201):
        with refused(INVALID_REQUEST):
            passwords.check(desk, password, "ada@acme.test")


async def test_proof_lasts_ten_minutes_and_is_renewed_by_the_password(host: Host, desk: Desk, ada: Member) -> None:
    secret = (await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM)).secret.text

    async def now() -> Principal:
        session = await sessions.find(desk, secret)
        assert session is not None
        return session

    sessions.require_proof(desk, await now())
    host.clock.pass_seconds(601)
    with refused(PROOF_REQUIRED):
        sessions.require_proof(desk, await now())
    with refused(SIGN_IN_FAILED):
        await sessions.prove(desk, await now(), password=SECOND, address=FROM)
    await sessions.prove(desk, await now(), password=FIRST, address=FROM)
    sessions.require_proof(desk, await now())
    with refused(PROOF_REQUIRED):
        link = await sessions.sign_in_link(desk, ada.person_id, host.workspace.id)
        by_link = await found(desk, await sessions.redeem(desk, link.text))
        assert by_link is not None
        sessions.require_proof(desk, by_link)
    with refused(INSUFFICIENT_PERMISSION):
        sessions.require_proof(desk, host.owner)


async def test_sign_out_everywhere_ends_every_session_in_every_workspace(host: Host, desk: Desk, ada: Member) -> None:
    neighbour = await host.other_workspace()
    await host.rack.members.add(neighbour.workspace.id, email="ada@acme.test", name="Ada")
    here = await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM, workspace_id=host.workspace.id)
    there = await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM, workspace_id=neighbour.workspace.id)
    session = await found(desk, here)
    assert session is not None
    await sessions.end_all(desk, session, but_this=True)
    assert (True, False) == (await found(desk, here) is not None, await found(desk, there) is not None)
    await sessions.end_all(desk, session)
    assert await found(desk, here) is None


async def test_deactivated_person_is_told_so_only_with_the_password(host: Host, desk: Desk, ada: Member, actors: Actors) -> None:
    await actors.sign_in("olga", Role.OWNER)
    await host.rack.members.edit(host.workspace.id, ada.id, status=MemberStatus.INACTIVE)
    with refused(SIGN_IN_FAILED):
        await signed_in(desk, SECOND)
    with refused(SESSION_ENDED):
        await signed_in(desk)


async def test_first_person_comes_in_by_a_link_that_works_once(host: Host, desk: Desk) -> None:
    assert await set_ups.needed(desk)
    old, link = await set_ups.link(desk), await set_ups.link(desk)
    given = {"workspace_name": "Aurora", "name": "Ada", "email": "ada@aurora.test", "password": FIRST, "address": FROM}
    with refused(LINK_ENDED):
        await set_ups.complete(desk, old.text, **given)
    both = await asyncio.gather(*[set_ups.complete(desk, link.text, **given) for _ in range(2)], return_exceptions=True)
    (session,) = [one for one in both if isinstance(one, SignedIn)]
    owner = await found(desk, session)
    assert owner is not None
    assert ("Aurora", True) == (owner.workspace.name, owner.is_admin)
    assert not await set_ups.needed(desk)
    with refused(CONFLICT):
        await set_ups.link(desk)
    with refused(LINK_ENDED):
        await set_ups.complete(desk, link.text, **given | {"email": "eve@aurora.test"})


async def test_what_is_over_is_forgotten_after_a_week(host: Host, desk: Desk, ada: Member) -> None:
    old = await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM)
    host.clock.pass_seconds(sessions.SESSION_SECONDS_MAX + 7 * 24 * 3600 + 1)
    new = await sessions.sign_in(desk, email="ada@acme.test", password=FIRST, address=FROM)
    await next(job for job in host.rack.assembly.jobs._jobs if job.name == "prune_sessions").run()
    async with desk.store.changing() as c:
        assert not await session_rows.end(c, host.workspace.id, old.session.id, host.clock.now())
        assert await session_rows.end(c, host.workspace.id, new.session.id, host.clock.now())
