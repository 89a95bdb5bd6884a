"""The README is true: its example is copied out and run as it stands, over HTTP."""

import json
import re
import shlex
from pathlib import Path

import httpx

from tests.cli.programs import Program, run, running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(language: str, holding: str) -> str:
    """The one code block of a language that holds a text."""
    (found,) = [text for text in re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE) if holding in text]
    return str(found)


def commands(holding: str) -> list[list[str]]:
    """The lines of a shell block, as words."""
    return [shlex.split(line, comments=True) for line in block("sh", holding).splitlines()]


def call_as_shown(program: Program, secret: str) -> httpx.Response:
    """Send the request of the README's curl to where the program really listens."""
    ((curl, url, option, header),) = commands("curl http")
    assert ("curl", "-H") == (curl, option)
    name, _, value = header.partition(": ")
    path = url.removeprefix("http://127.0.0.1:8000")
    return httpx.get(program.first_line()["url"] + path, headers={name: value.replace("shop_REPLACE_ME", secret)}, timeout=30)


def test_example_runs_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(block("python", "rack.install"))
    (export, variable), *steps, serve = commands("keyrack serve")
    assert "export" == export
    variables = dict([variable.split("=")])
    printed = ""
    for step in steps:
        ended = run(tmp_path, *step[1:], **variables)
        assert ("keyrack", 0) == (step[0], ended.returncode), ended.stderr
        printed = ended.stdout
    (secret,) = re.findall(r"\bshop_\w+", printed)
    with running(tmp_path, *serve[1:], "--port", "0", "--json", **variables) as program:
        answer = call_as_shown(program, secret)
        assert (200, "Teapot") == (answer.status_code, answer.json()["data"][0]["item"])
        refused = call_as_shown(program, secret + "x")
        assert (401, "invalid_credential") == (refused.status_code, refused.json()["code"])
        workspaces = json.loads(run(tmp_path, "workspaces", "list", "--json").stdout)["data"]
        assert [("Corner Shop", answer.json()["workspace"])] == [(one["name"], one["id"]) for one in workspaces]
        ((keyrack, *told, shown),) = commands("people reset-password")
        assert ("keyrack", "http://127.0.0.1:8000") == (keyrack, shown)
        url = program.first_line()["url"]
        (link,) = re.findall(r"http\S+", run(tmp_path, *told, url, **variables).stdout)
        assert 200 == httpx.get(link, timeout=30).status_code
        assert 0 == program.stop()


def test_example_is_short() -> None:
    written = [line for line in block("python", "rack.install").splitlines() if line]
    assert len(written) <= 20


def test_two_commands_are_those_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert [["make", "demo"], ["make", "test"]] == commands("make demo")
    assert {"demo", "test"} <= targets


def test_every_file_that_the_readme_links_exists() -> None:
    paths = re.findall(r"\]\(([^)#:]+)\)", README)
    assert paths
    assert [] == [path for path in paths if not (ROOT / path).exists()]
