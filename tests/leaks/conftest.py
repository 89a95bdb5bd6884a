"""A host that believes a scanner of the test's own, and mails to nobody until it is told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import events
from keyrack.model.events import Event
from keyrack.model.mail import Mail
from keyrack.work import mail
from tests.backends import Backend
from tests.hosts import Host, running
from tests.leaks.github import Github, publishing


@pytest.fixture
async def github() -> AsyncIterator[Github]:
    """GitHub, with one key."""
    async with publishing(Github()) as one:
        yield one


MAILING: dict[str, Any] = {"mail_from": "a@acme.example", "smtp_url": "smtp://127.0.0.1:9", "base_url": "https://acme.example"}


@pytest.fixture
async def host(backend: Backend, tmp_path: Path, github: Github) -> AsyncIterator[Host]:
    """A host that mails, whose jobs the test does by itself, on each kind of database."""
    async with running(backend, tmp_path, github_keys_url=github.url, **MAILING) as one:
        await one.rack.assembly.jobs.stop()
        yield one


@pytest.fixture
async def listening(tmp_path: Path, github: Github) -> AsyncIterator[Host]:
    """The same, for what does not depend on the database."""
    async with running(Backend.in_folder(tmp_path), tmp_path, github_keys_url=github.url, **MAILING) as one:
        await one.rack.assembly.jobs.stop()
        yield one


async def told(host: Host, kind: str = "key.leaked") -> list[Event]:
    """The events of a type, oldest first."""
    return await events.page(host.rack.assembly.desk, host.owner, limit=1000, after=0, kind=kind)


async def mailed(host: Host) -> list[Mail]:
    """Send what waits, and return it by its receivers."""
    sent: list[Mail] = []

    async def send(one: Mail) -> None:
        sent.append(one)

    while await mail.deliver(host.rack.assembly.desk, send):
        pass
    return sorted(sent, key=lambda one: one.to)
