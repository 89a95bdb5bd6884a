"""Atrium in this process, with recorders where its vendors are. Nothing goes out before a test says so: `settle` does what is due."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from atrium.factory import create_app
from keyrack import Keyrack, Settings
from keyrack.manage import connector_calls, connectors, keys
from keyrack.manage.desk import Desk
from keyrack.model.connector_calls import ConnectorCall
from keyrack.model.connectors import Connector
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from keyrack.model.principals import Mode, Principal
from keyrack.work.connectors.calls import ConnectorCalls
from tests.backends import Backend, copy_files
from tests.connectors import recorders
from tests.connectors.recorders import Recorder, recording
from tests.hosts import living

EVERYTHING = Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})
SLACK_TOKEN = "xoxb-0123456789-abcdefSLACKSECRET"
RESEND_KEY = "re_abcdefRESENDSECRET0123"
STRIPE_KEY = "sk_test_abcdefSTRIPESECRET0123"
SETTINGS: dict[str, dict[str, str]] = {
    "slack": {"token": SLACK_TOKEN, "channel": "C0123456789"},
    "resend": {"api_key": RESEND_KEY, "from": "Aurora <hello@vml.example>"},
    "stripe": {"api_key": STRIPE_KEY},
}


@dataclass
class Vendors:
    """The recorders."""

    slack: Recorder
    resend: Recorder
    stripe: Recorder

    @property
    def all(self) -> list[Recorder]:
        """All of them."""
        return [self.slack, self.resend, self.stripe]


@dataclass
class Scene:
    """A workspace of a running Atrium, a live and a test key that may do everything, and its vendors."""

    rack: Keyrack
    client: httpx.AsyncClient
    operator: Principal
    live: str
    test: str
    vendors: Vendors
    calls: ConnectorCalls

    @property
    def table(self) -> str:
        """The table of calls, as SQL names it."""
        return "keyrack.keyrack_connector_calls" if self.desk.store.dialect == "postgresql" else "keyrack_connector_calls"

    @property
    def desk(self) -> Desk:
        """The rack's desk."""
        return self.rack.assembly.desk

    async def call(self, method: str, path: str, body: Any = None, *, secret: str | None = None, **headers: str) -> httpx.Response:
        """Call Atrium."""
        given = {"Authorization": f"Bearer {secret or self.live}", **headers}
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=given)

    async def connect(self, vendor: str, **options: Any) -> Connector:
        """Connect an account."""
        return await connectors.create(self.desk, self.operator, vendor=vendor, settings=SETTINGS[vendor], **options)

    async def customer(self, name: str = "Aurora Outfitters", secret: str | None = None) -> dict[str, Any]:
        """Create a customer."""
        made = await self.call("POST", "/customers", {"name": name, "domain": "aurora.com"}, secret=secret)
        assert made.status_code == 201
        return dict(made.json())

    async def settle(self, turns: int = 4) -> None:
        """Have every event become what it becomes, and everything go out that is due."""
        while await self.calls.read():
            continue
        for _ in range(turns):
            await self.calls.turn()
            await self.calls.settle()

    async def log(self, connector: Connector) -> list[ConnectorCall]:
        """Return a connector's log, oldest first."""
        found = await connector_calls.page(self.desk, self.operator, connector.id, limit=100)
        return sorted(found, key=lambda call: call.position)

    async def due_now(self) -> None:
        """Let the time pass for which calls wait."""
        async with self.desk.store.writing_traffic() as c:
            await c.execute_values(f"UPDATE {self.table} SET due_at = 1, claimed_until = NULL WHERE due_at IS NOT NULL", ())


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    """Slack, Resend and Stripe."""
    async with recording(recorders.slack) as slack, recording(recorders.resend) as resend, recording(recorders.stripe) as stripe:
        yield Vendors(slack, resend, stripe)


@pytest.fixture
async def scene(tmp_path: Path, migrated_files: Path, vendors: Vendors) -> AsyncIterator[Scene]:
    """A workspace, on files: what each database does differently is asked where calls are made (`test_calls.py`)."""
    copy_files(migrated_files, tmp_path)
    async with scene_on(Backend.in_folder(tmp_path), tmp_path, vendors) as one:
        yield one


@asynccontextmanager
async def scene_on(backend: Backend, folder: Path, vendors: Vendors) -> AsyncIterator[Scene]:
    """Run Atrium on a database, with a workspace."""
    settings = Settings(
        data=folder,
        database_url=backend.url,
        slack_url=f"{vendors.slack.url}/api/",
        slack_hooks_url=vendors.slack.url,
        resend_url=vendors.resend.url,
        stripe_url=vendors.stripe.url,
    )
    app = create_app(settings)
    rack: Keyrack = app.state.rack
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with living(app), httpx.AsyncClient(transport=transport, base_url="http://atrium.test") as client:
        workspace = await rack.workspaces.create("VML", slug="vml")
        operator = await rack.workspaces.operator(workspace.id)
        live, test = [
            (await keys.create(rack.assembly.desk, operator, name=mode.value, rights=EVERYTHING, mode=mode)).secret.text
            for mode in (Mode.LIVE, Mode.TEST)
        ]
        # Those of the host would begin whenever their second is over.
        await rack.assembly.connector_calls.stop()
        scene = Scene(rack, client, operator, live, test, vendors, ConnectorCalls(rack.assembly.desk))
        await scene.calls.read()
        yield scene
        await scene.calls.stop()
