"""Apps that describe themselves, by a document at their address or in a request: they get no further than others, and people are told."""

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from keyrack.manage import client_documents, consents
from keyrack.model.client_metadata import MetadataRefused, refused_client_url
from keyrack.model.outgoing_calls import Answered, NotSent, NotSentCode, Outgoing
from keyrack.model.refusals import INVALID_REQUEST, TOO_MANY_FAILURES, Refused
from tests.backends import Backend
from tests.guard.certificates import Authority
from tests.guard.receivers import Receiver, answering
from tests.guard.receivers import running as receiving
from tests.hosts import Host, running
from tests.manage.refused import refused
from tests.oauth.conftest import ISSUER, Parties, a_verifier
from tests.oauth.test_face import answer, ask

CALLBACK = "https://stranger.example/callback"
URL = "https://stranger.example/app.json"
KNOWN = ("customers:read", "customers:write", "onboardings:read")


WRONG: list[dict[str, Any]] = [
    {"client_id": f"{URL}/"},
    {"client_id": None},
    {"client_secret": "x"},
    {"client_secret_expires_at": 0},
    {"token_endpoint_auth_method": "client_secret_basic"},
    {"token_endpoint_auth_method": "private_key_jwt"},
    {"redirect_uris": []},
    {"redirect_uris": CALLBACK},
    {"redirect_uris": [7]},
    {"redirect_uris": ["http://stranger.example/cb"]},
    {"redirect_uris": ["javascript:alert(1)"]},
    {"redirect_uris": [f"{CALLBACK}/{number}" for number in range(11)]},
    {"client_name": "x" * 101},
    {"client_name": "Acme\u202e"},
    {"client_name": 7},
    {"grant_types": ["implicit"]},
    {"response_types": ["token"]},
    {"scope": ["customers:read"]},
]
"""Members of which each keeps a document from describing an app."""


def document(url: str = URL, **members: Any) -> dict[str, Any]:
    """What stands at the address."""
    return {"client_id": url, "client_name": "Stranger", "redirect_uris": [CALLBACK], "scope": "customers:read openid", **members}


def answered(body: bytes, *headers: tuple[str, str], status: int = 200, truncated: bool = False) -> Answered:
    """What comes back from there."""
    return Answered(status, (("content-type", "application/json"), *headers), body, truncated, 1, "192.0.2.1")


