"""People at the community of a running Atrium, each with a browser of their own."""

import re
from dataclasses import dataclass

import httpx

from atrium.community.keeper import Keeper
from atrium.database import Database
from keyrack import Keyrack, new_id
from keyrack.manage import sessions
from keyrack.model.members import Member, Role

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Guest:
    """Somebody who has signed in to a workspace of their own."""

    rack: Keyrack
    http: httpx.AsyncClient
    member: Member
    email: str

    async def open(self, path: str = "", status: int = 200) -> str:
        """Open a page of the community, and return its HTML."""
        answer = await self.http.get(f"/community{path}")
        assert status == answer.status_code, f"{path}: {answer.status_code} {answer.text[:400]}"
        return answer.text

    async def send(self, path: str, status: int = 303, **fields: str) -> str:
        """Send a form of the community, and return where it leads, or what it says."""
        answer = await self.http.post(f"/community{path}", data=fields, headers=OWN_PAGE)
        assert status == answer.status_code, f"{path}: {answer.status_code} {answer.text[:400]}"
        return answer.headers["location"].removeprefix("/community") if status == 303 else answer.text

    async def start(self, space: str, title: str, body: str = "Hello") -> str:
        """Start a thread, and return its path."""
        return await self.send(f"/{space}", title=title, body=body)


@dataclass
class Town:
    """An Atrium with its community."""

    rack: Keyrack
    http: httpx.AsyncClient
    keeper: Keeper
    database: Database

    async def guest(self, name: str, *, joins: bool = True) -> Guest:
        """Sign somebody in to a workspace of their own; they join the community, unless they do not."""
        mark = new_id()
        workspace = await self.rack.workspaces.create(f"{name}'s", slug=f"w-{mark}")
        email = f"{name.lower()}-{mark}@acme.example"
        member = await self.rack.members.add(workspace.id, email=email, name=f"{name} Park", role=Role.OWNER)
        guest = await self.signed_in(member)
        if joins:
            assert "" == await guest.send("/join")
        return guest

    async def staff(self, name: str) -> Guest:
        """Sign somebody in who is of the team, as the operator says."""
        guest = await self.guest(name, joins=False)
        await self.rack.members.add(self.keeper.home.workspace_id, email=guest.email, name="", role=Role.ADMIN)
        return guest

    async def signed_in(self, member: Member) -> Guest:
        """Sign a member in."""
        desk = self.rack.assembly.desk
        begun = await sessions.redeem(desk, (await sessions.sign_in_link(desk, member.person_id, member.workspace_id)).text)
        cookies = {f"__Host-{self.rack.brand.key_prefix}_session": begun.secret.text}
        # In this process, as the client that all share.
        http = httpx.AsyncClient(transport=self.http._transport, base_url=self.http.base_url, cookies=cookies, timeout=30)
        return Guest(self.rack, http, member, member.email)


def threads_in(html: str) -> list[str]:
    """Return the titles of the threads in a list, in its order."""
    return re.findall(r'data-control="community.thread">([^<]*)<', html)
