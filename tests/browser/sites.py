"""Atrium under its brands, served on a port of this machine, with a workspace for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser
from uvicorn import Config, Server

from atrium.factory import create_app
from keyrack import Keyrack, Settings, new_id
from keyrack.console import sign_in_url
from keyrack.manage import keys, sessions
from keyrack.manage.desk import Desk
from keyrack.model.members import Member, Role
from keyrack.model.permissions import ALL, Level, Rights
from keyrack.model.principals import Principal
from keyrack.model.workspaces import Workspace
from tests.browser.tools import Validator
from tests.browser.visitor import Visitor

MEMBERS = {"Ada": Role.OWNER, "Bo": Role.ADMIN, "Cy": Role.MEMBER}
EVERYTHING = Rights(permissions={ALL: Level.WRITE})
DESKTOP, PHONE = (1280, 860), (360, 740)
HERE = ["127.0.0.0/8"]
"""The networks that webhooks may go to though they are not public: tests have receivers of their own."""


@dataclass
class Site:
    """Atrium under one brand, served at `url`."""

    url: str
    rack: Keyrack

    @property
    def desk(self) -> Desk:
        """What the manage layer works with."""
        return self.rack.assembly.desk

    async def workspace(self) -> "Scene":
        """Make a workspace with Ada (owner), Bo (admin) and Cy (member)."""
        mark = new_id()
        workspace = await self.rack.workspaces.create("VML", slug=f"vml-{mark}")
        scene = Scene(self, workspace, await self.rack.workspaces.operator(workspace.id))
        for name, role in MEMBERS.items():
            email = f"{name}-{mark}@acme.example"
            scene.members[name] = await self.rack.members.add(workspace.id, email=email, name=f"{name} Park", role=role)
        return scene


@dataclass
class Scene:
    """A workspace of a test's own, and its members."""

    site: Site
    workspace: Workspace
    operator: Principal
    members: dict[str, Member] = field(default_factory=dict)

    async def link(self, name: str = "Ada") -> str:
        """Make a sign-in link for a member: its path below the console."""
        member = self.members[name]
        secret = await sessions.sign_in_link(self.site.desk, member.person_id, self.workspace.id, 60)
        return sign_in_url("", secret).removeprefix("/console")

    async def key(self, name: str = "local-dev", rights: Rights = EVERYTHING, **options: Any) -> keys.Issued:
        """Make a key."""
        return await keys.create(self.site.desk, self.operator, name=name, rights=rights, **options)


class Browsing:
    """Opens windows for the members of workspaces, and closes them with the test."""

    def __init__(self, browser: Browser, validator: Validator, axe: str) -> None:
        self._browser = browser
        self._validator = validator
        self._axe = axe
        self._visitors: list[Visitor] = []

    async def window(self, site: Site, *, size: tuple[int, int] = DESKTOP, scheme: Any = "light", scripts: bool = True) -> Visitor:
        """Open a window in which nobody has signed in."""
        context = await self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
            timezone_id="America/New_York",
        )
        visitor = Visitor(context, await context.new_page(), site.url, self._validator, self._axe)
        self._visitors.append(visitor)
        return visitor

    async def sign_in(self, scene: Scene, name: str = "Ada", **options: Any) -> Visitor:
        """Open a window in which a member has signed in."""
        visitor = await self.window(scene.site, **options)
        await visitor.open(await scene.link(name))
        await visitor.press("sign-in")
        return visitor

    async def close(self) -> None:
        """Close all windows; none of them may have complained."""
        for visitor in self._visitors:
            await visitor.context.close()
        assert [] == [complaint for visitor in self._visitors for complaint in visitor.complaints]


class Sites:
    """The sites of this test process, each started when the first test asks."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._sites: dict[str, Site] = {}

    async def of(self, brand: str) -> Site:
        """Return the site of a brand."""
        if brand not in self._sites:
            self._sites[brand] = await self._stack.enter_async_context(served(self._folder / brand, brand))
        return self._sites[brand]


@asynccontextmanager
async def served(folder: Path, brand: str, **settings: Any) -> AsyncIterator[Site]:
    """Serve Atrium under a brand, with these settings, for the length of a block."""
    app = create_app(Settings(data=folder, **{"outgoing_networks": HERE, **settings}), brand)
    server = _Quiet(Config(app, port=0, log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=5))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the site did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}", app.state.rack)
    finally:
        server.should_exit = True
        await task


class _Quiet(Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to pytest."""
        yield
