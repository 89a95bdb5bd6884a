"""A host whose member lets an app in, on each database in turn."""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from keyrack.manage import apps, consents, members, oauth_tokens, sessions
from keyrack.manage.app_tokens import OwnAccess
from keyrack.manage.desk import Desk
from keyrack.manage.oauth_tokens import Given
from keyrack.model.apps import App
from keyrack.model.members import Role
from keyrack.model.permissions import Level, OrgAccess
from keyrack.model.principals import Principal
from tests.hosts import Host

CALLBACK = "https://app.example/callback"
ISSUER = "http://acme.test"
PATH = "/api/v1/customers"


@pytest.fixture
def desk(host: Host) -> Desk:
    """What changes are made with."""
    return host.rack.assembly.desk


@dataclass
class Parties:
    """An app with its secret, and a member who may use the API, signed in with the cookie's secret."""

    host: Host
    desk: Desk
    app: App
    secret: str
    session: Principal
    cookie: str

    def asking(self, verifier: str, **fields: Any) -> dict[str, str]:
        """What the app asks with."""
        asked = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": CALLBACK,
            "state": "xyz",
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**asked, **fields}.items() if value is not None}

    async def code(self, verifier: str, **fields: Any) -> str:
        """Have the member let the app in, and return its code."""
        wanted = await consents.asked(self.desk, self.session, list(self.asking(verifier, **fields).items()), ISSUER)
        assert wanted.wrong is None
        answer = await consents.allow(self.desk, self.session, wanted, self.host.workspace.id, ISSUER)
        return dict(parse_qsl(urlsplit(answer).query))["code"]

    async def tokens(self, **fields: Any) -> Given:
        """Have the member let the app in, and return its tokens."""
        verifier = a_verifier()
        return await oauth_tokens.redeem(self.desk, self.app, await self.code(verifier, **fields), CALLBACK, verifier)

    async def status(self, given: Given | OwnAccess, method: str = "GET", path: str = PATH, **options: Any) -> int:
        """What a call with an access token is answered."""
        return (await self.host.send(method, path, given.access.text, **options)).status_code

    async def edit(self, **fields: Any) -> None:
        """Change what the member may do."""
        await members.edit(self.desk, self.host.owner, self.session.member_id or "", **fields)


def a_verifier() -> str:
    """A new code verifier."""
    return secrets.token_urlsafe(32)


@pytest.fixture
async def parties(host: Host, desk: Desk) -> Parties:
    """An app that a member can let in."""
    made = await apps.create(desk, host.owner, name="Deal mirror", redirect_uris=[CALLBACK], scopes=["customers:write", "spaces:read"])
    assert made.secret is not None
    rights: dict[str, Any] = {"org_access": OrgAccess.NONE, "permissions": {"customers": Level.WRITE, "onboardings": Level.WRITE}}
    member = await host.rack.members.add(host.workspace.id, email="cy@acme.test", name="Cy", role=Role.MEMBER)
    await members.edit(desk, host.owner, member.id, may_use_api=True, **rights)
    link = await sessions.sign_in_link(desk, member.person_id, host.workspace.id)
    signed_in = await sessions.redeem(desk, link.text)
    session = await sessions.find(desk, signed_in.secret.text)
    assert session is not None
    return Parties(host, desk, made.app, made.secret.text, session, signed_in.secret.text)
