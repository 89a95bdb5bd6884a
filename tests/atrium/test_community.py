"""The developer community: open to everybody who is signed in, private where it says so, and a way to nothing else."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from atrium.community import participants, threads
from atrium.community.announcements import announce
from atrium.community.follows import PAUSE_MS, WAIT_MS
from atrium.community.founding import found
from atrium.community.markdown import CELLS_MAX, render
from atrium.community.models import Thread
from atrium.community.notices import send_due
from atrium.community.spaces import CommunitySpace
from atrium.community.visitors import visitor
from atrium.database import now_ms
from atrium.factory import create_app
from keyrack import Refused, Settings
from keyrack.cli.acting import find_workspace
from keyrack.cli.failures import Failed
from keyrack.manage import keys, passwords, portal_links, sessions
from keyrack.model.members import MemberStatus
from keyrack.model.permissions import OrgAccess, Rights
from tests.atrium.community import OWN_PAGE, Town, threads_in
from tests.backends import Backend
from tests.hosts import living
from tests.mail.receivers import Received, smtp, text_of

BASE = "https://atrium.test"
KEY = "atrium_" + "k3Y7" * 9


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Town]:
    """Run Atrium in this process."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with living(app), httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        yield Town(app.state.rack, http, app.state.community, app.state.database)


