"""Connectors: make, edit, switch off and on, delete, and find them. Org-level Admins alone do that, and no test key: a connector works for
what is live.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from keyrack.manage import events as event_places
from keyrack.manage import mail
from keyrack.manage.change import Change, change
from keyrack.manage.desk import Desk
from keyrack.manage.operators import itself
from keyrack.model.connectors import CONNECTORS_MAX, Connector, DisableReason, SettingsProblem, Vendor, tail
from keyrack.model.events import EventType
from keyrack.model.mail import Letter
from keyrack.model.orders import NEWEST, Order, Place
from keyrack.model.principals import Mode, Principal
from keyrack.model.refusals import CONFLICT, INSUFFICIENT_PERMISSION, INVALID_REQUEST, NOT_FOUND, Refused
from keyrack.store import connectors as rows
from keyrack.store import members, workspaces
from keyrack.store.ids import new_id

CONNECTOR_CREATED = EventType("connector.created", description="An account at a vendor was connected.")
CONNECTOR_UPDATED = EventType("connector.updated", description="A connector's name, events or settings were changed.")
CONNECTOR_DISABLED = EventType(
    "connector.disabled", description="A connector sends nothing any more: by choice, or because the vendor takes its credentials no more."
)
CONNECTOR_ENABLED = EventType("connector.enabled", description="A connector sends again.")
CONNECTOR_DELETED = EventType("connector.deleted", description="A connector was deleted for good.")
SEALED_FOR = "connector"
"""The purpose under which a connector's secrets are sealed, for its id."""

ADMINS_TOLD_MAX = 10
VALUE_LENGTH_MAX = 500


async def get(desk: Desk, actor: Principal, connector_id: str) -> Connector:
    """Return a connector. Raises Refused 403 without org-level Admin, 404."""
    actor.require_admin("read connectors")
    async with desk.store.reading() as c:
        return await rows.get(c, actor.workspace.id, connector_id)


async def page(
    desk: Desk,
    actor: Principal,
    *,
    limit: int,
    after: Place | None = None,
    vendor: str | None = None,
    order: Order = NEWEST,
    updated_after: int | None = None,
) -> list[Connector]:
    """Return connectors in an order, from beyond a place in it. Raises Refused 403 without org-level Admin."""
    actor.require_admin("list connectors")
    async with desk.store.reading() as c:
        return await rows.page(c, actor.workspace.id, limit=limit, after=after, vendor=vendor, order=order, updated_after=updated_after)


async def create(
    desk: Desk,
    actor: Principal,
    *,
    vendor: str,
    settings: Mapping[str, str],
    name: str | None = None,
    events: Sequence[str] | None = None,
) -> Connector:
    """Connect an account at a vendor; all events that become something there, unless they are named.

    Raises Refused: 403 without org-level Admin and for test keys; 400 for a vendor, an event or a setting that cannot be; 409 where the
    workspace has too many.
    """
    require_say(actor, "connect accounts")
    offered = vendor_of(desk, vendor)
    given = _given(offered, settings)
    _check(desk, offered, given)
    connector_id = new_id()
    async with change(desk, actor) as c:
        if await rows.count(c.connection, c.workspace_id) >= CONNECTORS_MAX:
            raise CONFLICT(f"A workspace has {CONNECTORS_MAX} connectors at most: delete one that is not needed any more.")
        connector = Connector(
            id=connector_id,
            workspace_id=actor.workspace.id,
            vendor=offered.name,
            name=name or offered.title,
            events=_events(offered, offered.events if events is None else events),
            made_by=actor.owner_id,
            made_by_name=actor.credential_name,
            created_at=c.now,
            updated_at=c.now,
            **_kept(desk, offered, connector_id, given),
        )
        await rows.add(c.connection, connector)
        c.record(CONNECTOR_CREATED, connector.id, shown(connector))
    with suppress(Refused):
        # Its place is what later events are compared with: given before anybody can cause one, whatever their clocks say.
        await event_places.number(desk)
    return connector


