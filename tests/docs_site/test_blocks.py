"""What the docs show is run: each line for a terminal and each program, in the order of its page, against a running Atrium."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import atrium
from atrium.brands import named
from keyrack.docs import page
from keyrack.docs.facts import Docs, Facts
from keyrack.docs.page import Page
from keyrack.docs.site import FOLDER
from keyrack.manage import people, tokens
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from keyrack.model.principals import Mode
from tests.browser.sites import Scene, served

ADMIN = Rights(OrgAccess.ADMIN, {ALL: Level.WRITE})
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WORDS = {"outbound": "Slack", "onboarding": "onboarding"}


@dataclass(frozen=True)
class Block:
    """A block of code: its language, why it is not run, if it is not, and its text."""

    language: str
    reason: str
    text: str


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page."""
    for language, marks, code in BLOCK.findall(text):
        reason = re.search(r'not-run="([^"]+)"', marks)
        yield Block(language, reason[1] if reason else "", code)


def pages(brand: Any, base_url: str) -> dict[str, Page]:
    """The pages of Markdown, with the addresses and the key's place that readers see."""
    words: dict[str, Any] = WORDS | {"modules": named(brand.name.lower()).modules}
    facts = Facts(brand, words=words, base_url=base_url)
    host = Docs(Path(atrium.__file__).parent / "docs", words)
    return {one.slug: one for folder in (FOLDER / "pages", host.folder) for one in page.read(folder, facts)}


def request_of(line: str) -> dict[str, Any]:
    """The request that a `curl` sends, for httpx."""
    program, *words = shlex.split(line.replace("\\\n", " "))
    assert "curl" == program
    asked: dict[str, Any] = {"headers": {}}
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            asked["headers"][name] = value
        elif word == "-d":
            asked["content"] = words.pop(0)
        elif word == "-X":
            asked["method"] = words.pop(0)
        elif word != "-i":
            asked["url"] = word
    return {"method": "POST" if "content" in asked else "GET", **asked}


@pytest.fixture(scope="module", params=["pivotal", "pivot", "atrium"])
async def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A workspace in a running Atrium of each kind of brand."""
    async with served(tmp_path_factory.mktemp(request.param), request.param) as site:
        yield await site.workspace()


async def secrets(scene: Scene) -> dict[str, str]:
    """What stands for keys in the docs, and a key for each."""
    brand = scene.site.rack.brand
    facts = Facts(brand)
    found = {facts.key: (await scene.key("docs", ADMIN)).secret.text}
    if brand.test_mode:
        found[facts.test_key] = (await scene.key("docs test", ADMIN, mode=Mode.TEST)).secret.text
    if brand.personal_tokens:
        found[facts.token] = await token(scene)
    return found


async def token(scene: Scene) -> str:
    """The default token of the workspace's owner."""
    ada = scene.members["Ada"]
    await scene.site.rack.members.edit(scene.workspace.id, ada.id, may_use_api=True)
    return (await tokens.generate(scene.site.desk, people.acting_as(scene.site.desk, scene.workspace, ada.id, ada.name))).secret.text


async def test_lines_for_a_terminal_are_answered(scene: Scene) -> None:
    keys = await secrets(scene)
    ran = 0
    async with httpx.AsyncClient(timeout=30) as client:
        for slug, one in pages(scene.site.rack.brand, scene.site.url).items():
            for block in blocks(one.markdown):
                if block.language != "sh" or block.reason:
                    continue
                line = block.text.replace("$API_KEY", next(iter(keys)))
                for place in sorted(keys, key=len, reverse=True):
                    line = line.replace(place, keys[place])
                answer = await client.request(**request_of(line))
                assert answer.is_success, f"{slug}: {answer.status_code} {answer.text}"
                ran += 1
    assert ran > 10


@pytest.mark.parametrize("scene", ["pivotal"], indirect=True)
async def test_programs_run_to_their_end(scene: Scene) -> None:
    keys = await secrets(scene)
    key = next(iter(keys.values()))
    ran = 0
    for slug, one in pages(scene.site.rack.brand, scene.site.url).items():
        for block in blocks(one.markdown):
            if block.language != "python" or block.reason:
                continue
            text = block.text.replace(next(iter(keys)), key)
            command = [sys.executable, "-c", text]
            environment = {**os.environ, "API_KEY": key}
            done = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60)
            assert 0 == done.returncode, f"{slug}: {done.stderr}"
            ran += 1
    assert ran


def test_objects_that_are_shown_are_json(scene: Scene) -> None:
    for one in pages(scene.site.rack.brand, scene.site.url).values():
        for block in blocks(one.markdown):
            if block.language == "json":
                json.loads(block.text)


def test_every_block_says_what_it_is(scene: Scene) -> None:
    known = {"sh", "python", "typescript", "json", "http", "text"}
    for one in pages(scene.site.rack.brand, scene.site.url).values():
        found = list(blocks(one.markdown))
        assert one.markdown.count("```") == 2 * len(found), one.slug
        for block in found:
            assert block.language in known, one.slug
            assert block.reason or block.language in ("sh", "python", "json"), f"{one.slug}: say why this {block.language} is not run"
