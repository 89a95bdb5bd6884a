"""The request log over HTTP: every call, each reader's own."""

from typing import Any

from keyrack.manage.keys import Issued
from keyrack.model.permissions import OrgAccess, Rights
from tests.hosts import Host
from tests.walk.problems import problem, without_occurrence


async def moved(host: Host) -> None:
    """Have every line moved from the spool into the store, and the clock stand after them."""
    await next(job for job in host.rack.assembly.jobs._jobs if job.name == "move_logs").run()
    host.clock.pass_seconds(60)


async def logged(host: Host, key: Issued, query: str = "") -> list[dict[str, Any]]:
    """Return the lines that a key finds."""
    answer = await host.get(f"/api/v1/logs?limit=100{query}", key)
    assert 200 == answer.status_code, answer.text
    lines: list[dict[str, Any]] = answer.json()["data"]
    return lines


async def test_line_is_there_from_its_answer_on_and_explains_the_refusal(host: Host, admin: Issued) -> None:
    key = await host.key(Rights(permissions={}), name="reports")
    refused = await host.send("POST", "/api/v1/customers", key, json={}, headers={"User-Agent": "acme-sync/1"})
    line = (await host.get(f"/api/v1/logs/{refused.headers['x-request-id']}", admin)).json()
    expected = {
        "object": "log", "id": refused.headers["x-request-id"], "path": "/api/v1/customers", "route": "/api/v1/customers", "method": "POST",
        "status": 403, "code": "insufficient_permission", "credential_kind": "key", "credential_id": key.key.id, "mode": "live",
        "credential_name": "reports", "integration_id": key.integration.id, "ip_address": "192.0.2.7", "user_agent": "acme-sync/1",
    }  # fmt: skip
    assert expected == {name: line[name] for name in expected}
    assert "needs customers:write" in line["reason"]
    assert line["duration_ms"] >= 0
    assert line["created_at"].endswith("Z")
    await moved(host)
    assert line == (await host.get(f"/api/v1/logs/{line['id']}", admin)).json()


async def test_admin_reads_all_lines_and_others_those_of_their_own_integration(host: Host, admin: Issued) -> None:
    key, other = await host.key(name="one"), await host.key(Rights(OrgAccess.READER), name="two")
    own = (await host.get("/api/v1/me", key)).headers["x-request-id"]
    foreign = (await host.get("/api/v1/me", other)).headers["x-request-id"]
    await moved(host)
    assert {own, foreign} <= {line["id"] for line in await logged(host, admin)}
    assert [own] == [line["id"] for line in await logged(host, key)]
    assert [] == await logged(host, key, f"&credential_id={other.key.id}")
    assert 200 == (await host.get(f"/api/v1/logs/{own}", key)).status_code
    missing = await host.get("/api/v1/logs/req_00000000000000000000000000", key)
    for reader in (key, (await host.other_workspace()).key):
        answer = await host.get(f"/api/v1/logs/{foreign}", reader)
        problem(answer, 404, "not_found")
        assert without_occurrence(missing) == without_occurrence(answer)


FILTERS = {
    "&path=/customers": 3, "&path=customers/c": 1, "&method=post": 1, "&status=404": 1, "&status=4xx": 2, "&status=2XX": 1, "&mode=test": 0,
    "&mode=live": 3, "&since=2036-01-01T00:00:00Z": 0, "&until=2016-01-01T00:00:00Z": 0, "&method=POST&status=404": 0,
}  # fmt: skip


async def test_filters_find_what_they_say(host: Host, admin: Issued) -> None:
    key = await host.key(Rights(OrgAccess.READER))
    await host.get("/api/v1/customers/c1", key)
    await host.get("/api/v1/customers/missing", key)
    await host.send("POST", "/api/v1/customers", key, json={"name": "x"})
    await moved(host)
    of_key = f"&credential_id={key.key.id}"
    assert FILTERS == {query: len(await logged(host, admin, of_key + query)) for query in FILTERS}


async def test_filter_that_cannot_be_is_refused_by_name(host: Host, admin: Issued) -> None:
    for query in ("status=600", "status=4xxx", "method=GE%20T", "since=yesterday", "since=2036-01-01", "mode=prod", "colour=blue"):
        refused = problem(await host.get(f"/api/v1/logs?{query}", admin), 400, "invalid_request")
        assert query.partition("=")[0] == refused["param"]


async def test_log_goes_on_behind_the_id_of_a_line(host: Host, admin: Issued) -> None:
    for _ in range(3):
        host.clock.pass_seconds(1)
        await host.get("/api/v1/me", admin)
    await moved(host)
    lines = await logged(host, admin)
    await moved(host)
    behind = await logged(host, admin, f"&starting_after={lines[1]['id']}")
    assert [line["id"] for line in lines[2:]] == [line["id"] for line in behind]
    upwards = await logged(host, admin, f"&sort=created_at&until={lines[0]['created_at']}")
    assert [line["id"] for line in lines[:0:-1]] == [line["id"] for line in upwards]
    page = (await host.get("/api/v1/logs?limit=1&sort=created_at", admin)).json()
    assert upwards[:1] == page["data"]
    assert upwards[1]["id"] == (await host.get(page["next_url"], admin)).json()["data"][0]["id"]
    turned = page["next_url"].replace("sort=created_at", "sort=-created_at")
    problem(await host.get(turned, admin), 400, "cursor_filter_mismatch")
