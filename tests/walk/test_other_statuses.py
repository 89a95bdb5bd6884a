"""400, 405, 413, 429, 431, 500 and 503, and what is left alone."""

import json
from collections.abc import AsyncIterator

from tests.hosts import Host
from tests.walk.problems import problem

PATH = "/api/v1/customers"


async def test_two_credentials_in_one_call_are_refused(host: Host) -> None:
    key = await host.key()
    problem(await host.get(PATH, key, headers={"X-API-Key": key.secret.text}), 400, "invalid_request")
    twice = [("Authorization", f"Bearer {key.secret.text}")] * 2
    problem(await host.client.get(PATH, headers=twice), 400, "invalid_request")


async def test_key_in_the_url_is_refused_even_beside_a_valid_header_and_never_logged(host: Host) -> None:
    key = await host.key()
    for query in (f"api_key={key.secret.text}", f"page={key.secret.text}", "api_token=abc"):
        answer = await host.get(f"{PATH}?{query}", key)
        problem(answer, 400, "key_in_url")
        assert key.secret.text not in answer.text


async def test_bad_bodies_are_a_400_that_names_the_field(host: Host) -> None:
    key = await host.key()
    missing = problem(await host.send("POST", PATH, key, json={}), 400, "invalid_request")
    assert "name" == missing["param"]
    assert "#/name" == missing["errors"][0]["pointer"]
    extra = problem(await host.send("POST", PATH, key, json={"name": "A", "nmae": "B"}), 400, "invalid_request")
    assert "nmae" == extra["param"]
    malformed = await host.send("POST", PATH, key, content=b"{", headers={"Content-Type": "application/json"})
    assert "not valid JSON" in problem(malformed, 400, "invalid_request")["detail"]


async def test_wrong_method_names_the_right_ones(host: Host) -> None:
    key = await host.key()
    answer = await host.send("PUT", PATH, key)
    problem(answer, 405, "method_not_allowed")
    assert "GET, POST" == answer.headers["allow"]


async def test_wrong_method_is_named_without_a_credential_only_where_the_path_is_public(host: Host) -> None:
    answer = await host.client.put("/api/v1/open", headers={"Authorization": "Bearer nothing"})
    problem(answer, 405, "method_not_allowed")
    assert "GET" == answer.headers["allow"]
    problem(await host.client.put(PATH), 401, "missing_credential")


async def test_path_that_is_spelt_out_takes_no_method_of_one_with_a_parameter(host: Host) -> None:
    answer = await host.send("OPTIONS", "/api/v1/tokens/default", await host.key())
    assert "POST" == answer.headers["allow"]


async def test_body_over_the_limit_is_refused_by_its_declared_length_alone(host: Host) -> None:
    key = await host.key()
    declared = {"Content-Length": str(1024 * 1024 + 1)}
    problem(await host.send("POST", "/api/v1/echo", key, headers=declared), 413, "body_too_large")


async def test_body_over_the_limit_is_refused_as_it_arrives(host: Host) -> None:
    key = await host.key()

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65536

    problem(await host.send("POST", "/api/v1/echo", key, content=parts()), 413, "body_too_large")
    exact = await host.send("POST", "/api/v1/echo", key, content=b"x" * 1024 * 1024)
    assert {"bytes": 1024 * 1024} == exact.json()


async def test_too_many_or_too_large_headers_are_refused(host: Host) -> None:
    key = await host.key()
    problem(await host.get(PATH, key, headers={f"X-{number}": "1" for number in range(100)}), 431, "headers_too_large")
    problem(await host.get(PATH, key, headers={"X-Long": "x" * 32 * 1024}), 431, "headers_too_large")


async def test_limit_is_exact_and_a_denied_call_consumes_nothing(host: Host) -> None:
    await host.rack.workspaces.set_plan(host.workspace.id, "small")
    key = await host.key()
    admitted = [await host.get(PATH, key) for _ in range(3)]
    assert [200, 200, 200] == [answer.status_code for answer in admitted]
    assert admitted[-1].headers["ratelimit"].startswith('"workspace";r=0;t=')
    denied = await host.get(PATH, key)
    document = problem(denied, 429, "rate_limited")
    assert ["workspace"] == document["violated-policies"]
    assert document["retryable"]
    assert 1 <= int(denied.headers["retry-after"]) <= 3600
    assert '"workspace";q=1;w=3600' == denied.headers["ratelimit-policy"]


async def test_crash_tells_nothing_but_the_request_id(host: Host) -> None:
    key = await host.key()
    answer = await host.get("/api/v1/crash", key)
    problem(answer, 500, "internal_error")
    assert "secret detail" not in answer.text


async def test_operation_that_never_asked_for_its_objects_space_answers_nothing(host: Host) -> None:
    key = await host.key()
    problem(await host.get("/api/v1/messages/unasked", key), 500, "catalog_mismatch")


async def test_public_operation_needs_no_credential(host: Host) -> None:
    assert {"open": True} == (await host.get("/api/v1/open")).json()


async def test_what_lies_outside_the_guard_is_left_alone(host: Host) -> None:
    answer = await host.get("/outside?number=x")
    assert 422 == answer.status_code
    assert "application/json" == answer.headers["content-type"]
    assert "x-request-id" not in answer.headers


async def test_preflight_inside_gets_no_cors_headers(host: Host) -> None:
    headers = {"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
    answer = await host.send("OPTIONS", PATH, headers=headers)
    assert 204 == answer.status_code
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_head_is_answered_like_get_without_a_body(host: Host) -> None:
    key = await host.key()
    refused = await host.send("HEAD", "/api/v1/nothing", key)
    assert (404, b"") == (refused.status_code, refused.content)


async def test_every_answer_carries_its_request_id(host: Host) -> None:
    key = await host.key()
    first, second = await host.get(PATH, key), await host.get(PATH, key)
    assert first.headers["x-request-id"] < second.headers["x-request-id"]


async def test_problem_document_is_json_with_the_documented_members_only(host: Host) -> None:
    document = json.loads((await host.get(PATH)).content)
    assert isinstance(document["errors"], list)
    assert document["param"] is None
