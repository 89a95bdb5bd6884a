"""An OpenID provider on this machine, strict where the standards are, and wrong where a test asks for it."""

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "keyrack", "a client's secret"
REDIRECT_URI = "https://acme.example/console/openid/callback"


@cache
def a_key(_number: int) -> RSAKey:
    """A key to sign with, each number another one; made once, for that takes long."""
    return RSAKey.generate_key(2048, {"kid": "one"}, private=True)


@dataclass
class Provider:
    """The provider. `claims` are what its tokens say of whoever signs in; `spoil` changes a token's claims before it is signed."""

    now: Callable[[], int]
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    spoil: Callable[[dict[str, Any]], None] = lambda _: None
    key: RSAKey = field(default_factory=lambda: a_key(1))
    signs_with: RSAKey | None = None
    asked: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, url: str) -> dict[str, str]:
        """Let the person behind a browser sign in, and return the parameters that it is sent back with."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (CLIENT_ID, "code", REDIRECT_URI, "S256") == tuple(
            self.asked[name] for name in ("client_id", "response_type", "redirect_uri", "code_challenge_method")
        )
        code = secrets.token_urlsafe(8)
        self.codes[code] = dict(self.asked)
        return {"code": code, "state": self.asked["state"], "iss": self.issuer}

    def answer(self, path: str, headers: dict[str, str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer one request."""
        if path == "/.well-known/openid-configuration":
            places = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            return 200, {"issuer": self.issuer, **places}
        if path.startswith(("/authorization_endpoint?", "/favicon.ico")):
            return 200, {"sign_in": "here"}
        if path == "/jwks_uri":
            return 200, dict(KeySet([self.key]).as_dict(private=False))
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        right = asked is not None and challenge == asked["code_challenge"] and form.get("redirect_uri") == asked["redirect_uri"]
        if path != "/token_endpoint" or headers.get("authorization") != f"Basic {basic}" or asked is None or not right:
            return 400, {"error": "invalid_grant"}
        return 200, {"token_type": "Bearer", "access_token": "unused", "id_token": self._token(asked)}

    def _token(self, asked: dict[str, str]) -> str:
        now = self.now() // 1000
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "auth_time": now,
            **self.claims,
        }
        self.spoil(claims)
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with or self.key)


@asynccontextmanager
async def providing(provider: Provider) -> AsyncIterator[None]:
    """Run the provider on a free port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, told = provider.answer(first.split()[1], headers, form)
        text = json.dumps(told).encode()
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n".encode())
        writer.write(f"content-length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    provider.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
