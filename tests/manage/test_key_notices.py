"""Who made a key is told before it expires: twice, and each time once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import events, key_notices, keys
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Issued
from keyrack.model.mail import Mail
from keyrack.model.members import MemberStatus, Role
from keyrack.work import mail
from tests.backends import Backend
from tests.hosts import Host, running
from tests.manage.conftest import Actors

DAY = 24 * 3600 * 1000


@pytest.fixture
async def host(backend: Backend, tmp_path: Path) -> AsyncIterator[Host]:
    """A host that mails, whose jobs the test does by itself."""
    options: dict[str, Any] = {"mail_from": "a@acme.example", "smtp_url": "smtp://127.0.0.1:9", "base_url": "https://acme.example"}
    async with running(backend, tmp_path, **options) as one:
        await one.rack.assembly.jobs.stop()
        yield one


async def told(host: Host) -> list[tuple[str, int]]:
    """The events so far: key and days, oldest first."""
    found = await events.page(host.rack.assembly.desk, host.owner, limit=50, after=0, kind="key.expires_soon")
    return [(event.object_id, event.data["days"]) for event in found]


async def mailed(desk: Desk) -> list[tuple[str, str]]:
    """Send what waits: to whom, and what about."""
    sent: list[Mail] = []

    async def send(one: Mail) -> None:
        sent.append(one)

    await mail.deliver(desk, send)
    return sorted((one.to, one.subject) for one in sent)


async def expiring(host: Host, days: int, name: str = "till") -> Issued:
    """A key that expires in so many days."""
    return await host.key(name=name, expires_at=host.clock.now() + days * DAY)


async def test_maker_is_told_14_and_3_days_before_and_each_time_once(host: Host, desk: Desk, actors: Actors) -> None:
    ada = await actors.sign_in("ada", Role.OWNER)
    made = await keys.create(desk, ada, name="till", expires_at=host.clock.now() + 20 * DAY)
    assert 0 == await key_notices.tell(desk)
    for days in (14, 3):
        host.clock.set((made.key.expires_at or 0) - days * DAY)
        await asyncio.gather(*[key_notices.tell(desk) for _ in range(3)])
        await key_notices.tell(desk)
        assert [("ada@acme.test", f"“till” expires in less than {days} days")] == await mailed(desk)
    assert [(made.key.id, 14), (made.key.id, 3)] == await told(host)


async def test_late_job_tells_once_of_the_nearer_time(host: Host, desk: Desk) -> None:
    made = await expiring(host, 20)
    host.clock.set((made.key.expires_at or 0) - DAY)
    await key_notices.tell(desk)
    assert [(made.key.id, 3)] == await told(host)


async def test_key_that_was_made_for_a_short_time_or_has_ended_is_not_told_of(host: Host, desk: Desk) -> None:
    short, revoked = await expiring(host, 2), await expiring(host, 20)
    await keys.revoke(desk, host.owner, revoked.key.id)
    forever = await host.key(name="forever")
    host.clock.pass_seconds(19 * 24 * 3600)
    await key_notices.tell(desk)
    assert [] == await told(host)
    assert {short.key.expires_at, forever.key.expires_at} != {None}


async def test_longer_life_brings_notices_of_its_own(host: Host, desk: Desk) -> None:
    made = await expiring(host, 20)
    host.clock.pass_seconds(10 * 24 * 3600)
    await key_notices.tell(desk)
    await keys.edit(desk, host.owner, made.key.id, expires_at=host.clock.now() + 30 * DAY)
    await key_notices.tell(desk)
    host.clock.pass_seconds(20 * 24 * 3600)
    await key_notices.tell(desk)
    assert [(made.key.id, 14)] * 2 == await told(host)


async def test_owners_are_told_of_what_a_program_made_or_who_is_gone(host: Host, desk: Desk, actors: Actors) -> None:
    await actors.sign_in("olga", Role.OWNER)
    bo = await actors.sign_in("bo", Role.ADMIN)
    expires_at = host.clock.now() + 20 * DAY
    await keys.create(desk, bo, name="bo's", expires_at=expires_at)
    await expiring(host, 20, "operator's")
    await host.rack.members.edit(host.workspace.id, bo.member_id or "", status=MemberStatus.INACTIVE)
    host.clock.pass_seconds(10 * 24 * 3600)
    await key_notices.tell(desk)
    assert ["olga@acme.test"] * 2 == [to for to, _ in await mailed(desk)]