@pytest.fixture(scope="module")
async def received() -> AsyncIterator[Received]:
    """The mail that went out."""
    async with smtp() as one:
        yield one


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def town(request: pytest.FixtureRequest, received: Received, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A running Atrium that sends mail, on each kind of database."""
    data = tmp_path_factory.mktemp("data")
    mail: dict[str, Any] = {"mail_from": "no-reply@atrium.test", "smtp_url": f"smtp://127.0.0.1:{received.port}", "base_url": BASE}
    if request.param == "sqlite":
        settings = Settings(data=data, **mail)
        async with opened(settings) as one:
            yield one
    else:
        with request.getfixturevalue("postgresql_server").database(migrated=True) as url:
            async with opened(Settings(data=data, database_url=url, **mail)) as one:
                yield one


async def test_whoever_is_signed_in_joins_by_one_button_writes_and_leaves(town: Town) -> None:
    mira = await town.guest("Mira", joins=False)
    assert "Join the Atrium Dev. Community" in await mira.open()
    for path in ("/share", "/threads/" + "c" + "0" * 24):
        assert "/community" == (await mira.http.get(f"/community{path}")).headers["location"]
    assert 404 == (await mira.http.post("/community/share", data={"title": "x", "body": "x"}, headers=OWN_PAGE)).status_code
    assert ["", ""] == [await mira.send("/join"), await mira.send("/join")]
    front = await mira.open()
    assert all(space.about in front for space in CommunitySpace)
    path = await mira.start("ask", "How do I page?", "With `cursor`?")
    assert "<code>cursor</code>" in await mira.open(path)
    bo = await town.guest("Bo")
    assert "How do I page?" in threads_in(await bo.open("/ask"))
    await bo.send(path, body="With **next_cursor**.")
    page = await mira.open(path)
    assert ("1 reply" in page, "<strong>next_cursor</strong>" in page, "Bo Park" in page, bo.email in page) == (True, True, True, False)
    await mira.start("share", "A sample")
    await mira.send(path, body="Thank you")
    # The newest activity first.
    await bo.start("ask", "Another")
    assert ["Another", "How do I page?"] == threads_in(await bo.open("/ask"))[:2]
    await bo.send(path, body="Welcome")
    assert ["How do I page?", "Another"] == threads_in(await bo.open("/ask"))[:2]
    assert "" == await mira.send("/leave")
    assert "Join the Atrium Dev. Community" in await mira.open()
    assert "Mira Park" in await bo.open(path)


async def test_members_hold_no_right_there_and_get_no_credential(town: Town) -> None:
    mira, bo = await town.guest("Mira"), await town.guest("Bo")
    home, desk = town.keeper.home, town.rack.assembly.desk
    member = await town.rack.people.member(mira.member.person_id, home.workspace_id)
    assert member is not None
    assert (Rights(), False, "member") == (member.rights, member.may_use_api, member.role)
    # They sign in where they work, though they joined the community last.
    async with desk.store.reading() as c:
        assert mira.member.workspace_id == await sessions.home(c, mira.member.person_id, desk.now())
    made = await passwords.mailed_link(desk, mira.email)
    assert made is not None
    assert (
        mira.member.workspace_id
        == (await passwords.reset(desk, made[0].text, new="a good long passphrase", address="192.0.2.1")).session.workspace_id
    )
    mira, switched = await town.signed_in(mira.member), await town.signed_in(member)
    for path in ("/keys", "/keys/new", "/integrations", "/members", "/invitations", "/apps", "/access", "/preferences/api/new"):
        answer = await switched.http.get(f"/console{path}", follow_redirects=True)
        assert answer.status_code in (403, 404), path
    # Neither who is in the spaces, nor what Atrium keeps in spaces.
    for path in ("/console/spaces", "/console", "/spaces", "/console/preferences"):
        assert not {"Bo Park", bo.email} & set((await switched.http.get(path)).text.split("\n")), path
    for space_id in home.space_ids.values():
        assert (404, 404) == tuple([(await switched.http.get(f"{at}/{space_id}")).status_code for at in ("/console/spaces", "/spaces")])
    assert 403 == (await switched.http.get("/customers")).status_code
    workspace = await town.rack.workspaces.find(home.workspace_id)
    assert workspace is not None
    assert not workspace.api_enabled
    # A form of another site is none of theirs.
    assert 403 == (await mira.http.post("/community/leave", headers={"Sec-Fetch-Site": "cross-site"})).status_code
    assert mira.member.person_id in [one.person_id for one in await town.rack.members.list(home.workspace_id)]


async def test_support_is_seen_by_its_author_and_the_team_alone(town: Town) -> None:
    mira, bo, kim = await town.guest("Mira"), await town.guest("Bo"), await town.staff("Kim")
    path = await mira.start("support", "My key leaked", "What now?")
    assert "Only you and the Atrium team see this." in await mira.open(path)
    await kim.send(path, body="We have **ended** it.")
    page = await mira.open(path)
    assert ("Kim Park" in page, page.count("Atrium team</span>")) == (True, 1)
    assert "My key leaked" in threads_in(await kim.open("/support"))
    nobodys = "/threads/c" + "0" * 24
    for method in ("GET", "POST"):
        for below in ("", "/follow", "/moderate", f"/replies/c{'0' * 24}/moderate"):
            fields = {"body": "x", "follows": "true", "measure": "delete"}
            asked = [
                await bo.http.request(method, f"/community{one}{below}", data=fields, headers=OWN_PAGE)
                if method == "POST" or not below
                else None
                for one in (path, nobodys)
            ]
            if asked[0] is None or asked[1] is None:
                continue
            assert 404 == asked[0].status_code
            assert asked[0].text.replace(path, nobodys) == asked[1].text
    assert [] == threads_in(await bo.open("/support"))
    assert "No threads yet" in (await bo.open()).partition("Help with a case")[2]
    # Whoever leaves reaches nothing, and finds it again when they come back.
    await mira.send("/leave")
    assert "/community" == (await mira.http.get(f"/community{path}")).headers["location"]
    await mira.send("/join")
    assert "My key leaked" in await mira.open(path)


async def test_team_hides_closes_deletes_and_puts_out(town: Town) -> None:
    mira, bo, kim = await town.guest("Mira"), await town.guest("Bo"), await town.staff("Kim")
    path = await mira.start("share", "Look at this")
    await bo.send(path, body="Buy my things")
    reply = path + "/replies/" + (await kim.open(path)).partition('class="card post" id="')[2][:25] + "/moderate"
    await mira.send(reply, 403, measure="hide")
    await kim.send(reply, measure="hide")
    assert ("Buy my things" in await mira.open(path), "Buy my things" in await kim.open(path)) == (False, True)
    assert "0 replies" in await mira.open(path)
    await kim.send(reply, measure="show")
    await bo.send(reply, measure="delete")
    assert "Buy my things" not in await kim.open(path)
    await kim.send(f"{path}/moderate", measure="lock")
    assert "The team has closed this thread." in await bo.send(path, 409, body="Still here")
    assert path == await kim.send(path, body="Closed, thank you")
    await kim.send(f"{path}/moderate", measure="hide")
    await mira.open(path, 404)
    await kim.open(path)
    await mira.send(f"{path}/moderate", 404, measure="delete")
    assert "/share" == await kim.send(f"{path}/moderate", measure="delete")
    await kim.open(path, 404)
    await mira.send("/updates", 403, title="News", body="Of mine")
    await kim.start("updates", "Maintenance on Sunday")
    assert "Maintenance on Sunday" == threads_in(await mira.open("/updates"))[0]
    member = await town.rack.people.member(bo.member.person_id, town.keeper.home.workspace_id)
    assert member is not None
    await town.rack.members.edit(member.workspace_id, member.id, status=MemberStatus.INACTIVE)
    assert "the team has ended your membership" in await bo.open()
    await bo.send("/join")
    assert "the team has ended your membership" in await bo.open()
    await bo.send("/share", 404, title="Again", body="me")


async def test_posts_are_bounded_masked_and_harmless(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    mira = await town.guest("Mira")
    body = (
        f"curl -H 'Authorization: Bearer {KEY}'\r\n\tline two\n<script>alert(1)</script> [x](javascript:alert(1)) [y](https://evil.example)"
    )
    page = await mira.open(await mira.start("ask", f"Why is {KEY} refused?", body))
    assert (KEY in page, "<script>alert" in page, 'href="javascript' in page) == (False, False, False)
    assert 'href="https://evil.example" rel="nofollow ugc noopener noreferrer"' in page
    for fields in (
        {"title": " ", "body": "x"},
        {"title": "x" * 201, "body": "x"},
        {"title": "x", "body": ""},
        {"title": "x", "body": "x" * 10_001},
    ):
        assert 'aria-invalid="true"' in await mira.send("/ask", 400, **fields)
    monkeypatch.setattr(participants, "POSTS_AN_HOUR_MAX", 4)
    monkeypatch.setattr(threads, "REPLIES_MAX", 2)
    path = await mira.start("ask", "Many")
    told = await asyncio.gather(*(mira.http.post(f"/community{path}", data={"body": f"{n}"}, headers=OWN_PAGE) for n in range(5)))
    assert {303: 2, 409: 0, 429: 3} == {status: sum(one.status_code == status for one in told) for status in (303, 409, 429)}
    assert "2 replies" in await mira.open(path)
    bo = await town.guest("Bo")
    assert "A thread has at most 2 replies" in await bo.send(path, 409, body="One more")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# [a](https://e.test/x?y=1)", '# <a href="https://e.test/x?y=1" rel="nofollow ugc noopener noreferrer"'),
        ("(see http://e.test/a_b_c).", '(see <a href="http://e.test/a_b_c" rel="nofollow ugc noopener noreferrer"'),
        ("[docs](/docs/errors)", '<a href="/tools/docs/errors" data-control'),
        (
            "[a](/console/keys) [b](//e.test) [c](data:text/html,x) https://me@e.test",
            "[a](/console/keys) [b](//e.test) [c](data:text/html,x) https://me@",
        ),
        ("![](https://e.test/pixel.png) <img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ('```"><script>\n<b>\n```', '<pre tabindex="0"><code>&lt;b&gt;'),
    ],
)
def test_what_strangers_write_leads_nowhere_but_outside_and_to_the_docs(written: str, shown: str) -> None:
    html = render(written, "/tools")
    assert shown in html
    assert not any(part in html for part in ("<img", "<script", "<h1", 'href="/console', 'href="//', 'href="data'))


def test_tables_that_grow_without_bound_stay_text() -> None:
    wide = "|a" * 1_000 + "\n" + "|-" * 1_000 + "\n" + "|x\n" * 1_000
    many = ("|a|b|\n|-|-|\n" + "|\n" * 30 + "\n") * 90
    assert "<td>" in render("|a|b|\n|-|-|\n|1|2|\n")
    assert all(render(text).count("</td>") <= CELLS_MAX for text in (wide, many))
    assert "<table>" not in render(wide)


async def test_whom_another_product_let_in_speaks_under_no_name(town: Town) -> None:
    mira, desk = await town.guest("Mira", joins=False), town.rack.assembly.desk
    operator = await town.rack.workspaces.operator(mira.member.workspace_id)
    key = await keys.create(desk, operator, name="own sign-in", rights=Rights(OrgAccess.ADMIN))
    headers = {"Authorization": f"Bearer {key.secret.text}"}
    made = await town.http.post("/api/v1/portal-links", json={"member_id": mira.member.id}, headers=headers)
    begun = await portal_links.redeem(desk, made.json()["url"].rpartition("link=")[2])
    async with httpx.AsyncClient(
        transport=town.http._transport, base_url=BASE, cookies={"__Host-atrium_session": begun.secret.text}
    ) as http:
        for method, path in (("GET", ""), ("POST", "/join"), ("POST", "/ask")):
            assert 403 == (await http.request(method, f"/community{path}", headers=OWN_PAGE)).status_code


async def test_changelog_is_posted_once_whoever_starts_and_however_often(town: Town) -> None:
    mira, kim = await town.guest("Mira"), await town.staff("Kim")
    (entry, first) = town.rack.changelog
    titles = threads_in(await mira.open("/updates"))
    assert (1, 1) == (titles.count(entry.title), titles.count(first.title))
    page = await mira.open("/updates")
    path = next(part[:34] for part in page.split("/community")[1:] if part.startswith("/threads/") and entry.title in part[:200])
    assert "Atrium team" in await mira.open(path)
    assert "target_launch_date" in await mira.open(path)
    assert path == await mira.send(path, body="Thank you")
    await kim.send(f"{path}/moderate", measure="delete")
    homes = await asyncio.gather(*(found(town.rack, town.database, "Another name") for _ in range(3)))
    assert [town.keeper.home] * 3 == homes
    assert [0, 0, 0] == await asyncio.gather(*(announce(town.rack, town.database, town.keeper.home) for _ in range(3)))
    assert entry.title not in threads_in(await mira.open("/updates"))


async def test_followers_get_a_mail_for_all_replies_of_an_hour_until_a_link_ends_it(town: Town, received: Received) -> None:
    mira, bo, cy = await town.guest("Mira"), await town.guest("Bo"), await town.guest("Cy")
    path = await mira.start("ask", "How do I page? www.evil.example https://evil.example/x")
    assert "You get a mail when somebody replies" in await mira.open(path)

    async def due(after_ms: int) -> int:
        """Send what is due after this time, as of several processes at once, and return how many mails that were."""
        now = now_ms() + after_ms
        return sum(await asyncio.gather(*(send_due(town.rack, town.database, town.keeper.home, now) for _ in range(3))))

    await mira.send(path, body="Nobody gets mail about what they write")
    assert 0 == await due(WAIT_MS)
    await bo.send(f"{path}/follow", follows="true")
    for guest, body in ((bo, "With next_cursor"), (cy, "Or with Link"), (cy, "See https://evil.example")):
        await guest.send(path, body=body)
    assert 0 == await due(0)
    assert 2 == await due(WAIT_MS)
    mails = {mail["To"]: mail for mail in (await received.next(), await received.next())}
    assert {mira.email, bo.email} == set(mails)
    text = text_of(mails[mira.email])
    assert "Bo Park and Cy Park wrote 3 replies to “How do I page? … …”." in text
    assert "Cy Park wrote 2 replies" in text_of(mails[bo.email])
    assert "evil.example" not in text
    assert f"{BASE}/community{path}" in text
    await cy.send(path, body="One more")
    assert 0 == await due(2 * WAIT_MS)
    (stop,) = re.findall(rf"{BASE}(/community/unfollow\?link=\S+)", text)
    assert f"<{BASE}{stop}>" == mails[mira.email]["List-Unsubscribe"]
    # A link only ends: looking at it does nothing, and nobody needs to sign in, nor reaches anything else.
    assert "No more mail about it" in (await town.http.get(stop)).text
    assert 400 == (await town.http.post(stop[:-2] + "xx")).status_code
    assert 200 == (await town.http.post(stop, data={"List-Unsubscribe": "One-Click"})).status_code
    assert "Follow by mail" in await mira.open(path)
    # Who may not read it any more hears nothing of it any more; nor is a hidden reply told of.
    await bo.send("/leave")
    assert 0 == await due(2 * PAUSE_MS)
    kim = await town.staff("Kim")
    await cy.send(f"{path}/follow", follows="true")
    await kim.send(path, body="Hidden at once")
    reply = (await kim.open(path)).rpartition('class="card post of-staff" id="')[2][:25]
    await kim.send(f"{path}/replies/{reply}/moderate", measure="hide")
    assert 0 == await due(2 * PAUSE_MS)
    await kim.send(path, body="For the one who still follows")
    assert 1 == await due(2 * PAUSE_MS)
    assert cy.email == (await received.next())["To"]
    await asyncio.sleep(0)
    assert received.mails.empty()


async def test_nobody_gets_more_than_a_days_share_of_mail(town: Town, received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(participants, "MAILS_A_DAY_MAX", 2)
    mira, bo = await town.guest("Mira"), await town.guest("Bo")
    for number in range(3):
        await bo.send(await mira.start("share", f"Part {number}"), body="Nice")
    now = now_ms() + WAIT_MS
    assert 2 == await send_due(town.rack, town.database, town.keeper.home, now)
    assert 0 == await send_due(town.rack, town.database, town.keeper.home, now)
    assert 1 == await send_due(town.rack, town.database, town.keeper.home, now + participants.DAY_MS)
    assert [mira.email] * 3 == [(await received.next())["To"] for _ in range(3)]


async def test_processes_that_start_at_once_found_one_community(backend: Backend, tmp_path: Path) -> None:
    apps = [create_app(Settings(data=tmp_path / str(n), database_url=backend.url), "pivot") for n in range(3)]
    async with living(apps[0]), living(apps[1]), living(apps[2]):
        homes = [app.state.community.home for app in apps]
        rack = apps[0].state.rack
        assert [homes[0]] * 3 == homes
        assert ["Pivot Dev. Community"] == [one.name for one in await rack.workspaces.list()]
        assert {"Share", "Ask", "Updates", "Support"} == {one.name for one in await rack.spaces.list(homes[0].workspace_id)}
        async with apps[0].state.database.reading() as session:
            assert len(rack.changelog) == await session.scalar(select(func.count()).select_from(Thread))
        await rack.members.add(homes[0].workspace_id, email="kim@pivot.example", name="Kim")
        reader = await visitor(rack, homes[0], (await rack.members.list(homes[0].workspace_id))[0].person_id)
        assert (reader.is_member, reader.is_staff) == (True, False)
        # The command line still knows which workspace is meant where none is named.
        shop = await rack.workspaces.create("Shop", owner_email="ada@shop.example")
        assert shop == await find_workspace(rack, None)
        await rack.workspaces.create("Other", owner_email="ada@shop.example")
        with pytest.raises(Failed, match="several workspaces"):
            await find_workspace(rack, None)
        await rack.workspaces.delete(homes[0].workspace_id)
        with pytest.raises(Refused, match="closed"):
            await visitor(rack, homes[0], reader.person_id)
        assert homes[0] == await found(rack, apps[1].state.database, "Pivot Dev. Community")
        assert {"Shop", "Other"} == {one.name for one in await rack.workspaces.list()}
