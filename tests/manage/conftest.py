"""Changes and queries are kept to their word on both databases, through the real assembly."""

import pytest

from keyrack.crypto.digest import digest
from keyrack.manage import sessions
from keyrack.manage.desk import Desk
from keyrack.manage.keys import Issued
from keyrack.model.members import Role
from keyrack.model.principals import Principal
from tests.hosts import Host


@pytest.fixture
def desk(host: Host) -> Desk:
    """What changes are made with."""
    return host.rack.assembly.desk


class Actors:
    """Who can act in the host's workspace: people who sign in, and keys."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def sign_in(self, name: str, role: Role) -> Principal:
        """Add a member of this role, and sign them in."""
        desk, workspace = self._host.rack.assembly.desk, self._host.workspace
        member = await self._host.rack.members.add(workspace.id, email=f"{name}@acme.test", name=name, role=role)
        link = await sessions.sign_in_link(desk, member.person_id, workspace.id)
        signed_in = await sessions.redeem(desk, link.text)
        session = await sessions.find(desk, signed_in.secret.text)
        assert session is not None
        return session

    async def behind(self, key: Issued) -> Principal:
        """Return whom a key proves at this moment."""
        principal = await self._host.rack.assembly.look_ups.prove(digest(key.secret.text.encode()))
        assert principal is not None
        return principal


@pytest.fixture
def actors(host: Host) -> Actors:
    """Who can act."""
    return Actors(host)
