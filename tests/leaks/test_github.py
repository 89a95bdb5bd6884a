"""What GitHub's secret scanning finds is revoked when its call is answered; what nobody signed changes nothing."""

import asyncio
import hashlib
import json
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyrack.crypto.ecdsa import is_signed
from keyrack.crypto.format import mint
from keyrack.manage import keys, tokens
from keyrack.manage.github_keys import BYTES_MAX
from keyrack.manage.secret_scanning import MATCHES_MAX
from keyrack.model.keys import EndReason, Key
from keyrack.model.members import Role
from keyrack.model.principals import Mode
from tests.hosts import Host
from tests.leaks.conftest import mailed, told
from tests.leaks.github import PATH, URL, Github, labels, match
from tests.manage.conftest import Actors
from tests.walk.problems import problem

ME = "/api/v1/me"


async def key_now(host: Host, key_id: str) -> Key:
    """A key as it is now."""
    return (await keys.get(host.rack.assembly.desk, host.owner, key_id)).key


async def test_found_key_is_refused_when_github_is_answered(host: Host, github: Github) -> None:
    live, test = await host.key(), await host.key(mode=Mode.TEST)
    assert 200 == (await host.get(ME, live)).status_code
    answer = await github.post(host, [match(live.secret.text), match(test.secret.text)])
    assert ["true_positive"] * 2 == labels(answer)
    for key in (live, test):
        problem(await host.get(ME, key), 401, "key_revoked")
        ended = await key_now(host, key.key.id)
        assert (EndReason.LEAKED, "GitHub secret scanning") == (ended.end_reason, ended.ended_by)


async def test_answer_names_matches_by_their_hash_and_nothing_else_tells_of_the_secret(host: Host, github: Github) -> None:
    key = await host.key()
    answer = await github.post(host, [match(key.secret.text)])
    hashed = hashlib.sha256(key.secret.text.encode()).hexdigest()
    assert [{"token_hash": hashed, "token_type": "acme_api_key", "label": "true_positive"}] == answer.json()
    (event,) = await told(host)
    assert (URL, "content", key.key.prefix) == (event.data["found_in"], event.data["source"], event.data["prefix"])
    assert key.secret.text not in json.dumps(dict(event.data))
    assert ("operator", "GitHub secret scanning") == (event.actor.kind, event.actor.name)
    assert [key.key.id] == [one.object_id for one in await told(host, "key.revoked")]


async def test_place_that_holds_the_secret_is_masked(host: Host, github: Github) -> None:
    key = await host.key()
    await github.post(host, [match(key.secret.text, f"https://github.com/o/r?key={key.secret.text}\0\n")])
    (event,) = await told(host)
    assert event.data["found_in"].startswith(f"https://github.com/o/r?key={key.key.prefix}***")


async def test_what_is_none_of_ours_is_a_false_positive(host: Host, github: Github) -> None:
    key = await host.key()
    mistyped = key.secret.text[:-1] + ("a" if key.secret.text[-1] != "a" else "b")
    matches = [match(token) for token in (mistyped, mint("acme").text, mint("other").text, "", "x" * 10_000)]
    assert ["false_positive"] * 5 == labels(await github.post(host, matches))
    assert 200 == (await host.get(ME, key)).status_code


async def test_ended_key_is_a_true_positive_and_told_of_once(host: Host, github: Github) -> None:
    key, revoked = await host.key(), await host.key()
    await keys.revoke(host.rack.assembly.desk, host.owner, revoked.key.id)
    found = [match(key.secret.text), match(key.secret.text, "https://gist.github.com/x"), match(revoked.secret.text)]
    for _ in range(2):
        assert ["true_positive"] * 3 == labels(await github.post(host, found))
    assert [(key.key.id, URL)] == [(event.object_id, event.data["found_in"]) for event in await told(host)]
    assert EndReason.REVOKED is (await key_now(host, revoked.key.id)).end_reason


async def test_key_that_works_no_more_for_now_ends_for_good(host: Host, github: Github) -> None:
    desk = host.rack.assembly.desk
    disabled, expired = await host.key(), await host.key(expires_at=host.clock.now() + 1000)
    rotated = await host.key()
    await keys.edit(desk, host.owner, disabled.key.id, enabled=False)
    successor = await keys.rotate(desk, host.owner, rotated.key.id, overlap_seconds=3600)
    host.clock.pass_seconds(2)
    assert ["true_positive"] * 3 == labels(await github.post(host, [match(one.secret.text) for one in (disabled, expired, rotated)]))
    for key in (disabled, expired, rotated):
        problem(await host.get(ME, key), 401, "key_revoked")
    assert successor.key.id == (await key_now(host, rotated.key.id)).successor_id
    assert 200 == (await host.get(ME, successor)).status_code


