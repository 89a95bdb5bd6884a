"""What each operation needs is what the docs say, and what the gate checks."""

import re
from pathlib import Path

import pytest

from keyrack import api
from keyrack.embed.routes import table_rows
from keyrack.manage.keys import Issued
from keyrack.model.permissions import ALL, Level, OrgAccess, Rights
from tests.hosts import ADMIN_RIGHTS, CATEGORIES, Host
from tests.walk.problems import problem

PAGE = Path(__file__).parents[2] / "docs" / "management-api.md"
ROW = re.compile(r"^\| `([A-Z]+) (/api/v1\S*)` \| ([^|]+) \|", re.MULTILINE)
STANDINGS = {
    "any credential": Rights(),
    "write in every category": Rights(permissions={ALL: Level.WRITE}),
    "org-level Admin": Rights(OrgAccess.ADMIN),
}


def documented() -> dict[tuple[str, str], str]:
    """Return the table of the page: what each operation needs."""
    return {(method, path): needs.strip() for method, path, needs in ROW.findall(PAGE.read_text())}


def declared(host: Host) -> dict[tuple[str, str], str]:
    """Return what the routes declare."""
    app = api.build(host.rack.assembly)
    rows = table_rows(app, app, {category.name: category for category in CATEGORIES}, ["/api/v1"], {})
    return {(row.operation.method, row.operation.template): row.operation.need.text for row in rows if row.operation.need}


async def test_table_in_the_docs_is_what_the_routes_declare(host: Host) -> None:
    assert declared(host) == documented()


@pytest.mark.parametrize("standing", STANDINGS)
async def test_credential_without_the_standing_is_refused_by_name(host: Host, standing: str) -> None:
    key = await host.key(STANDINGS[standing])
    order = list(STANDINGS)
    beyond = [place for place, needs in documented().items() if order.index(needs) > order.index(standing)]
    for method, path in beyond:
        refused = problem(await host.send(method, re.sub(r"{\w+}", "cl9bn00of0000g7l8gcq8c4xk", path), key), 403, "insufficient_permission")
        assert documented()[method, path] in refused["detail"]


async def test_credential_with_the_standing_reads_every_list_of_it(host: Host) -> None:
    order = list(STANDINGS)
    for standing, rights in STANDINGS.items():
        key = await host.key(rights)
        for (method, path), needs in documented().items():
            # Whose access it is has to be said.
            if method == "GET" and "{" not in path and path != "/api/v1/access" and order.index(needs) <= order.index(standing):
                assert 200 == (await host.get(path, key)).status_code, path


async def test_unknown_parameter_is_refused_by_name_everywhere(host: Host) -> None:
    key = await host.key(ADMIN_RIGHTS)
    for method, path in documented():
        url = re.sub(r"{\w+}", "cl9bn00of0000g7l8gcq8c4xk", path) + "?colour=blue"
        refused = problem(
            await host.send(method, url, key, json={} if method in ("POST", "PATCH", "PUT") else None), 400, "invalid_request"
        )
        assert "colour" in [error["param"] for error in refused["errors"]], url


async def test_answer_with_a_secret_is_never_stored(host: Host, admin: Issued) -> None:
    made = await host.send("POST", "/api/v1/keys", admin, json={"name": "shown once"})
    key, integration = made.json()["id"], made.json()["integration_id"]
    rotated = await host.send("POST", f"/api/v1/keys/{key}/rotate", admin)
    rotated_all = await host.send("POST", f"/api/v1/integrations/{integration}/rotate", admin)
    for answer in (made, rotated, rotated_all):
        assert (201, "no-store") == (answer.status_code, answer.headers["cache-control"])
        assert 200 == (await host.get("/api/v1/me", rotated_all.json()["secret"])).status_code
    for path in (
        "/api/v1/keys",
        f"/api/v1/keys/{key}",
        "/api/v1/keys?ended=true",
        "/api/v1/events?limit=100",
        f"/api/v1/integrations/{integration}",
    ):
        text = (await host.get(path, admin)).text
        assert not [answer for answer in (made, rotated, rotated_all) if answer.json()["secret"] in text or "secret" in text], path
