"""Whoever has a key can end it, and learns nothing from that which the key itself would not tell."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from keyrack.crypto.format import mint
from keyrack.manage import keys, leaks, request_logs
from keyrack.model.keys import EndReason
from keyrack.model.members import MemberStatus, Role
from keyrack.model.principals import Mode
from keyrack.model.request_logs import Filter
from tests.backends import Backend
from tests.hosts import ADMIN_RIGHTS, Host, running
from tests.leaks.conftest import mailed, told
from tests.mail.receivers import smtp, text_of
from tests.manage.conftest import Actors
from tests.walk.problems import problem

LEAKS, PAGE, ME = "/api/v1/leaks", "/console/leaked", "/api/v1/me"
PLACE = "https://paste.example/x1"


async def report(host: Host, secret: str, **fields: Any) -> httpx.Response:
    """Report a key by program."""
    return await host.client.post(LEAKS, json={"secret": secret, **fields})


async def test_reported_key_is_refused_when_its_finder_is_answered(host: Host) -> None:
    admin, key = await host.key(ADMIN_RIGHTS, name="admin"), await host.key()
    answer = await report(host, f" {key.secret.text}\n", found_in=PLACE)
    assert 202 == answer.status_code
    assert "It has leaked" in problem(await host.get(ME, key), 401, "key_revoked")["detail"]
    shown = (await host.get(f"/api/v1/keys/{key.key.id}", admin)).json()
    assert ("ended", "leaked", "Leak report") == (shown["state"], shown["end_reason"], shown["ended_by"])
    (event,) = (await host.get("/api/v1/events?type=key.leaked", admin)).json()["data"]
    assert (PLACE, "report") == (event["data"]["found_in"], event["data"]["source"])
    assert (None, "live") == (event["request_id"], event["mode"])
    tester = await host.key(mode=Mode.TEST)
    await report(host, tester.secret.text)
    for kind in ("key.leaked", "key.revoked"):
        (told_last,) = (await host.get(f"/api/v1/events?type={kind}&limit=1", admin)).json()["data"]
        assert (tester.key.id, "test") == (told_last["object_id"], told_last["mode"])


async def test_answer_is_the_same_whether_or_not_there_is_such_a_key(host: Host) -> None:
    live, ended = await host.key(), await host.key()
    await keys.revoke(host.rack.assembly.desk, host.owner, ended.key.id)
    answers = [await report(host, secret) for secret in (live.secret.text, live.secret.text, ended.secret.text, mint("acme").text)]
    assert 1 == len({(answer.status_code, answer.text, *_without_ids(answer)) for answer in answers})
    assert 1 == len(await told(host))


def _without_ids(answer: httpx.Response) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name not in ("x-request-id", "date"))


async def test_what_has_no_checksum_of_ours_is_told_so_and_not_repeated(listening: Host) -> None:
    key = await listening.key()
    refused = await report(listening, key.secret.text[:-1])
    assert "secret" == problem(refused, 400, "invalid_request")["param"]
    long = await report(listening, key.secret.text * 10)
    assert "secret" == problem(long, 400, "invalid_request")["param"]
    for answer in (refused, long, await report(listening, key.secret.text, colour=key.secret.text)):
        assert key.secret.text[:-1] not in answer.text
    assert 200 == (await listening.get(ME, key)).status_code


async def test_report_that_is_none_is_refused(listening: Host) -> None:
    for body in (b"", b"[]", b"null", b'{"secret": null}', b'{"secret": ["x"]}', b'{"secret": ""}', b'{"secret": "\\ud800"}'):
        problem(await listening.client.post(LEAKS, content=body, headers={"Content-Type": "application/json"}), 400, "invalid_request")


async def test_key_in_the_address_is_refused(listening: Host) -> None:
    key = await listening.key()
    problem(await listening.client.post(f"{LEAKS}?secret={key.secret.text}"), 400, "key_in_url")


async def test_of_many_reports_at_once_one_is_told_of(host: Host) -> None:
    key = await host.key()
    revoking = asyncio.create_task(keys.revoke(host.rack.assembly.desk, host.owner, key.key.id))
    answers = await asyncio.gather(*(report(host, key.secret.text) for _ in range(8)))
    await revoking
    assert {202} == {answer.status_code for answer in answers}
    assert 1 == len(await told(host, "key.revoked"))


async def test_one_address_reports_a_few_keys_and_signs_in_all_the_same(listening: Host) -> None:
    answers = [await report(listening, mint("acme").text) for _ in range(40)]
    assert [202] * 30 + [429] * 10 == [answer.status_code for answer in answers]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    problem(answers[-1], 429, "too_many_failures")
    signing_in = await listening.client.post("/console/sign-in", data={"email": "ada@acme.test", "password": "x"})
    assert 401 == signing_in.status_code
    assert 429 == (await listening.client.post(PAGE, data={"secret": mint("acme").text})).status_code


async def test_line_in_the_log_is_nobodys_and_has_no_secret(listening: Host) -> None:
    key = await listening.key()
    await report(listening, key.secret.text, found_in=key.secret.text)
    await listening.rack.assembly.moving.turn()
    ours = await request_logs.page(listening.rack.assembly.desk, listening.owner, Filter(path=LEAKS), limit=10)
    assert () == ours.lines
    (event,) = await told(listening)
    assert f"{key.key.prefix}***" == event.data["found_in"]


async def test_page_ends_a_key_without_signing_in(listening: Host) -> None:
    key = await listening.key()
    asked = await listening.client.get(f"{PAGE}?secret={key.secret.text}")
    assert (200, "no-store", "no-referrer") == (asked.status_code, asked.headers["cache-control"], asked.headers["referrer-policy"])
    assert key.secret.text not in asked.text
    answers = [
        await listening.client.post(PAGE, data={"secret": secret, "found_in": PLACE}) for secret in (key.secret.text, mint("acme").text)
    ]
    assert {200} == {answer.status_code for answer in answers}
    assert answers[0].text == answers[1].text
    assert key.secret.text not in answers[0].text
    problem(await listening.get(ME, key), 401, "key_revoked")
    assert [PLACE] == [event.data["found_in"] for event in await told(listening)]


async def test_form_of_another_site_and_a_mistyped_key_end_nothing(listening: Host) -> None:
    key = await listening.key()
    foreign = await listening.client.post(PAGE, data={"secret": key.secret.text}, headers={"Sec-Fetch-Site": "cross-site"})
    mistyped = await listening.client.post(PAGE, data={"secret": key.secret.text[:-1], "found_in": "<b>a paste</b>"})
    assert [403, 400] == [foreign.status_code, mistyped.status_code]
    assert "&lt;b&gt;a paste" in mistyped.text
    assert key.secret.text[:-1] not in mistyped.text
    assert 200 == (await listening.get(ME, key)).status_code


async def test_maker_gets_mail_of_theirs_and_nobody_reads_a_strangers_words_in_it(host: Host) -> None:
    actors, desk = Actors(host), host.rack.assembly.desk
    await actors.sign_in("olga", Role.OWNER)
    bo = await actors.sign_in("bo", Role.ADMIN)
    theirs = await keys.create(desk, bo, name="bo's")
    cy = await actors.sign_in("cy", Role.ADMIN)
    other = await keys.create(desk, cy, name="cy's")
    await host.rack.members.edit(host.workspace.id, bo.member_id or "", role=Role.MEMBER)
    await host.rack.members.edit(host.workspace.id, cy.member_id or "", status=MemberStatus.INACTIVE)
    await report(host, theirs.secret.text, found_in="https://evil.example/sign-in")
    mails = await mailed(host)
    assert ["bo@acme.test", "olga@acme.test"] == [one.to for one in mails]
    assert not [one for one in mails if "evil" in one.text + one.html or theirs.secret.text in one.text]
    assert {"“bo's” has leaked, and is revoked"} == {one.subject for one in mails}
    await report(host, other.secret.text)
    assert ["olga@acme.test"] == [one.to for one in await mailed(host)]


async def test_mail_arrives(tmp_path: Path) -> None:
    async with smtp() as received:
        url = f"smtp://127.0.0.1:{received.port}"
        options: dict[str, Any] = {"mail_from": "Acme <no-reply@acme.example>", "smtp_url": url, "base_url": "https://acme.example"}
        async with running(Backend.in_folder(tmp_path), tmp_path, **options) as host:
            await host.rack.members.add(host.workspace.id, email="olga@acme.test", name="Olga", role=Role.OWNER)
            key = await host.key(name="prod-server")
            await report(host, key.secret.text)
            mail = await received.next()
    assert ("olga@acme.test", "“prod-server” has leaked, and is revoked") == (mail["To"], mail["Subject"])
    assert f"“prod-server” ({key.key.prefix}…)" in text_of(mail)
    assert "https://acme.example/console/keys?state=ended" in text_of(mail)


async def test_place_is_known_of_what_leaked_and_where_somebody_said_it(host: Host) -> None:
    desk = host.rack.assembly.desk
    revoked, placed, unplaced = await host.key(), await host.key(), await host.key()
    ended = await keys.revoke(desk, host.owner, revoked.key.id)
    for key, fields in ((revoked, {"found_in": PLACE}), (placed, {"found_in": PLACE}), (unplaced, {})):
        assert 202 == (await report(host, key.secret.text, **fields)).status_code
    assert EndReason.REVOKED is ended.end_reason
    listed = [one.key for one in await keys.page(desk, host.owner, limit=10, ended=True)]
    assert {placed.key.id: PLACE, unplaced.key.id: ""} == await leaks.places(desk, host.owner, listed)