async def test_keys_of_several_workspaces_end_each_in_their_own(host: Host, github: Github) -> None:
    ours, theirs = await host.key(), await host.other_workspace()
    matches = [match(ours.secret.text), match(theirs.key.secret.text)]
    assert ["true_positive"] * 2 == labels(await github.post(host, matches))
    problem(await host.get(ME, theirs.key), 401, "key_revoked")
    assert [ours.key.id] == [event.object_id for event in await told(host)]


async def test_key_of_a_deleted_workspace_is_a_true_positive_and_changes_nothing(host: Host, github: Github) -> None:
    theirs = await host.other_workspace()
    await host.rack.workspaces.delete(theirs.workspace.id)
    assert ["true_positive"] == labels(await github.post(host, [match(theirs.key.secret.text)]))


async def test_five_hundred_matches_at_once(host: Host, github: Github) -> None:
    made = [await host.key(name=f"key {number}") for number in range(120)]
    matches = [match(key.secret.text) for key in made] + [match(mint("acme").text) for _ in range(380)]
    assert ["true_positive"] * 120 + ["false_positive"] * 380 == labels(await github.post(host, matches))
    assert {key.key.id for key in made} == {event.object_id for event in await told(host)}


async def test_of_many_calls_at_once_each_key_is_told_of_once(host: Host, github: Github) -> None:
    made = [await host.key() for _ in range(3)]
    matches = [match(key.secret.text) for key in made]
    revoking = asyncio.create_task(keys.revoke(host.rack.assembly.desk, host.owner, made[0].key.id))
    answers = await asyncio.gather(*(github.post(host, matches) for _ in range(8)))
    await revoking
    assert all(["true_positive"] * 3 == labels(answer) for answer in answers)
    assert 3 == len(await told(host, "key.revoked"))
    ended = {event.object_id for event in await told(host)}
    assert {key.key.id for key in made[1:]} <= ended
    assert (1, len(ended)) == (github.asked, len(await told(host)))


async def test_call_that_github_did_not_sign_changes_nothing(listening: Host, github: Github) -> None:
    github.keys["second"] = generate_private_key(SECP256R1())
    key = await listening.key()
    body = json.dumps([match(key.secret.text)]).encode()
    headers = github.headers(body)
    for content, changed in (
        (body + b" ", {}),
        (body.replace(b"content", b"contenu"), {}),
        (body, {"Github-Public-Key-Signature": "AAAA"}),
        (body, {"Github-Public-Key-Signature": "no base64!"}),
        (body, {"Github-Public-Key-Signature": _by_another(body)}),
        (body, {"Github-Public-Key-Identifier": "second"}),
    ):
        problem(await listening.client.post(PATH, content=content, headers=headers | changed), 400, "invalid_signature")
    assert 200 == (await listening.get(ME, key)).status_code


def _by_another(body: bytes) -> str:
    return b64encode(generate_private_key(SECP256R1()).sign(body, ECDSA(SHA256()))).decode()


async def test_call_without_its_headers_is_refused_before_anything_is_fetched(listening: Host, github: Github) -> None:
    body = json.dumps([match(mint("acme").text)]).encode()
    for name in ("Github-Public-Key-Identifier", "Github-Public-Key-Signature"):
        headers = {key: value for key, value in github.headers(body).items() if key != name}
        assert name == problem(await listening.client.post(PATH, content=body, headers=headers), 400, "invalid_request")["param"]
    assert 0 == github.asked


async def test_signed_body_that_is_no_list_of_matches_is_refused(listening: Host, github: Github) -> None:
    wrong = [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b'[{"type": "x"}]',
        b'[{"token": 1}]',
        b"[" * 100_000,
        b'[{"token": "\xff"}]',
        b'[{"token": "\\ud83d"}]',
    ]
    for body in wrong:
        problem(await listening.client.post(PATH, content=body, headers=github.headers(body)), 400, "invalid_request")


async def test_more_matches_than_fit_are_refused(listening: Host, github: Github) -> None:
    problem(await github.post(listening, [{"token": "x"}] * (MATCHES_MAX + 1)), 400, "invalid_request")
    assert ["false_positive"] * MATCHES_MAX == labels(await github.post(listening, [{"token": "x"}] * MATCHES_MAX))


async def test_keys_are_fetched_once_an_hour(listening: Host, github: Github) -> None:
    await asyncio.gather(*(github.post(listening, []) for _ in range(5)))
    listening.clock.pass_seconds(3599)
    assert [] == labels(await github.post(listening, []))
    assert 1 == github.asked
    listening.clock.pass_seconds(2)
    assert [] == labels(await github.post(listening, []))
    assert 2 == github.asked


