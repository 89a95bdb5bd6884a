"""A whole lively life of an installation, in processes of its own: all that happens to secrets, and all that people do wrong with them."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.cli.programs import Program, environment, running
from tests.operations.receivers import receiving

Json = dict[str, Any]
HERE = Path(__file__).parent
ENDED = "(ended)"
TOKEN = "the-token-of-the-metrics-page"
CARELESS = """
from atrium.factory import create_app
from crashes import add
from keyrack import Settings

app = add(create_app(Settings()))
"""


class Life:
    """One installation below a folder.

    `secrets` are all that were made, the demo's live key first; `told` is what commands printed beside what they are for; the logs are
    request logs as they were read at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets: list[str] = []
        self.key_ids: list[str] = []
        self.told: list[str] = []
        self.statuses: set[int] = set()
        self.workspace_log: list[Json] = []
        self.operator_log: list[Json] = []
        self.metrics = ""
        (folder / "crashes.py").write_text((HERE / "crashes.py").read_text())
        (folder / "careless.py").write_text(CARELESS)

    def live(self) -> None:
        """Live all of it. Of the two servers, the second one is killed."""
        with ExitStack() as stack:
            receiver = stack.enter_context(receiving())
            telemetry = {"KEYRACK_METRICS_TOKEN": TOKEN, "KEYRACK_TRACES_URL": receiver.url}
            demo = stack.enter_context(running(self.folder, *_DEMO, name="demo", **telemetry))
            printed = demo.first_line()
            self.secrets += [printed[name] for name in ("live_key", "test_key", "admin_key")]
            careless = ("serve", "careless:app", "--port", "0", *_DATA)
            other = stack.enter_context(running(self.folder, *careless, name="careless", **telemetry))
            urls = [printed["url"], other.first_line()["url"]]
            with httpx.Client(timeout=30) as http:
                self._sign_in(http, printed["url"], printed["sign_in_url"])
                for url in urls:
                    self._use_keys(http, url, printed["admin_key"])
                    self._send_wrongly(http, url, printed["live_key"])
                self._crash(http, urls[1], printed["live_key"])
                self._command(http, urls[0])
                self.metrics = http.get(f"{urls[1]}/metrics", headers=_bearer(TOKEN)).text
            assert 0 == demo.stop()
            other.process.kill()
            other.process.wait(30)
            # Beside everything else that was written, and looked through with it.
            (self.folder / "traces.otlp").write_bytes(b"\n".join(receiver.received))
        self.told += [_after_first_line(demo), _after_first_line(other), demo.err, other.err, self.metrics]

    def _sign_in(self, http: httpx.Client, url: str, link: str) -> None:
        self.secrets.append(link.partition("link=")[2])
        page = http.get(link)
        form = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        origin = {"Origin": url}
        answers = [http.post(f"{url}/console/sign-in", data=form, headers=origin)]
        self.secrets.append(http.cookies["atrium_session"])
        shown = http.get(f"{url}/console").text
        assert "Robin Vale" in shown
        sign_out = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', shown))
        answers += [http.post(f"{url}/console/sign-in", data=form | {"link": wrong}, headers=origin) for wrong in _wrong(self.secrets[-2])]
        answers += [http.post(f"{url}/console/sign-out", data=sign_out, headers=origin)]
        answers += [http.get(f"{url}/console", headers={"Cookie": f"atrium_session={self.secrets[-1]}"})]
        self.statuses |= {answer.status_code for answer in answers}

    def _use_keys(self, http: httpx.Client, url: str, admin: str) -> None:
        """Make keys, rotate them both ways, edit, disable and end them, and call with all of them at the end."""
        made = [self._make(http, url, admin, "/keys", name="worker", mode=mode) for mode in ("live", "test")]
        made.append(self._make(http, url, admin, f"/keys/{made[0]['id']}/rotate", overlap_seconds=3600))
        made.append(self._make(http, url, admin, f"/integrations/{made[1]['integration_id']}/rotate", mode="test"))
        made += [self._make(http, url, admin, "/keys", name=name) for name in ("revoked", "disabled", "deleted", "moved")]
        bounds = {"expires_at": "2036-01-01T00:00:00Z", "ip_ranges": ["203.0.113.0/24"]}
        for method, path, body in (
            ("DELETE", f"/keys/{made[4]['id']}", None),
            ("PATCH", f"/keys/{made[5]['id']}", {"enabled": False}),
            ("DELETE", f"/integrations/{made[6]['integration_id']}", None),
            ("PATCH", f"/keys/{made[7]['id']}", bounds),
        ):
            assert http.request(method, f"{url}/api/v1{path}", headers=_bearer(admin), json=body).is_success
        found = {http.get(f"{url}/api/v1/me", headers=_bearer(key["secret"])).status_code for key in made}
        assert {200, 401, 403} == found

    def _make(self, http: httpx.Client, url: str, admin: str, path: str, **body: Any) -> Json:
        answer = http.post(f"{url}/api/v1{path}", headers=_bearer(admin), json=body)
        assert 201 == answer.status_code, answer.text
        key: Json = answer.json()
        self.secrets.append(key["secret"])
        self.key_ids.append(key["id"])
        return key

    def _send_wrongly(self, http: httpx.Client, url: str, key: str) -> None:
        """Send a good key, and one that was copied badly, in every place where it does not belong."""
        calls = [call for secret in (key, *_wrong(key)) for call in _misplaced(secret, _bearer(key))]
        for method, path, headers, body in calls:
            self.statuses.add(http.request(method, url + path, headers=headers, content=body).status_code)

    def _crash(self, http: httpx.Client, url: str, key: str) -> None:
        for path in ("/api/v1/crash", "/api/v1/crash/stream", "/api/v1/crash/statement", "/crash"):
            try:
                self.statuses.add(http.get(url + path, headers=_bearer(key)).status_code)
            except httpx.RemoteProtocolError:
                assert "/stream" in path

    def _command(self, http: httpx.Client, url: str) -> None:
        """Use the command line, well and badly, beside the servers."""
        made = [["keys", "create", "by hand", "--all", *_OF_DEMO], ["keys", "rotate", self.key_ids[-1], *_OF_DEMO]]
        others = [*_failing(self.key_ids[0], self.secrets[0]), *_LISTS, ("keys", "list", *_DATA), ("doctor", *_DATA)]
        ended = subprocess.run(
            [sys.executable, HERE / "commands.py"], input=json.dumps([*made, *others]), cwd=self.folder, env=environment(),
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        created, rotated, *rest, _ = ended.stdout.split(ENDED)
        assert len(others) == len(rest)
        # What these two print is what they are for.
        self.secrets += [json.loads(printed)["secret"] for printed in (created, rotated)]
        self.told += [*rest, ended.stderr]
        self.workspace_log, self.operator_log = (json.loads(printed)["data"] for printed in rest[-4:-2])
        self.statuses |= {http.get(f"{url}/api/v1/me", headers=_bearer(secret)).status_code for secret in self.secrets[-2:]}


_DATA = ("--data", "data", "--json")
_OF_DEMO = ("--app", "atrium.app:app", *_DATA)
_DEMO = ("demo", "--port", "0", *_DATA)
_LISTS = [("logs", "list", *of, "--limit", "100", *_DATA) for of in (("--path", "customers"), ("--operator",))]


def _after_first_line(program: Program) -> str:
    return program.out.partition("\n")[2]


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _wrong(secret: str) -> list[str]:
    """A secret copied without its end, with something after it, and in two pieces: each betrays the true one."""
    return [secret[:-3], f"{secret}0", f"{secret[:20]}{secret[20:].swapcase()}", f"x{secret}"]


def _misplaced(secret: str, good: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str], bytes | None]]:
    for value in (f"Bearer: {secret}", secret, f"Basic {b64encode(secret.encode()).decode()}", f"Bearer {secret} {secret}"):
        yield "GET", "/api/v1/me", {"Authorization": value}, None
    for name in ("X-API-Key", "User-Agent", "Referer", "Cookie", "X-Request-Id", "Idempotency-Key", "X-Forwarded-For", "Host", secret):
        yield "GET", "/api/v1/me", good | {name: secret}, None
    yield "GET", "/api/v1/customers", good | {"User-Agent": f"agent/1.0 ({secret}; {secret})"}, None
    quoted, twice_quoted = (secret.replace("_", code) for code in ("%5F", "%255F"))
    for query in (f"api_key={secret}", f"access_token={secret}", f"q={secret}", f"x={quoted}", secret, f"{secret}=1"):
        yield "GET", f"/api/v1/customers?{query}", good, None
        yield "GET", f"/api/v1/customers?{query}", {}, None
    for path in ("/api/v1/customers", "/api/v1", "/api", "", "/console", "/docs/errors"):
        for name in (secret, quoted, twice_quoted):
            yield "GET", f"{path}/{name}", good, None
    yield "OPTIONS", f"/api/v1/{secret}", {"Access-Control-Request-Method": "GET"}, None
    yield secret[:20].upper(), f"/api/v1/customers?{secret}", good, None
    for body in (f'{{"{secret}": 1}}', f'{{"name": "{secret}', f'{{"name": ["{secret}"]}}', secret):
        yield "POST", "/api/v1/customers", good | {"Content-Type": "application/json"}, body.encode()
    yield "POST", "/api/v1/onboardings", good, json.dumps({"customer_id": secret}).encode()


def _failing(key_id: str, secret: str) -> list[tuple[str, ...]]:
    """Commands of people who give a secret where something else is asked."""
    given = [
        ("keys", "revoke", secret),
        ("keys", "edit", key_id, "--expires-at", secret),
        ("keys", "create", "x", "--ip-range", secret),
        ("keys", "create", "x", "--permission", f"{secret}:read"),
        ("keys", "list", "--workspace", secret),
        ("keys", "list", "--cursor", secret),
        ("logs", "list", "--credential", secret),
        ("logs", "list", "--since", secret),
        ("logs", "show", secret),
        ("workspaces", "plan", "sample", secret),
        ("integrations", "create", "x", "--space", f"{secret}:viewer"),
    ]
    return [*((*arguments, *_OF_DEMO) for arguments in given), ("serve", secret)]
