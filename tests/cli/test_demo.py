"""`keyrack demo`: what a newcomer gets, in processes of its own, over HTTP."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.programs import Program, run, running

FIELDS = ["url", "console_url", "sign_in_url", "workspace", "live_key", "test_key", "admin_key"]
WORDS = {"pivotal": "workspace", "pivot": "organization", "pipedrive": "company"}
START = ("demo", "--port", "0", "--data", "data", "--json")


class Demo:
    """A demo that runs with `--json` in a folder."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.printed = program.first_line()
        self.url: str = self.printed["url"]

    def get(self, path: str, key: str = "live_key") -> httpx.Response:
        """Call the API with one of the keys, by the name under which it was printed, or by itself."""
        return self.send("GET", path, key)

    def send(self, method: str, path: str, key: str = "live_key", **options: Any) -> httpx.Response:
        """Call the API."""
        headers = {"Authorization": f"Bearer {self.printed.get(key, key)}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=30, **options)

    @property
    def secrets(self) -> list[str]:
        """Everything that must stand nowhere but in the first line."""
        keys = [self.printed[name] for name in FIELDS if name.endswith("_key") and self.printed[name]]
        return [*keys, re.split("[=#]", self.printed["sign_in_url"])[-1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared demo."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    """A demo that several tests share; its output is judged when it has ended."""
    with running(folder, *START) as program:
        demo = Demo(program)
        yield demo
        assert 0 == program.stop()
    assert 1 == program.out.count("\n")
    assert "Traceback" not in program.err
    assert [] == [secret for secret in demo.secrets if secret in program.err]


def test_first_line_holds_exactly_what_programs_are_promised(demo: Demo) -> None:
    assert FIELDS == list(demo.printed)
    assert demo.printed["console_url"].startswith(demo.url)
    assert demo.printed["sign_in_url"].startswith(demo.printed["console_url"])
    assert demo.printed["workspace"].startswith("org_")


def test_each_key_does_what_its_name_says(demo: Demo) -> None:
    live, test = demo.get("/api/v1/me").json(), demo.get("/api/v1/me", "test_key").json()
    assert ("api_key_identity", demo.printed["workspace"], "live") == (live["object"], live["org_id"], live["mode"])
    assert ("live", "test") == (live["mode"], test["mode"])
    assert demo.get("/api/v1/customers").json()["data"]
    assert 403 == demo.get("/api/v1/integrations").status_code
    assert 200 == demo.get("/api/v1/integrations", "admin_key").status_code
    assert 401 == demo.get("/api/v1/me", demo.printed["live_key"] + "x").status_code


def test_sign_in_link_opens_the_console_once(demo: Demo) -> None:
    with httpx.Client(base_url=demo.url, follow_redirects=True, timeout=30) as browser:
        page = browser.get(demo.printed["sign_in_url"])
        form = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        signed_in = browser.post("/console/sign-in", data=form, headers={"Origin": demo.url})
        assert (200, True) == (signed_in.status_code, "Robin Vale" in signed_in.text)
        assert 200 == browser.get(demo.printed["console_url"]).status_code
    with httpx.Client(base_url=demo.url, timeout=30) as stranger:
        assert stranger.post("/console/sign-in", data=form, headers={"Origin": demo.url}).status_code >= 400


def test_commands_act_on_a_running_demo_at_once(demo: Demo, folder: Path) -> None:
    of_demo = ("--data", "data", "--app", "atrium.app:app", "--json")
    key = json.loads(run(folder, "keys", "create", "prod-server", "--all", *of_demo).stdout)
    assert "prod-server" == demo.get("/api/v1/me", key["secret"]).json()["key_name"]
    revoked = run(folder, "keys", "revoke", key["id"], "--data", "data", "--json")
    assert "ended" == json.loads(revoked.stdout)["state"]
    assert 401 == demo.get("/api/v1/me", key["secret"]).status_code
    search = f"/api/v1/logs?credential_id={key['id']}&status=401"
    demo.program.wait_for(lambda: bool(demo.get(search, "admin_key").json()["data"]))
    lines = json.loads(run(folder, "logs", "list", "--data", "data", "--credential", key["id"], "--json").stdout)["data"]
    assert [(401, "key_revoked"), (200, None)] == [(line["status"], line["code"]) for line in lines]


def test_two_at_once_on_one_folder_serve_each_others_keys(demo: Demo, folder: Path) -> None:
    with running(folder, *START, name="other") as program:
        other = Demo(program)
        assert demo.printed["workspace"] == other.printed["workspace"]
        assert 2 * len(demo.secrets) == len({*demo.secrets, *other.secrets})
        assert (200, 200) == (demo.get("/api/v1/me", other.printed["live_key"]).status_code, other.get("/api/v1/customers").status_code)
        assert 200 == other.get("/api/v1/me", demo.printed["live_key"]).status_code
        assert 0 == program.stop()
    assert 200 == demo.get("/api/v1/me").status_code


def test_two_that_start_at_once_on_a_new_folder_agree(tmp_path: Path) -> None:
    with running(tmp_path, *START, name="one") as one, running(tmp_path, *START, name="two") as two:
        first, second = Demo(one), Demo(two)
        assert first.printed["workspace"] == second.printed["workspace"]
        assert 200 == first.get("/api/v1/customers", second.printed["live_key"]).status_code
        assert [0, 0] == [one.stop(), two.stop()]


def test_taken_port_is_told_with_what_to_do(demo: Demo, folder: Path) -> None:
    result = run(folder, "demo", "--port", demo.url.rpartition(":")[2], "--data", "data", "--json")
    assert (1, "") == (result.returncode, result.stdout)
    assert "is taken by another program" in result.stderr
    assert "--port" in result.stderr
    assert 1 == len(result.stderr.splitlines())


def test_second_start_keeps_all_data_and_prints_new_keys(tmp_path: Path) -> None:
    with running(tmp_path, *START, name="first") as program:
        first = Demo(program)
        assert 201 == first.send("POST", "/api/v1/customers", json={"name": "Aurora Outfitters"}).status_code
        assert 0 == program.stop()
    with running(tmp_path, *START, name="second") as program:
        second = Demo(program)
        assert "Aurora Outfitters" == second.get("/api/v1/customers").json()["data"][0]["name"]
        assert 200 == second.get("/api/v1/me", first.printed["live_key"]).status_code
        assert 0 == program.stop(signal.SIGTERM)
    assert first.printed["workspace"] == second.printed["workspace"]
    assert 8 == len({*first.secrets, *second.secrets})


def test_empty_workspace_comes_with_words_and_a_curl_that_works(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--port", "0", "--data", "data", "--empty") as program:
        program.wait_for(lambda: "Ctrl-C" in program.out)
        curl = re.search(r"curl (\S+)/api/v1/me -H '(Authorization): (Bearer \w+)'", program.out)
        assert curl is not None
        url, name, value = curl.groups()
        assert 200 == httpx.get(f"{url}/api/v1/me", headers={name: value}, timeout=30).status_code
        assert [] == httpx.get(f"{url}/api/v1/customers", headers={name: value}, timeout=30).json()["data"]
        assert f"{url}/console" in program.out
        assert 0 == program.stop()
    assert "Traceback" not in program.err


@pytest.mark.parametrize(
    ("brand", "live", "test"), [("pivotal", "pivotal_", "pivotal_test_"), ("pivot", "pivot_", None), ("pipedrive", "pipedrive_pat_", None)]
)
def test_brand_gives_its_name_its_words_and_its_keys(tmp_path: Path, brand: str, live: str, test: str | None) -> None:
    with running(tmp_path, *START, "--brand", brand) as program:
        demo = Demo(program)
        assert demo.printed["live_key"].startswith(live)
        assert test == (demo.printed["test_key"] and test)
        assert (demo.printed["test_key"] or "").startswith(test or "")
        assert 200 == demo.get("/api/v1/customers").status_code
        assert 200 == demo.get("/api/v1/integrations", "admin_key").status_code
        assert f"Sample {WORDS[brand]}" == demo.get("/api/v1/workspace", "admin_key").json()["name"]
        assert brand.title() in httpx.get(demo.url, follow_redirects=True, timeout=30).text
        assert 0 == program.stop()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--brand", "nobody"), "keyrack: There is no brand 'nobody': choose one of atrium, pivotal, pivot"),
        (("--data", "file"), "'file' is a file"),
        (("--data", "file/in"), "cannot be made"),
        (("--prot", "8001"), "--port"),
        (("--host", "203.0.113.9"), "--host 127.0.0.1"),
    ],
)
def test_wrong_option_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "file").touch()
    result = run(tmp_path, "demo", "--port", "0", *arguments, "--json")
    assert 0 != result.returncode
    assert "" == result.stdout
    assert words in result.stderr
    assert "Traceback" not in result.stderr
