"""People who come to the console of a test's workspace."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from keyrack.console import sign_in_url
from keyrack.manage import sessions
from keyrack.manage.desk import Desk
from keyrack.model.members import Member
from tests.console.browser import Browser
from tests.hosts import Host

SIGN_IN = "/console/sign-in"


@dataclass
class Office:
    """A host, its members Ada (owner), Bo (admin) and Cy (member), and browsers for them."""

    host: Host
    new_client: Callable[[], Awaitable[httpx.AsyncClient]]
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """What the manage layer works with."""
        return self.host.rack.assembly.desk

    async def link(self, name: str = "Ada", valid_seconds: int | None = 60) -> str:
        """Make a sign-in link for a member."""
        member = self.members[name]
        secret = await sessions.sign_in_link(self.desk, member.person_id, member.workspace_id, valid_seconds)
        return sign_in_url("http://acme.test", secret)

    async def browser(self) -> Browser:
        """A browser in which nobody has signed in."""
        return Browser(await self.new_client())

    async def signed_in(self, name: str = "Ada") -> Browser:
        """A browser in which a member has signed in."""
        browser = await self.browser()
        page = await browser.submit(await browser.open(await self.link(name)), SIGN_IN)
        assert 200 == page.status
        return browser

    async def signed_in_over_https(self, name: str = "Ada") -> Browser:
        """A browser in which a member has signed in to a host whose address is `https://acme.example`."""
        client = await self.new_client()
        client.base_url = httpx.URL("https://acme.example")
        browser = Browser(client)
        link = (await self.link(name)).replace("http://acme.test", "https://acme.example")
        assert 200 == (await browser.submit(await browser.open(link), SIGN_IN)).status
        return browser