async def edit(desk: Desk, actor: Principal, connector_id: str, **fields: Any) -> Connector:
    """Change a connector's `name`, `events`, `settings` or `enabled`, and nothing else; what is not named stays.

    Of the settings those change that are named; an empty text takes one away. New settings connect an account again that the vendor had
    refused. Raises Refused: 404; 403 and 400 as `create` does.
    """
    require_say(actor, "edit connectors")
    async with change(desk, actor) as c:
        connector = await rows.get(c.connection, actor.workspace.id, connector_id)
        edited = _edited(desk, connector, fields, c.now)
        if edited == connector:
            c.found_done()
            return connector
        return await _save(c, connector, edited)


async def delete(desk: Desk, actor: Principal, connector_id: str) -> Connector:
    """Delete a connector and destroy its credentials: a call that is under way ends, none begins after it. Raises Refused 403, 404."""
    require_say(actor, "delete connectors")
    async with change(desk, actor) as c:
        connector = await rows.get(c.connection, actor.workspace.id, connector_id)
        deleted = replace(connector, sealed=None, deleted_at=c.now, deleted_by=actor.credential_name, updated_at=c.now)
        await rows.save(c.connection, deleted)
        c.record(CONNECTOR_DELETED, connector.id, shown(connector))
    return deleted


async def need_reconnection(desk: Desk, called: Connector, problem: str) -> None:
    """Disable a connector whose credentials the vendor takes no more, and tell org-level Admins by mail. Once, however often asked.

    `called` is the connector as the vendor refused it: one that somebody has set anew since then stays on.
    """
    async with desk.store.reading() as c:
        workspace = await workspaces.get(c, called.workspace_id)
    actor = itself(desk, workspace)
    async with change(desk, actor) as c:
        try:
            connector = await rows.get(c.connection, called.workspace_id, called.id)
        except Refused as refused:
            if refused.refusal is not NOT_FOUND:
                raise
            return
        if connector.disabled_at is not None or (connector.sealed, connector.settings) != (called.sealed, called.settings):
            return
        edited = replace(connector, disabled_at=c.now, disable_reason=DisableReason.RECONNECT, problem=problem)
        await _save(c, connector, edited)
        for admin in await members.admins(c.connection, c.workspace_id, now=c.now, limit=ADMINS_TOLD_MAX):
            await mail.queue(desk, c.connection, _letter(desk, admin.email, workspace.name, edited))


def opened(desk: Desk, connector: Connector) -> dict[str, str]:
    """Return how a connector is set, its secrets included: for a call to the vendor alone. Raises ValueError where no key opens them."""
    if connector.sealed is None:
        return dict(connector.settings)
    secrets: dict[str, str] = json.loads(desk.sealers[SEALED_FOR].open(connector.sealed, connector.id))
    return {**connector.settings, **secrets}


def vendor_of(desk: Desk, name: str) -> Vendor:
    """Return what this host offers of a vendor. Raises Refused 400."""
    found = desk.vendors.get(name)
    if found is None:
        offered = ", ".join(desk.vendors) or "none"
        raise INVALID_REQUEST(f"There is no such vendor here. Those that can be connected: {offered}.", param="vendor")
    return found


def shown(connector: Connector) -> dict[str, Any]:
    """What events tell of a connector: nothing of its secrets."""
    same = ("id", "vendor", "name", "problem")
    return {
        **{name: getattr(connector, name) for name in same},
        "events": list(connector.events),
        "settings": dict(connector.settings),
        "enabled": connector.disabled_at is None,
        "disable_reason": connector.disable_reason.value if connector.disable_reason else None,
    }


def require_say(actor: Principal, doing: str) -> None:
    """Refuse with 403 unless this principal manages the workspace, and acts for what is live."""
    actor.require_admin(doing)
    if actor.mode is Mode.TEST:
        raise INSUFFICIENT_PERMISSION(f"A test key calls nobody outside: to {doing}, use a live one.")


