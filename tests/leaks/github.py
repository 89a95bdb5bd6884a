"""GitHub's secret scanning on this machine: it publishes real keys over HTTP, and signs what it posts with them."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.hosts import Host

PATH = "/api/v1/leaks/github"
URL = "https://github.com/octocat/hello/blob/1234/settings.py"


@dataclass
class Github:
    """The scanner. `asked` counts how often its keys were fetched; `status` and `body` are what that is answered with, if not the keys."""

    keys: dict[str, EllipticCurvePrivateKey] = field(default_factory=lambda: {"first": generate_private_key(SECP256R1())})
    asked: int = 0
    status: int = 200
    body: bytes | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Where the keys are."""
        return f"http://127.0.0.1:{self.port}/meta/public_keys/secret_scanning"

    @property
    def published(self) -> bytes:
        """The public keys, as GitHub publishes them."""
        pems = {name: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for name, key in self.keys.items()}
        return json.dumps(
            {"public_keys": [{"key_identifier": name, "key": pem.decode(), "is_current": True} for name, pem in pems.items()]}
        ).encode()

    def headers(self, body: bytes, key: str = "first") -> dict[str, str]:
        """The headers of a call with this body."""
        signature = b64encode(self.keys[key].sign(body, ECDSA(SHA256()))).decode()
        return {"Github-Public-Key-Identifier": key, "Github-Public-Key-Signature": signature, "Content-Type": "application/json"}

    async def post(self, host: Host, matches: Sequence[dict[str, Any]], key: str = "first") -> httpx.Response:
        """Tell a host what was found."""
        body = json.dumps(matches).encode()
        return await host.client.post(PATH, content=body, headers=self.headers(body, key))


def match(token: str, url: str = URL) -> dict[str, Any]:
    """One match."""
    return {"token": token, "type": "acme_api_key", "url": url, "source": "content"}


def labels(answer: httpx.Response) -> list[str]:
    """What each match was."""
    assert 200 == answer.status_code, answer.text
    return [one["label"] for one in answer.json()]


@asynccontextmanager
async def publishing(github: Github) -> AsyncIterator[Github]:
    """Serve its keys."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        github.asked += 1
        body = github.published if github.body is None else github.body
        writer.write(f"HTTP/1.1 {github.status} X\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    github.port = server.sockets[0].getsockname()[1]
    try:
        yield github
    finally:
        server.close()
        await server.wait_closed()
