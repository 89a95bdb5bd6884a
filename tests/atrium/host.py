"""Atrium as a caller sees it, in a workspace of the test's own."""

from dataclasses import dataclass
from typing import Any

import httpx

from keyrack import Keyrack, new_id
from keyrack.manage import keys
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights

EVERYTHING = Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})


@dataclass
class Host:
    """A workspace of a running Atrium with one member, called with a key named `local-dev` that may do everything."""

    rack: Keyrack
    client: httpx.AsyncClient
    workspace_id: str
    member_id: str
    secret: str

    @classmethod
    async def create(cls, rack: Keyrack, client: httpx.AsyncClient) -> "Host":
        """Make a workspace with a member and a key."""
        workspace = await rack.workspaces.create("VML", slug=f"vml-{new_id()}")
        member = await rack.members.add(workspace.id, name="Ada Park", email=f"ada@{workspace.id[4:]}.example")
        operator = await rack.workspaces.operator(workspace.id)
        issued = await keys.create(rack.assembly.desk, operator, name="local-dev", rights=EVERYTHING)
        return cls(rack, client, workspace.id, member.id, issued.secret.text)

    async def stranger(self) -> "Host":
        """Return another workspace of the same Atrium."""
        return await Host.create(self.rack, self.client)

    async def create_space(self, name: str) -> str:
        """Make a space and return its id."""
        return (await self.rack.spaces.create(self.workspace_id, name=name)).id

    async def get(self, path: str) -> httpx.Response:
        """Read."""
        return await self.call("GET", path)

    async def post(self, path: str, body: object) -> httpx.Response:
        """Create."""
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: object) -> httpx.Response:
        """Change."""
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> httpx.Response:
        """Delete."""
        return await self.call("DELETE", path)

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send one call. A path that is a whole URL, as in a `Link` header, is followed as it is."""
        url = path if path.startswith("http") else f"/api/v1{path}"
        return await self.client.request(method, url, json=body, headers={"Authorization": f"Bearer {self.secret}"})
