"""A host's own pages for signed-in members: `rack.signed_in`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Form
from sqlalchemy import Column, MetaData, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from keyrack import Caller, EventType, Keyrack, Settings
from keyrack.embed.routes import UndeclaredRoute
from keyrack.gate.pages import return_path
from keyrack.manage import events, sessions
from keyrack.model.members import Role
from keyrack.model.permissions import Level, Rights, SpaceRole
from tests.backends import Backend
from tests.hosts import BRAND, CATEGORIES, PLANS, Host, client_of, living

NOTED = EventType("note.created")
notes = Table("notes", MetaData(), Column("id", Text, primary_key=True), Column("text", Text))
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


class Note:
    """What the host's event tells of."""

    id = "n1"


def build(rack: Keyrack) -> FastAPI:
    """A host with pages."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    engine = rack.host_engine()
    app.state.engine = engine
    read, write = rack.signed_in("customers:read"), rack.signed_in("customers:write")

    @app.get("/customers/open")
    async def open_to_all() -> dict[str, Any]:
        return {"open": True}

    @app.get("/customers/{customer}", dependencies=[read])
    async def show(customer: str, caller: Caller) -> dict[str, Any]:
        return {"customer": customer, "member": caller.name, "may_write": caller.may("customers:write")}

    async def opened() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    @app.post("/customers/{customer}", dependencies=[write])
    async def note(customer: str, session: Annotated[AsyncSession, Depends(opened)], text: str = Form()) -> dict[str, Any]:
        rack.transaction(session)
        await session.execute(insert(notes).values(id="n1", text=text))
        rack.record(session, NOTED, Note())
        if text == "fail":
            await session.flush()
            raise RuntimeError("a secret detail")
        return {"noted": customer}

    @app.get("/spaces/{space_id}", dependencies=[rack.signed_in("messages:read", space="path:space_id")])
    async def space(space_id: str) -> dict[str, Any]:
        return {"space_id": space_id}

    return app


@pytest.fixture
async def host(tmp_path: Path, backend: Backend) -> AsyncIterator[Host]:
    """A running host with pages."""
    settings = Settings(data=tmp_path, database_url=backend.url)
    rack = Keyrack(settings, brand=BRAND, categories=CATEGORIES, plans=PLANS, events=[NOTED])
    app = build(rack)
    rack.install(app)
    async with living(app), client_of(rack, app) as one:
        async with app.state.engine.begin() as connection:
            await connection.run_sync(notes.metadata.create_all)
        yield one
        await app.state.engine.dispose()


async def sign_in(host: Host, rights: Rights | None = None, email: str = "ada@acme.test") -> sessions.SignedIn:
    """Sign a member in, in the host's browser."""
    member = await host.rack.members.add(host.workspace.id, email=email, name="Ada", role=Role.MEMBER, rights=rights)
    link = await sessions.sign_in_link(host.rack.assembly.desk, member.person_id, host.workspace.id)
    signed_in = await sessions.redeem(host.rack.assembly.desk, link.text)
    host.client.cookies.set("acme_session", signed_in.secret.text)
    return signed_in


async def noted(host: Host) -> list[str]:
    """The host's notes."""
    async with host.app.state.engine.connect() as connection:
        return list((await connection.execute(select(notes.c.text))).scalars().all())


async def test_page_gets_the_signed_in_member(host: Host) -> None:
    await sign_in(host, Rights(permissions={"customers": Level.READ}))
    shown = await host.client.get("/customers/aurora")
    assert (200, {"customer": "aurora", "member": "Ada", "may_write": False}) == (shown.status_code, shown.json())
    assert {"open": True} == (await host.client.get("/customers/open")).json()


async def test_stranger_is_led_to_the_sign_in_and_back(host: Host) -> None:
    led = await host.client.get("/customers/a%20b?tab=notes&next=//evil.example")
    assert 303 == led.status_code
    back = httpx.URL(led.headers["location"])
    assert ("/console/sign-in", "") == (back.path, back.host)
    assert back.params["next"] == "/customers/a b?tab=notes&next=//evil.example"
    assert 401 == (await host.client.post("/customers/aurora", data={"text": "x"}, headers=SAME_SITE)).status_code
    host.client.cookies.set("acme_session", "acme_session_invented")
    assert 303 == (await host.client.get("/customers/aurora")).status_code