async def _save(c: Change, connector: Connector, edited: Connector) -> Connector:
    edited = replace(edited, updated_at=c.now)
    await rows.save(c.connection, edited)
    switched = ("disabled_at", "disable_reason", "problem", "updated_at")
    if replace(edited, **{name: getattr(connector, name) for name in switched}) != connector:
        c.record(CONNECTOR_UPDATED, edited.id, shown(edited))
    if (edited.disabled_at is None) != (connector.disabled_at is None):
        c.record(CONNECTOR_ENABLED if edited.disabled_at is None else CONNECTOR_DISABLED, edited.id, shown(edited))
    return edited


def _edited(desk: Desk, connector: Connector, fields: Mapping[str, Any], now: int) -> Connector:
    vendor = vendor_of(desk, connector.vendor)
    changed: dict[str, Any] = {}
    enabled = fields.get("enabled")
    if "name" in fields:
        changed["name"] = fields["name"]
    if "events" in fields:
        changed["events"] = _events(vendor, fields["events"])
    given = _given(vendor, fields.get("settings", {}))
    before = _opened_or_lost(desk, connector)
    merged = vendor.merged(before, given)
    if merged != before:
        _check(desk, vendor, merged)
        changed |= _kept(desk, vendor, connector.id, merged)
        if enabled is None and connector.disable_reason is DisableReason.RECONNECT:
            enabled = True
    if enabled is True:
        changed |= {"disabled_at": None, "disable_reason": None, "problem": None}
    elif enabled is False and connector.disabled_at is None:
        changed |= {"disabled_at": now, "disable_reason": DisableReason.CHOSEN}
    return replace(connector, **changed)


def _opened_or_lost(desk: Desk, connector: Connector) -> dict[str, str]:
    """Return how a connector is set, without its secrets where the key is gone that they were sealed with: they can be entered again."""
    try:
        return opened(desk, connector)
    except ValueError:
        return dict(connector.settings)


def _given(vendor: Vendor, settings: Mapping[str, str]) -> dict[str, str]:
    known = {one.name for one in vendor.fields}
    for name, value in settings.items():
        if name not in known:
            raise INVALID_REQUEST(f"{vendor.title} is set by {', '.join(sorted(known))}.", param="settings")
        if len(value) > VALUE_LENGTH_MAX or not value.isprintable():
            raise INVALID_REQUEST(f"Write up to {VALUE_LENGTH_MAX} printable characters.", param=f"settings.{name}")
    return {name: value.strip() for name, value in settings.items()}


def _check(desk: Desk, vendor: Vendor, settings: Mapping[str, str]) -> None:
    try:
        vendor.check({name: value for name, value in settings.items() if value}, desk.outside.vendor_urls)
    except SettingsProblem as problem:
        raise INVALID_REQUEST(str(problem), param=f"settings.{problem.param}") from None


def _events(vendor: Vendor, events: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(events))
    if not chosen or not set(chosen) <= set(vendor.events):
        raise INVALID_REQUEST(f"Choose of the events that go to {vendor.title}: {', '.join(vendor.events)}.", param="events")
    return chosen


def _kept(desk: Desk, vendor: Vendor, connector_id: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that hold a connector's settings: its secrets sealed, and of each its last letters."""
    secret = {one.name for one in vendor.fields if one.secret}
    secrets = {name: value for name, value in settings.items() if name in secret and value}
    sealed = desk.sealers[SEALED_FOR].seal(json.dumps(secrets).encode(), connector_id)
    return {
        "settings": {name: value for name, value in settings.items() if name not in secret and value},
        "tails": {name: tail(value) for name, value in secrets.items()},
        "sealed": sealed,
    }


def _letter(desk: Desk, to: str, workspace: str, connector: Connector) -> Letter:
    base_url = desk.outside.base_url
    title = desk.vendors[connector.vendor].title if connector.vendor in desk.vendors else connector.vendor
    return Letter(
        to=to,
        subject=f"Connect {title} again",
        lines=(
            f"{title} does not take the credentials of the connector “{connector.name}” of {workspace} any more: {connector.problem}",
            "It is switched off until somebody connects it again. What is to be sent meanwhile waits for three days.",
        ),
        link=f"{base_url}/console/connectors/{connector.id}" if base_url else None,
        link_label="Open the connector",
    )
