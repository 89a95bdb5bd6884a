"""Bodies that nobody means well with."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from keyrack import Keyrack, Settings, refusals
from tests.hosts import ADMIN_RIGHTS, BRAND, CATEGORIES, PLANS, Host, client_of, living
from tests.walk.problems import problem


async def test_body_over_the_limit_is_told_as_such_also_where_a_framework_reads_it(host: Host) -> None:
    admin = await host.key(ADMIN_RIGHTS)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65536

    for path in ("/api/v1/customers", "/api/v1/keys"):
        answer = await host.send("POST", path, admin, content=parts(), headers={"Content-Type": "application/json"})
        problem(answer, 413, "body_too_large")


async def test_refusal_that_repeats_half_a_character_of_the_caller_still_arrives(tmp_path: Path) -> None:
    rack = Keyrack(Settings(data=tmp_path), brand=BRAND, categories=CATEGORIES, plans=PLANS)
    app = FastAPI()

    @app.post("/api/v1/wishes", dependencies=[rack.requires("customers:write")])
    async def wish(body: dict[str, Any]) -> None:
        raise refusals.INVALID_REQUEST(f"There is no {body['wish']}.", param=body["wish"])

    rack.install(app)
    async with living(app), client_of(rack, app) as host:
        key = await host.key()
        half = {"content": b'{"wish": "\\ud800"}', "headers": {"Content-Type": "application/json"}}
        answer = await host.send("POST", "/api/v1/wishes", key, **half)
        assert "There is no ?." == problem(answer, 400, "invalid_request")["detail"]


async def test_all_permissions_at_none_are_no_permissions(host: Host) -> None:
    admin = await host.key(ADMIN_RIGHTS)
    made = await host.send("POST", "/api/v1/integrations", admin, json={"name": "Nothing", "permissions": {"*": "none"}})
    assert (201, {}) == (made.status_code, made.json()["permissions"])


@pytest.mark.parametrize(
    "sent",
    [
        {f"a{number}": 1 for number in range(50_000)},
        {"name": "Many", "permissions": {f"a{number}": "much" for number in range(30_000)}},
    ],
)
async def test_a_body_of_very_many_faults_is_one_fault(host: Host, sent: dict[str, Any]) -> None:
    """To make an error of each would hold up every call of everybody for seconds."""
    refused = problem(await host.send("POST", "/api/v1/keys", await host.key(ADMIN_RIGHTS), json=sent), 400, "invalid_request")
    assert 1 == len(refused["errors"])
    assert "members" in refused["detail"]


async def test_the_name_of_an_unknown_field_is_repeated_in_part(host: Host) -> None:
    answer = await host.send("POST", "/api/v1/customers", await host.key(), json={"name": "Long", "é" * 400_000: 1})
    refused = problem(answer, 400, "invalid_request")
    assert f"{'é' * 100}…: there is no such field." == refused["detail"]
    assert len(answer.content) < 5000
