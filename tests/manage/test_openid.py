"""Signing in through an OpenID provider, against one that runs here."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import openid, passwords, sessions
from keyrack.manage.desk import Desk
from keyrack.manage.operators import operator
from keyrack.model.members import Member, MemberStatus, Role
from keyrack.model.principals import Principal
from keyrack.model.refusals import CONFLICT, PROOF_REQUIRED, SESSION_ENDED, SIGN_IN_FAILED, STORE_UNAVAILABLE
from keyrack.testing import FrozenClock
from tests.backends import Backend
from tests.hosts import Host, running
from tests.manage.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, a_key, providing
from tests.manage.refused import refused

FROM = "192.0.2.9"
ADA = {"sub": "ada-at-provider", "email": "ada@acme.test", "email_verified": True}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A provider at which Ada signs in."""
    one = Provider(FrozenClock().now, claims=dict(ADA))
    async with providing(one):
        yield one


@pytest.fixture
async def host(backend: Backend, tmp_path: Path, provider: Provider) -> AsyncIterator[Host]:
    """A host that trusts the provider."""
    options: dict[str, Any] = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(running(backend, tmp_path, base_url="https://acme.example", **options))
        provider.now = one.clock.now
        yield one


@pytest.fixture
async def ada(host: Host) -> Member:
    """An owner, who has no password."""
    return await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada", role=Role.OWNER)


async def signed_in(desk: Desk, provider: Provider, **options: Any) -> Principal:
    """Sign in, and return who that is."""
    begun = await openid.begin(desk, **options)
    finished = await openid.finish(desk, begun.kept, provider.authorize(begun.url), address=FROM)
    found = await sessions.find(desk, finished.signed_in.secret.text)
    assert found is not None
    return found


async def test_verified_email_of_a_member_signs_in_with_a_proof(host: Host, desk: Desk, provider: Provider, ada: Member) -> None:
    begun = await openid.begin(desk, return_to="/console/keys")
    finished = await openid.finish(desk, begun.kept, provider.authorize(begun.url), address=FROM)
    assert "/console/keys" == finished.return_to
    session = await sessions.find(desk, finished.signed_in.secret.text)
    assert session is not None
    assert ada.id == session.member_id
    sessions.require_proof(desk, session)


async def test_person_is_known_by_the_providers_id_from_then_on(desk: Desk, provider: Provider, ada: Member) -> None:
    await signed_in(desk, provider)
    provider.claims = {"sub": ADA["sub"], "email": "renamed@acme.test", "email_verified": False}
    assert ada.id == (await signed_in(desk, provider)).member_id
    provider.claims = {**ADA, "sub": "somebody who got the address later"}
    assert ada.id == (await signed_in(desk, provider)).member_id


async def test_email_that_is_not_verified_or_not_invited_signs_nobody_in(desk: Desk, provider: Provider, ada: Member) -> None:
    wrong: list[dict[str, Any]] = [{"email_verified": said} for said in (False, "true", None)]
    for claims in (*wrong, {"email": "eve@acme.test"}, {"email": ""}):
        provider.claims = ADA | claims
        with refused(SIGN_IN_FAILED, "invited"):
            await signed_in(desk, provider)


SPOILED: list[Callable[[dict[str, Any]], None]] = [
    lambda claims: claims.update(nonce="another"),
    lambda claims: claims.update(aud="another client"),
    lambda claims: claims.update(iss="https://evil.example"),
    lambda claims: claims.update(exp=1),
    lambda claims: claims.update(aud=[CLIENT_ID, "another client"]),
    lambda claims: claims.pop("nonce"),
    lambda claims: claims.pop("sub"),
]


async def test_token_that_is_not_for_this_sign_in_is_refused(desk: Desk, provider: Provider, ada: Member) -> None:
    for spoil in SPOILED:
        provider.spoil = spoil
        with refused(SIGN_IN_FAILED):
            await signed_in(desk, provider)


async def test_token_that_another_key_signed_is_refused(desk: Desk, provider: Provider, ada: Member) -> None:
    provider.signs_with = a_key(2)
    with refused(SIGN_IN_FAILED, "trusted"):
        await signed_in(desk, provider)


async def test_answer_counts_once_in_the_browser_that_asked_and_within_ten_minutes(
    host: Host, desk: Desk, provider: Provider, ada: Member
) -> None:
    begun, others = await openid.begin(desk), await openid.begin(desk)
    back = provider.authorize(begun.url)
    for kept, params in (
        (others.kept, back),
        (begun.kept, {**back, "state": ""}),
        (begun.kept, {**back, "iss": "https://evil.example"}),
        (begun.kept, {"state": back["state"], "error": "access_denied"}),
        (begun.kept[:-8] + "AAAAAAAA", back),
        ("", back),
    ):
        with refused(SIGN_IN_FAILED):
            await openid.finish(desk, kept, params, address=FROM)
    await openid.finish(desk, begun.kept, back, address=FROM)
    with refused(SIGN_IN_FAILED, "begin it again"):
        await openid.finish(desk, begun.kept, back, address=FROM)
    late = provider.authorize(others.url)
    host.clock.pass_seconds(601)
    with refused(SIGN_IN_FAILED, "too long"):
        await openid.finish(desk, others.kept, late, address=FROM)


async def test_old_proof_at_the_provider_is_no_fresh_one_here(host: Host, desk: Desk, provider: Provider, ada: Member) -> None:
    for said in (host.clock.now() // 1000 - 601, None, True):
        provider.claims["auth_time"] = said
        with refused(PROOF_REQUIRED):
            sessions.require_proof(desk, await signed_in(desk, provider))
    provider.claims.pop("auth_time")
    sessions.require_proof(desk, await signed_in(desk, provider, prove=True))
    assert ("0", "login") == (provider.asked["max_age"], provider.asked["prompt"])


async def test_password_that_somebody_chose_for_an_unproven_email_ends(host: Host, desk: Desk, provider: Provider, ada: Member) -> None:
    link = await passwords.reset_link(desk, await operator(desk, host.workspace.id), ada.id)
    mallory = await passwords.reset(desk, link.text, new="correct horse battery", address=FROM)
    await signed_in(desk, provider)
    assert await sessions.find(desk, mallory.secret.text) is None
    with refused(SIGN_IN_FAILED):
        await sessions.sign_in(desk, email="ada@acme.test", password="correct horse battery", address=FROM)


async def test_deactivated_member_gets_in_no_more(host: Host, desk: Desk, provider: Provider, ada: Member) -> None:
    await host.rack.members.add(host.workspace.id, email="bo@acme.test", name="Bo", role=Role.OWNER)
    await signed_in(desk, provider)
    await host.rack.members.edit(host.workspace.id, ada.id, status=MemberStatus.INACTIVE)
    with refused(SESSION_ENDED):
        await signed_in(desk, provider)


async def test_provider_that_is_away_is_told_as_such(backend: Backend, tmp_path: Path) -> None:
    options: dict[str, Any] = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "a", "oidc_client_secret": "b"}
    async with running(backend, tmp_path, base_url="https://acme.example", **options) as host:
        with refused(STORE_UNAVAILABLE):
            await openid.begin(host.rack.assembly.desk)
        assert "'b'" not in repr(host.rack.assembly.desk)


async def test_without_a_provider_nobody_begins(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path) as host:
        with refused(CONFLICT):
            await openid.begin(host.rack.assembly.desk)