async def test_new_key_of_github_is_fetched_at_once_and_strangers_cannot_have_it_asked_for_ever(listening: Host, github: Github) -> None:
    assert [] == labels(await github.post(listening, []))
    github.keys["second"] = generate_private_key(SECP256R1())
    assert [] == labels(await github.post(listening, [], "second"))
    headers = github.headers(b"[]") | {"Github-Public-Key-Identifier": "nobody's"}
    codes = [(await listening.client.post(PATH, content=b"[]", headers=headers)).json()["code"] for _ in range(20)]
    assert {"invalid_signature", "too_many_failures"} == set(codes)
    assert "too_many_failures" == codes[-1]
    assert github.asked < 10
    # Known keys go on.
    assert [] == labels(await github.post(listening, []))


async def test_github_is_told_when_to_come_again_where_its_keys_cannot_be_had(listening: Host, github: Github) -> None:
    key = await listening.key()
    for github.status, github.body in ((500, b""), (302, b""), (200, b'{"public_keys": [{}]}'), (200, b" " * (BYTES_MAX + 1))):
        answer = await github.post(listening, [match(key.secret.text)])
        problem(answer, 503, "store_unavailable")
        assert 0 < int(answer.headers["retry-after"]) <= 3600
    github.status, github.body = 200, None
    assert ["true_positive"] == labels(await github.post(listening, [match(key.secret.text)]))


async def test_maker_owners_and_admins_get_one_mail_of_all_that_was_found(host: Host, github: Github) -> None:
    for name, role in (("olga", Role.OWNER), ("bo", Role.ADMIN), ("cy", Role.MEMBER)):
        await host.rack.members.add(host.workspace.id, email=f"{name}@acme.test", name=name, role=role)
    made = [await host.key(name=f"key {number}") for number in range(12)]
    await github.post(host, [match(key.secret.text) for key in made])
    mails = await mailed(host)
    assert ["bo@acme.test", "olga@acme.test"] == [one.to for one in mails]
    assert {"12 API keys have leaked, and are revoked"} == {one.subject for one in mails}
    assert all(URL in one.text and "and 2 more" in one.text for one in mails)
    assert not [one for one in mails for key in made if key.secret.text in one.text + one.html]


def test_only_ecdsa_on_p256_is_believed() -> None:
    body, other, rsa = b"[]", generate_private_key(SECP384R1()), generate_rsa(65537, 2048)
    pems = [one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for one in (other, rsa)]
    signature = b64encode(other.sign(body, ECDSA(SHA256()))).decode()
    assert not [
        pem
        for pem in (*pems, "", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
        if is_signed(body, signature, pem)
    ]


def test_sample_of_githubs_documentation_is_believed() -> None:
    # The sample call of the partner programme's page, and the key bcb53661… that GitHub publishes for it.
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\n"
        "AjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n"
        "-----END PUBLIC KEY-----\n"
    )
    body = b'[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]'
    signature = "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg=="
    assert is_signed(body, signature, pem)
    assert not is_signed(body + b"\n", signature, pem)


async def test_found_token_ends_with_what_was_made_with_it_and_its_member_is_told(host: Host, github: Github) -> None:
    actors, desk = Actors(host), host.rack.assembly.desk
    await actors.sign_in("olga", Role.OWNER)
    bo = await actors.sign_in("bo", Role.ADMIN)
    await host.rack.members.edit(host.workspace.id, bo.member_id or "", may_use_api=True)
    token = await tokens.generate(desk, bo)
    await host.rack.members.edit(host.workspace.id, bo.member_id or "", role=Role.MEMBER)
    key = await host.key()
    assert 200 == (await host.get(ME, token.secret.text)).status_code
    for _ in range(2):
        assert ["true_positive"] * 2 == labels(await github.post(host, [match(token.secret.text), match(key.secret.text)]))
    assert "GitHub secret scanning" in problem(await host.get(ME, token.secret.text), 401, "token_revoked")["detail"]
    problem(await host.get(ME, key), 401, "key_revoked")
    (event,) = await told(host, "token.leaked")
    assert (token.held.id, URL) == (event.object_id, event.data["found_in"])
    mails = [(one.to, one.subject) for one in await mailed(host)]
    of_key, of_token = "“local-dev” has leaked, and is revoked", "“Default token” has leaked, and is revoked"
    assert [("bo@acme.test", of_token), ("olga@acme.test", of_token), ("olga@acme.test", of_key)] == sorted(mails)
