"""Mail: nobody waits for it, nothing of it is lost, and what it holds is read by nobody else."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from keyrack import Settings
from keyrack.manage import invitations, passwords, sessions
from keyrack.manage.desk import Desk
from keyrack.model.mail import Mail
from keyrack.model.members import Role
from keyrack.model.refusals import CONFLICT
from keyrack.store import outbox
from keyrack.work import mail
from keyrack.work.mail import Undeliverable
from tests.backends import Backend
from tests.hosts import Host, running
from tests.mail.receivers import SECONDS_MAX, Received, resend, smtp, text_of
from tests.manage.refused import refused

FROM = "192.0.2.9"
PASSWORD = "correct horse battery"
BASE = "https://acme.example"


@asynccontextmanager
async def by_smtp(backend: Backend, folder: Path) -> AsyncIterator[tuple[Host, Received]]:
    """A host that mails through an SMTP server."""
    async with smtp() as received:
        options: dict[str, Any] = {
            "mail_from": "Acme <no-reply@acme.example>",
            "smtp_url": f"smtp://127.0.0.1:{received.port}",
            "base_url": BASE,
        }
        async with running(backend, folder, **options) as host:
            yield host, received


@asynccontextmanager
async def by_resend(backend: Backend, folder: Path) -> AsyncIterator[tuple[Host, Received]]:
    """A host that mails through Resend."""
    async with resend() as received:
        resend_url = f"http://127.0.0.1:{received.port}"
        options: dict[str, Any] = {
            "mail_from": "no-reply@acme.example",
            "resend_key": "re_a_key",
            "resend_url": resend_url,
            "base_url": BASE,
        }
        async with running(backend, folder, **options) as host:
            yield host, received


def link_in(text: str) -> str:
    """Return the secret of the one link that a text holds."""
    (found,) = set(re.findall(rf"{BASE}/console/[a-z-]+\?link=(\w+)", text))
    return str(found)


async def waiting(desk: Desk) -> int:
    """How many mails were given up."""
    async with desk.store.reading() as c:
        return await outbox.count_failed(c)


async def given_up(desk: Desk) -> None:
    """Return when a mail was given up."""
    while True:
        if await waiting(desk):
            return
        await asyncio.sleep(0.05)


async def test_invitation_goes_by_mail_and_its_link_to_nobody_else(backend: Backend, tmp_path: Path) -> None:
    async with by_smtp(backend, tmp_path) as (host, received):
        desk = host.rack.assembly.desk
        made = await invitations.create(desk, host.owner, email="mira@aurora.test", role=Role.ADMIN)
        assert made.secret is None
        message = await received.next()
        assert ("mira@aurora.test", "Acme <no-reply@acme.example>") == (message["To"], message["From"])
        assert ["text/plain", "text/html"] == [part.get_content_type() for part in message.walk()][1:]
        assert message.get_body(("html",)).get_content().count(link_in(text_of(message))) == 2
        assert await invitations.accept(desk, link_in(text_of(message)), name="Mira", password=PASSWORD, address=FROM)


async def test_mail_that_is_not_taken_is_tried_again_as_the_same(backend: Backend, tmp_path: Path) -> None:
    async with by_resend(backend, tmp_path) as (host, received):
        desk = host.rack.assembly.desk
        received.answers += [500, 429]
        await invitations.create(desk, host.owner, email="mira@aurora.test")
        while received.answers:
            host.clock.pass_seconds(60)
            await asyncio.sleep(0.05)
        host.clock.pass_seconds(3600)
        taken = await received.next()
        assert ("POST /emails HTTP/1.1", "Bearer re_a_key") == (taken["request"], taken["headers"]["authorization"])
        assert (["mira@aurora.test"], "no-reply@acme.example") == (taken["to"], taken["from"])
        assert taken["headers"]["idempotency-key"]
        assert link_in(taken["text"]) == link_in(taken["html"])


async def test_mail_that_nobody_will_ever_take_is_kept_for_the_operator_and_holds_up_no_other(backend: Backend, tmp_path: Path) -> None:
    async with by_smtp(backend, tmp_path) as (host, received):
        desk = host.rack.assembly.desk
        received.answers.append(550)
        await invitations.create(desk, host.owner, email="nobody@aurora.test")
        await asyncio.wait_for(given_up(desk), SECONDS_MAX)
        await invitations.create(desk, host.owner, email="mira@aurora.test")
        assert "mira@aurora.test" == (await received.next())["To"]


async def test_forgotten_password_is_chosen_anew_through_a_mail(backend: Backend, tmp_path: Path) -> None:
    async with by_smtp(backend, tmp_path) as (host, received):
        desk = host.rack.assembly.desk
        await host.rack.members.add(host.workspace.id, email="ada@acme.test", name="Ada")
        for email in ("nobody@acme.test", " ADA@acme.test"):
            await passwords.forgot(desk, email=email, address=FROM)
        message = await received.next()
        assert "ada@acme.test" == message["To"]
        assert "Ada" in text_of(message)
        await passwords.reset(desk, link_in(text_of(message)), new=PASSWORD, address=FROM)
        assert await sessions.sign_in(desk, email="ada@acme.test", password=PASSWORD, address=FROM)
        # Whoever is nobody gets nothing, and waits for nothing.
        async with desk.store.reading() as c:
            assert not await outbox.is_due(c, desk.now())
        assert received.mails.empty()


async def test_two_processes_send_each_mail_once(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path, mail_from="a@acme.example", smtp_url="smtp://127.0.0.1:9", base_url=BASE) as host:
        desk, sent = host.rack.assembly.desk, []

        async def send(one: Mail) -> None:
            sent.append(one.to)

        await host.rack.assembly.jobs.stop()
        host.clock.pass_seconds(3600)
        for number in range(8):
            await invitations.create(desk, host.owner, email=f"m{number}@aurora.test")
        await asyncio.gather(*[mail.deliver(desk, send) for _ in range(4)])
        assert sorted(f"m{number}@aurora.test" for number in range(8)) == sorted(sent)


async def test_mail_of_a_process_that_died_while_sending_is_sent_by_the_next(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path, mail_from="a@acme.example", smtp_url="smtp://127.0.0.1:9", base_url=BASE) as host:
        desk, sent = host.rack.assembly.desk, []

        async def die(_: Mail) -> None:
            raise asyncio.CancelledError

        async def send(one: Mail) -> None:
            sent.append(one.to)

        await host.rack.assembly.jobs.stop()
        await invitations.create(desk, host.owner, email="mira@aurora.test")
        with pytest.raises(asyncio.CancelledError):
            await mail.deliver(desk, die)
        assert 0 == await mail.deliver(desk, send)
        host.clock.pass_seconds(mail.CLAIM_SECONDS)
        assert 1 == await mail.deliver(desk, send)


async def test_mail_is_given_up_after_enough_attempts(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path, mail_from="a@acme.example", smtp_url="smtp://127.0.0.1:9", base_url=BASE) as host:
        desk = host.rack.assembly.desk

        async def fail(_: Mail) -> None:
            raise OSError

        await host.rack.assembly.jobs.stop()
        await invitations.create(desk, host.owner, email="mira@aurora.test")
        for _ in range(mail.ATTEMPTS_MAX):
            assert 0 == await waiting(desk)
            await mail.deliver(desk, fail)
            host.clock.pass_seconds(mail.PAUSE_SECONDS_MAX)
        assert 1 == await waiting(desk)


async def test_without_mail_the_link_is_handed_over_and_nobody_waits_for_one(backend: Backend, tmp_path: Path) -> None:
    async with running(backend, tmp_path) as host:
        desk = host.rack.assembly.desk
        assert (await invitations.create(desk, host.owner, email="mira@aurora.test")).secret is not None
        with refused(CONFLICT, "No mail"):
            await passwords.forgot(desk, email="mira@aurora.test", address=FROM)


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_url": "smtp://localhost"},
        {"smtp_url": "smtp://localhost", "mail_from": "a@b.example"},
        {"smtp_url": "http://localhost", "mail_from": "a@b.example", "base_url": BASE},
        {"smtp_url": "smtp://localhost", "resend_key": "re_x", "mail_from": "a@b.example", "base_url": BASE},
        {"portal_origins": ["https://app.example/path"]},
        {"oidc_issuer": "https://id.example", "base_url": BASE},
    ],
)
def test_settings_that_cannot_work_stop_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_errors_of_sending_tell_nothing_of_the_mail() -> None:
    one = Mail("id", "ada@acme.test", "subject", f"{BASE}/console/x?link=secret", "html")
    assert "secret" not in repr(one)
    assert "" == str(Undeliverable())


async def test_name_with_line_breaks_makes_no_headers(backend: Backend, tmp_path: Path) -> None:
    async with by_smtp(backend, tmp_path) as (host, received):
        inviter = await host.rack.members.add(host.workspace.id, email="eve@acme.test", name="Eve\r\nBcc: all@acme.test", role=Role.OWNER)
        desk = host.rack.assembly.desk
        link = await sessions.sign_in_link(desk, inviter.person_id, host.workspace.id)
        eve = await sessions.find(desk, (await sessions.redeem(desk, link.text)).secret.text)
        assert eve is not None
        await invitations.create(desk, eve, email="mira@aurora.test")
        message = await received.next()
        assert ("Eve Bcc: all@acme.test invites you to VML", None) == (message["Subject"], message["Bcc"])