@asynccontextmanager
async def published(authority: Authority, members: Callable[[str], dict[str, Any]]) -> AsyncIterator[tuple[str, Receiver]]:
    """Publish a document on this machine, and return its address."""
    play = answering(b"")
    async with receiving(lambda *given: play(*given), tls=authority.server("127.0.0.1")) as receiver:
        url = receiver.url(scheme="https", path="/app.json")
        body = json.dumps(members(url)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        play = answering(head + body)
        yield url, receiver


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """A certificate authority that this process trusts."""
    made = Authority()
    pem = tmp_path / "authority.pem"
    pem.write_text("".join(ssl.DER_cert_to_PEM_cert(one) for one in made.trusted().get_ca_certs(binary_form=True)))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return made


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host that may call this machine, and lets apps register themselves."""
    async with running(Backend.in_folder(tmp_path), tmp_path, outgoing_networks=["127.0.0.0/8"], client_registration=True) as one:
        yield one


async def test_app_is_known_by_the_document_at_its_address(parties: Parties, authority: Authority) -> None:
    verifier = a_verifier()
    async with published(authority, document) as (url, receiver):
        asked = parties.asking(verifier, client_id=url, redirect_uri=CALLBACK, scope="customers:read")
        page = await ask(parties, asked)
        for words in ("Stranger", "127.0.0.1", "stranger.example", "Nobody here has checked that"):
            assert words in page.text
        led = await answer(parties, asked)
        assert ("GET /app.json HTTP/1.1", 1) == (receiver.head[0], receiver.connections)
    code = dict(pair.split("=", 1) for pair in led.headers["location"].partition("?")[2].split("&"))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier, "client_id": url}
    got = (await parties.host.client.post("/oauth/token", data=sent)).json()
    assert "customers:read" == got["scope"]
    call = await parties.host.get("/api/v1/customers", got["access_token"])
    assert (200, "Stranger for Cy") == (call.status_code, call.json()["caller"])
    again = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"], "client_id": url}
    assert 200 == (await parties.host.client.post("/oauth/token", data=again)).status_code


async def test_document_leads_nowhere_that_it_does_not_name_and_asks_for_nothing_unsaid(parties: Parties, authority: Authority) -> None:
    async with published(authority, document) as (url, receiver):
        elsewhere = await ask(parties, parties.asking(a_verifier(), client_id=url, redirect_uri="https://evil.example/"))
        assert (400, False) == (elsewhere.status_code, "location" in elsewhere.headers)
        unproved = await ask(parties, parties.asking(a_verifier(), client_id=url, redirect_uri=CALLBACK), signed_in=False)
        assert (401, 1) == (unproved.status_code, receiver.connections)
        for scope in (None, "onboardings:read", "customers:write"):
            led = await ask(parties, parties.asking(a_verifier(), client_id=url, redirect_uri=CALLBACK, scope=scope))
            assert "error=invalid_scope" in led.headers["location"]


async def test_address_that_is_not_public_is_not_fetched_and_why_is_not_told(parties: Parties) -> None:
    for url in ("https://10.0.0.1/app.json", "https://localhost/app.json", "https://[::1]:8443/app.json"):
        page = await ask(parties, parties.asking(a_verifier(), client_id=url, redirect_uri=CALLBACK))
        assert (400, True, False) == (page.status_code, "cannot be fetched" in page.text, "private" in page.text)


async def test_a_person_makes_us_fetch_few_documents(parties: Parties) -> None:
    refusals = []
    for number in range(30):
        with pytest.raises(Refused) as raised:
            await consents.asked(parties.desk, parties.session, [("client_id", f"https://10.0.0.1/{number}")], ISSUER)
        refusals.append(raised.value.refusal)
    assert [INVALID_REQUEST] * 20 + [TOO_MANY_FAILURES] * 10 == refusals


async def test_document_is_believed_for_a_while_and_what_failed_is_not_remembered() -> None:
    answers = [
        answered(json.dumps(document()).encode(), ("cache-control", "public, max-age=120")),
        answered(json.dumps(document(client_name="Renamed")).encode(), ("cache-control", "no-store")),
        answered(json.dumps(document()).encode(), ("cache-control", "max-age=999999999")),
        answered(json.dumps(document()).encode()),
    ]

    async def send(outgoing: Outgoing, *, timeout_seconds: float, answer_bytes_max: int) -> Answered:
        if outgoing.url != URL:
            raise NotSent(NotSentCode.ADDRESS_REFUSED, "10.0.0.1 is private.")
        return answers.pop(0)

    documents = client_documents.ClientDocuments(send)
    for name, kept_ms in (("Stranger", 120_000), ("Renamed", 60_000), ("Stranger", 3_600_000), ("Stranger", 600_000)):
        assert name == (await documents.fetch(URL, 1_000, KNOWN)).name
        assert [True, False] == [documents.find(URL, 1_000 + at) is not None for at in (kept_ms - 1, kept_ms)]
    with pytest.raises(MetadataRefused) as raised:
        await documents.fetch("https://other.example/", 0, KNOWN)
    assert "private" not in raised.value.words
    assert documents.find("https://other.example/", 0) is None


@pytest.mark.parametrize(
    "given",
    [
        answered(json.dumps(document()).encode(), status=404),
        answered(json.dumps(document()).encode(), status=302),
        answered(json.dumps(document()).encode(), truncated=True),
        answered(json.dumps(document()).encode(), ("content-encoding", "gzip")),
        Answered(200, (("content-type", "text/html"),), json.dumps(document()).encode(), False, 1, "192.0.2.1"),
        answered(b"[]"),
        answered(b"\xff"),
        answered(b"[" * 10_000),
        *(answered(json.dumps(document(**members)).encode()) for members in WRONG),
    ],
)
async def test_document_that_describes_no_app_is_refused(given: Answered) -> None:
    async def send(outgoing: Outgoing, *, timeout_seconds: float, answer_bytes_max: int) -> Answered:
        return given

    documents = client_documents.ClientDocuments(send)
    with pytest.raises(MetadataRefused):
        await documents.fetch(URL, 0, KNOWN)
    assert documents.find(URL, 0) is None


async def test_document_says_what_its_app_is_called_and_asks_for() -> None:
    given: list[dict[str, Any]] = [{}]

    async def send(outgoing: Outgoing, *, timeout_seconds: float, answer_bytes_max: int) -> Answered:
        return answered(json.dumps({**document(), **given[0]}).encode())

    documents = client_documents.ClientDocuments(send)
    found = []
    for members in (
        {"client_uri": "https://stranger.example/about"},
        {"client_uri": "https://bank.example/"},
        {"client_name": None, "scope": ""},
        {"scope": "offline_access"},
    ):
        given[0] = members
        one = await documents.fetch(URL, 0, KNOWN)
        found.append((one.name, one.homepage_url, one.scopes))
    assert [
        ("Stranger", "https://stranger.example/about", ("customers:read",)),
        ("Stranger", None, ("customers:read",)),
        (None, None, ("customers:write", "onboardings:read")),
        ("Stranger", None, ()),
    ] == found


def test_client_id_is_an_address_with_a_path_and_nothing_beside_it() -> None:
    for url in (URL, "https://a.example/", "https://a.example:8443/x?y=1"):
        assert refused_client_url(url) is None
    for url in (
        "https://a.example",
        "https://a.example/#x",
        "https://u:p@a.example/x",
        "https://a.example/../x",
        "https://a.example/%2E%2e/x",
        "https://a.example/./x",
        "https:///x",
        "https://a.example:99999/x",
        "https://a.example/\\x",
        "https://a.example/ x",
        f"https://a.example/{'x' * 500}",
        "https://[::1/x",
    ):
        assert refused_client_url(url) is not None


async def test_app_registers_itself_as_public_and_people_are_told(parties: Parties) -> None:
    metadata = {"client_name": "Stranger", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic"}
    told_of = (await parties.host.client.get("/.well-known/oauth-authorization-server")).json()
    assert f"{ISSUER}/oauth/register" == told_of["registration_endpoint"]
    made = await parties.host.client.post("/oauth/register", json=metadata)
    app = made.json()
    assert (201, "none", False, "no-store") == (
        made.status_code,
        app["token_endpoint_auth_method"],
        "client_secret" in app,
        made.headers["cache-control"],
    )
    verifier = a_verifier()
    asked = parties.asking(verifier, client_id=app["client_id"], redirect_uri=CALLBACK, scope="customers:read")
    page = await ask(parties, asked)
    assert "It registered itself under this name" in page.text
    location = (await answer(parties, asked)).headers["location"]
    assert location.startswith(f"{CALLBACK}?code=")
    for body, error in (
        ({}, "invalid_redirect_uri"),
        ({**metadata, "redirect_uris": ["http://evil.example/"]}, "invalid_redirect_uri"),
        ({**metadata, "client_name": None}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
    ):
        wrong = await parties.host.client.post("/oauth/register", json=body)
        assert (400, error) == (wrong.status_code, wrong.json()["error"])
    statuses = [(await parties.host.client.post("/oauth/register", json=metadata)).status_code for _ in range(12)]
    assert [201, 429] == [statuses[0], statuses[-1]]


async def test_no_app_describes_itself_where_the_operator_does_not_want_that(tmp_path: Path) -> None:
    async with running(Backend.in_folder(tmp_path), tmp_path, client_documents=False) as host:
        told_of = (await host.client.get("/.well-known/oauth-authorization-server")).json()
        assert (False, False) == (told_of["client_id_metadata_document_supported"], "registration_endpoint" in told_of)
        assert 404 == (await host.client.post("/oauth/register", json={})).status_code
        with refused(INVALID_REQUEST):
            await consents.asked(host.rack.assembly.desk, host.owner, [("client_id", URL)], ISSUER)
