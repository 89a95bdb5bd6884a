"""RFC 9110, HTTP Semantics: what the gate answers by itself."""

from tests.hosts import Host


async def test_section_15_5_6_a_method_that_a_path_has_not_names_those_that_it_has(host: Host) -> None:
    answer = await host.send("PUT", "/api/v1/customers", await host.key())
    assert 405 == answer.status_code
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["allow"].split(",")}


async def test_section_10_2_3_a_wait_is_told_in_whole_seconds(host: Host) -> None:
    await host.rack.workspaces.set_plan(host.workspace.id, "small")
    key = await host.key()
    answers = [await host.get("/api/v1/customers", key) for _ in range(5)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(answer.headers["retry-after"].isdigit() for answer in refused)


async def test_section_15_5_14_a_body_that_is_too_large_is_refused_before_it_is_read(host: Host) -> None:
    answer = await host.send("POST", "/api/v1/echo", await host.key(), headers={"Content-Length": "99999999"}, content=b"{}")
    assert 413 == answer.status_code
