"""A host whose plans are a test's own, with routes that cost and count."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from keyrack import Keyrack, Limit, Meter, Plan, Settings
from keyrack.manage import keys
from keyrack.model.principals import Mode
from tests.hosts import ALL_RIGHTS, BRAND, CATEGORIES, Host, build_app, client_of, living

MESSAGES = Meter("messages", "Messages")
EXPORTS = Meter("exports", "Exports", unit="rows", window="day")


def scarce(name: str, burst: int, **options: Any) -> Limit:
    """Return a limit that admits so many calls; the next one comes back in an hour."""
    return Limit(name, quota=1, window_seconds=3600, burst=burst, **options)


def app_of(
    data: Path, plans: Sequence[Plan], meters: Sequence[Meter] = (), report_cost: int = 2, **options: Any
) -> tuple[Keyrack, FastAPI]:
    """Return a host under these plans."""
    rack = Keyrack(Settings(data=data, **options), brand=BRAND, categories=CATEGORIES, plans=plans, meters=meters)
    app = build_app(rack)
    _add_reports(app, rack, report_cost)
    _add_notes(app, rack)
    rack.install(app)
    return rack, app


@asynccontextmanager
async def limited(data: Path, plans: Sequence[Plan], meters: Sequence[Meter] = (), **options: Any) -> AsyncIterator[Host]:
    """Run a host under these plans; its workspace has the first."""
    rack, app = app_of(data, plans, meters, **options)
    async with living(app), client_of(rack, app) as host:
        yield host


async def usage_after_restart(key: keys.Issued, data: Path, plans: Sequence[Plan], meters: Sequence[Meter], **options: Any) -> Any:
    """Return the usage that another process on the same data tells of."""
    _, app = app_of(data, plans, meters, **options)
    async with living(app), httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://acme.test") as client:
        return (await client.get("/api/v1/usage", headers={"Authorization": f"Bearer {key.secret.text}"})).json()


async def second_key(host: Host, issued: keys.Issued, mode: Mode = Mode.LIVE) -> keys.Issued:
    """Make another key of the same integration."""
    return await keys.create(host.rack.assembly.desk, host.owner, name="second", integration_id=issued.integration.id, mode=mode)


async def calls(host: Host, key: keys.Issued, count: int, path: str = "/api/v1/customers") -> list[int]:
    """Call so often, one after the other; return the statuses."""
    return [(await host.get(path, key)).status_code for _ in range(count)]


async def remaining(host: Host, key: keys.Issued) -> dict[str, int]:
    """Return what is left of each policy, as the API tells it."""
    answer = await host.get("/api/v1/rate_limit", key)
    assert 200 == answer.status_code
    return {policy["name"]: policy["burst_remaining"] for policy in answer.json()["policies"]}


def violated(answer: httpx.Response) -> list[str]:
    """Return which policies an answer says were violated."""
    assert 429 == answer.status_code
    found: list[str] = answer.json()["violated-policies"]
    return found


def _add_reports(app: FastAPI, rack: Keyrack, cost: int) -> None:
    @app.get("/api/v1/report", dependencies=[rack.requires("customers:read", cost=cost)])
    async def report() -> None:
        return None

    @app.get("/api/v1/status", dependencies=[rack.requires("customers:read", cost=0)])
    async def status() -> None:
        return None


def _add_notes(app: FastAPI, rack: Keyrack) -> None:
    @app.post("/api/v1/notes", dependencies=[rack.requires("customers:write")])
    async def note(units: int = 1) -> dict[str, int]:
        await rack.count(MESSAGES, units)
        return {"units": units}

    @app.post("/api/v1/public-notes", dependencies=[rack.public])
    async def public_note() -> None:
        await rack.count(MESSAGES)


__all__ = ["ALL_RIGHTS", "Host", "Mode", "limited"]