async def test_session_that_ended_opens_no_page(host: Host) -> None:
    signed_in = await sign_in(host)
    session = await sessions.find(host.rack.assembly.desk, signed_in.secret.text)
    assert session is not None
    assert 200 == (await host.client.get("/customers/aurora")).status_code
    await sessions.end(host.rack.assembly.desk, session)
    assert 303 == (await host.client.get("/customers/aurora")).status_code


async def test_member_without_the_right_gets_a_page_that_says_so(host: Host) -> None:
    await sign_in(host, Rights())
    refused = await host.client.get("/customers/aurora")
    assert (403, "text/html; charset=utf-8") == (refused.status_code, refused.headers["content-type"])
    assert "customers:read" in refused.text
    space = await host.rack.spaces.create(host.workspace.id, "Launch")
    assert 404 == (await host.client.get(f"/spaces/{space.id}")).status_code
    member = (await host.rack.members.list(host.workspace.id))[0]
    await host.rack.spaces.set_role(host.workspace.id, space.id, member.id, SpaceRole.VIEWER)
    assert 200 == (await host.client.get(f"/spaces/{space.id}")).status_code


FOREIGN: list[dict[str, str]] = [
    *({"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "none")),
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://acme.test"},
    *({"Origin": origin} for origin in ("http://acme.test.evil.example", "https://acme.test", "null")),
    {},
]


async def test_form_of_another_site_changes_nothing(host: Host) -> None:
    await sign_in(host, Rights(permissions={"customers": Level.WRITE}))
    for headers in FOREIGN:
        assert 403 == (await host.client.post("/customers/aurora", data={"text": "hello"}, headers=headers)).status_code
    assert [] == await noted(host)
    assert 200 == (await host.client.post("/customers/a", data={"text": "hello"}, headers={"Origin": "http://acme.test"})).status_code
    assert ["hello"] == await noted(host)


async def test_page_commits_its_transaction_with_the_event_or_nothing(host: Host) -> None:
    await sign_in(host, Rights(permissions={"customers": Level.WRITE}))
    failed = await host.client.post("/customers/aurora", data={"text": "fail"}, headers=SAME_SITE)
    assert 500 == failed.status_code
    assert "secret detail" not in failed.text
    assert [] == await noted(host)
    assert 200 == (await host.client.post("/customers/aurora", data={"text": "kept"}, headers=SAME_SITE)).status_code
    assert ["kept"] == await noted(host)
    (told,) = await events.page(host.rack.assembly.desk, host.owner, limit=9, kind="note.created")
    assert ("Ada", "session") == (told.actor.name, told.actor.kind.value)


async def test_pages_are_not_in_the_request_log(host: Host) -> None:
    await sign_in(host)
    await host.client.get("/customers/aurora")
    await host.client.get("/spaces/x")
    key = await host.key()
    assert [] == (await host.get("/api/v1/logs", key)).json()["data"]


async def test_page_inside_the_guard_stops_the_start(tmp_path: Path) -> None:
    rack = Keyrack(Settings(data=tmp_path), brand=BRAND, categories=CATEGORIES)
    app = FastAPI()

    @app.get("/api/page", dependencies=[rack.signed_in("customers:read")])
    async def page() -> None:
        return None

    rack.install(app)
    with pytest.raises(RuntimeError, match=UndeclaredRoute.__name__):
        async with living(app):
            pass


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb", "\\/evil.example", "/x\\..", "/" + "a" * 3000],
)
def test_return_path_never_leaves_the_host(text: str) -> None:
    assert "/console" == return_path(text, "/console")


def test_return_path_keeps_what_is_inside() -> None:
    assert "/customers/a b?tab=1" == return_path("/customers/a b?tab=1")
