"""An installation that has grown: people and rights of every kind, ended keys, events in their order, and days of request log."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keyrack import Keyrack, Settings
from keyrack.manage import events, integrations, keys, people, spaces, tokens
from keyrack.model.connector_calls import ConnectorCall
from keyrack.model.connectors import Connector
from keyrack.model.deliveries import State
from keyrack.model.events import Event
from keyrack.model.permissions import Level, Rights, SpaceRole
from keyrack.model.principals import Mode, Principal
from keyrack.model.request_logs import DAY_MS, CredentialUse, RequestLog, terms_of
from keyrack.model.workspaces import Workspace
from keyrack.store import connector_calls, connectors, credential_uses, embed_keys, request_log_days, request_logs
from keyrack.store.database import Store
from keyrack.store.ids import RequestIds, new_id
from keyrack.store.migrations import migrate
from tests.hosts import ADMIN_RIGHTS, ALL_RIGHTS, BRAND, CATEGORIES, PLANS
from tests.store.nouns import an_embed_key

DAYS = 3
LINES = 30
LINES_AT_ONCE = 5000
READ_ONLY = Rights(permissions={"customers": Level.READ})


@dataclass
class Grown:
    """What of the installation a test asks for."""

    workspace: Workspace
    working: keys.Issued
    narrow: keys.Issued
    revoked: keys.Issued
    events: list[Event]


def rack_on(url: str | None, data: Path) -> Keyrack:
    """Return the test host's rack on a database, patient with a busy machine."""
    return Keyrack(Settings(data=data, database_url=url, store_answer_seconds=30), brand=BRAND, categories=CATEGORIES, plans=PLANS)


async def grow(url: str | None, data: Path, lines: int = LINES) -> Grown:
    """Make an installation and use it."""
    rack = rack_on(url, data)
    await migrate(rack.settings.store_url, rack.settings.traffic_url)
    try:
        return await _grown(rack, lines)
    finally:
        # As the end of its process would.
        await rack.assembly.feed.stop()
        await rack.assembly.store.close()


async def opened(url: str | None, data: Path, use: Callable[[Keyrack], Awaitable[object]]) -> None:
    """Use an installation as a command does, and close it."""
    rack = rack_on(url, data)
    try:
        await use(rack)
    finally:
        # As the end of its process would.
        await rack.assembly.feed.stop()
        await rack.assembly.store.close()


async def _grown(rack: Keyrack, lines: int) -> Grown:
    desk = rack.assembly.desk
    workspace = await rack.workspaces.create("VML – Zürich 東京", slug="vml", owner_email="robin@vml.example", owner_name="Robin")
    owner = await rack.workspaces.operator(workspace.id)
    working = await keys.create(desk, owner, name="working", rights=ALL_RIGHTS)
    narrow = await keys.create(desk, owner, name="narrow", rights=READ_ONLY, mode=Mode.TEST)
    revoked = await keys.create(desk, owner, name="revoked", rights=ALL_RIGHTS, ip_ranges=("10.0.0.0/8",))
    await keys.create(desk, owner, name="admin", rights=ADMIN_RIGHTS)
    space = await spaces.create(desk, owner, "Project")
    await integrations.set_space_role(desk, owner, narrow.key.integration_id, space.id, SpaceRole.VIEWER)
    await keys.revoke(desk, owner, revoked.key.id)
    await _hold_tokens(rack, workspace)
    async with rack.assembly.store.changing() as c:
        await embed_keys.add(c, an_embed_key(workspace.id))
    await _connect(rack, workspace)
    await log(rack.assembly.store, workspace, working.key.id, lines)
    return Grown(workspace, working, narrow, revoked, await _events(rack, owner))


async def _connect(rack: Keyrack, workspace: Workspace) -> None:
    """An account at a vendor, what an event became there, and what the vendor calls the thing."""
    store = rack.assembly.store
    of: dict[str, Any] = {"workspace_id": workspace.id, "vendor": "stripe", "created_at": 1, "updated_at": 1}
    made: dict[str, Any] = {"made_by": "operator", "made_by_name": "command line", "settings": {}, "tails": {"api_key": "…6789"}}
    connector = Connector(id=new_id(), name="Stripe", events=("customer.created",), sealed=b"sealed", **of, **made)
    about: dict[str, Any] = {"event_id": new_id(), "event_type": "customer.created", "object_id": new_id(), "position": 1}
    call = ConnectorCall(
        id=new_id(), connector_id=connector.id, mode=Mode.LIVE, state=State.SUCCEEDED, request={"name": "Ünïcode"}, **of, **about
    )
    async with store.changing() as c:
        await connectors.add(c, connector)
    async with store.writing_traffic() as c:
        await connector_calls.add_new(c, [call])
        await connector_calls.save_link(c, workspace.id, connector.id, call.object_id, "cus_1", 1)


async def _hold_tokens(rack: Keyrack, workspace: Workspace) -> None:
    desk = rack.assembly.desk
    mira = await rack.members.add(workspace.id, email="mira@vml.example", name="Mira", may_use_api=True)
    acting = replace(people.acting_as(desk, workspace, mira.id, mira.name), rights=mira.rights)
    await tokens.generate(desk, acting)
    await tokens.create(desk, acting, name="Zapier", rights=READ_ONLY)


async def _events(rack: Keyrack, owner: Principal) -> list[Event]:
    return await events.page(rack.assembly.desk, owner, limit=100)


async def log(store: Store, workspace: Workspace, credential_id: str, lines: int) -> None:
    """Add lines of the last days, as the mover does."""
    ids, end = RequestIds(), workspace.created_at
    for start in range(0, lines, LINES_AT_ONCE):
        made = []
        for number in range(start, min(start + LINES_AT_ONCE, lines)):
            at = end - DAYS * DAY_MS * (lines - number) // lines
            path = f"/api/v1/customers/c{number % 97}"
            made.append(
                RequestLog(ids.new(at), at, workspace.id, path, "/api/v1/customers/{customer}", "GET", 200, credential_id=credential_id)
            )
        await request_log_days.make(store, {line.created_at // DAY_MS for line in made})
        async with store.writing_traffic() as c:
            await request_logs.add(c, made, terms_of(made))
            await credential_uses.save(c, [CredentialUse(credential_id, workspace.id, end, "192.0.2.7")])
