"""What is sent and answered is turned between a caller's version and the newest: bodies, lists, parameters, refusals and addresses."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from keyrack.gate import versions as gate_versions
from tests.hosts import ADMIN_RIGHTS
from tests.versions.conftest import FIRST, NEWEST, RENAMED, Changed
from tests.walk.problems import problem

PATH = "/api/v1/orders"
OLD = {"object": "order", "id": "o1", "customer": "Ada Park", "costs": 5}


@pytest.fixture
async def old(changed: Changed) -> str:
    """A key at the first version."""
    return await changed.key_at(FIRST)


async def test_body_goes_forward_and_its_answer_comes_back(changed: Changed, old: str) -> None:
    answer = await changed.host.send("POST", PATH, old, json={"customer": "Ada Park", "costs": 5})
    assert (201, OLD) == (answer.status_code, answer.json())
    (body,) = changed.seen.bodies
    assert b'{"person":{"first":"Ada","last":"Park"},"price":5}' == body
    assert [str(len(body))] == changed.seen.lengths
    assert str(len(answer.content)) == answer.headers["content-length"]


async def test_body_in_parts_goes_forward_too(changed: Changed, old: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"customer": "Ad', b'a Park", "cos', b'ts": 5}'):
            yield part

    answer = await changed.host.send("POST", PATH, old, content=parts(), headers={"Content-Type": "application/json"})
    assert (201, OLD) == (answer.status_code, answer.json())


async def test_list_is_turned_through_and_events_in_it_are_left_as_they_were(changed: Changed, old: str) -> None:
    answer = (await changed.host.get(PATH, old)).json()
    first, shelf = answer["data"]
    assert OLD | {"costs": 3} == first
    assert [OLD | {"costs": 1}] == shelf["orders"]
    assert {"price", "person"} < set(shelf["event"]["data"])


async def test_parameters_go_forward_and_addresses_come_back(changed: Changed, old: str) -> None:
    answer = await changed.host.get(f"{PATH}?costs=5&sort=-costs,customer", old)
    assert ["price=5&sort=-price%2Cperson"] == changed.seen.queries
    for url in (answer.json()["next_url"], answer.links["next"]["url"]):
        assert {"costs": "5", "sort": "-costs,customer", "cursor": "next"} == dict(httpx.URL(url).params)


@pytest.mark.parametrize(("sent", "param"), [({"costs": "x"}, "costs"), ({"costs": 1, "customer": {"first": "A"}}, "customer.last")])
async def test_refusal_names_fields_as_the_caller_does(changed: Changed, old: str, sent: dict[str, Any], param: str) -> None:
    document = problem(await changed.host.send("POST", PATH, old, json=sent), 400, "invalid_request")
    assert (param, f"#/{param.replace('.', '/')}") == (document["param"], document["errors"][0]["pointer"])
    assert param in document["detail"]
    assert "price" not in str(document)
    assert "person" not in str(document)


async def test_refusal_of_the_handler_and_of_the_query_name_fields_so_too(changed: Changed, old: str) -> None:
    refused = problem(await changed.host.send("POST", PATH, old, json={"costs": 13}), 409, "conflict")
    assert ("costs", "The costs is taken.") == (refused["param"], refused["detail"])
    assert "costs" == problem(await changed.host.get(f"{PATH}?costs=x", old), 400, "invalid_request")["param"]


@pytest.mark.parametrize(
    ("version", "name", "right"), [(FIRST, "person", "customer"), (FIRST, "amount", "costs"), (FIRST, "price", "costs")]
)
async def test_name_of_a_later_version_is_unknown(changed: Changed, version: str, name: str, right: str) -> None:
    key = await changed.key_at(version)
    for answer in (await changed.host.send("POST", PATH, key, json={name: 1}), await changed.host.get(f"{PATH}?{name}=1", key)):
        document = problem(answer, 400, "invalid_request")
        assert f"did you mean `{right}`?" in document["detail"]
        assert "extra_forbidden" == document["errors"][0]["code"]


async def test_name_of_an_earlier_version_is_unknown_at_the_newest(changed: Changed) -> None:
    answer = await changed.host.send("POST", PATH, await changed.host.key(), json={"costs": 5, "price": 5})
    assert "costs" == problem(answer, 400, "invalid_request")["param"]


async def test_between_two_changes_only_the_later_one_is_turned(changed: Changed) -> None:
    key = await changed.key_at(RENAMED)
    answer = await changed.host.send("POST", PATH, key, json={"person": {"first": "Ada", "last": "Park"}, "amount": 5})
    assert {"object": "order", "id": "o1", "person": {"first": "Ada", "last": "Park"}, "amount": 5} == answer.json()


@pytest.mark.parametrize("content", [b"{", b"[1]", b"null", b"", b'{"costs": NaN}', b'{"costs": 1e999}', b"[" * 100_000])
async def test_what_is_no_object_is_refused_by_whoever_reads_it(changed: Changed, old: str, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    now = await changed.host.send("POST", PATH, await changed.host.key(), content=content, headers=headers)
    then = await changed.host.send("POST", PATH, old, content=content, headers=headers)
    assert (now.status_code, now.json()["code"]) == (then.status_code, then.json()["code"])


@pytest.mark.parametrize("depth", range(960, 1001, 8))
async def test_body_that_is_nested_too_deeply_to_be_turned_is_refused(changed: Changed, old: str, depth: int) -> None:
    content = b'{"costs":' * depth + b"1" + b"}" * depth
    answer = await changed.host.send("POST", PATH, old, content=content, headers={"Content-Type": "application/json"})
    problem(answer, 400, "invalid_request")


async def test_half_a_character_stays_what_it_was(changed: Changed, old: str) -> None:
    sent = {"content": b'{"customer": "\\ud800 Park"}', "headers": {"Content-Type": "application/json"}}
    answer = await changed.host.send("PATCH", f"{PATH}/o1", old, **sent)
    assert '{"person":{"first":"\\ud800","last":"Park"}}' == answer.json()["body"]


async def test_answer_is_turned_though_its_caller_reads_compressed_ones_and_parts(changed: Changed, old: str) -> None:
    answer = await changed.host.get("/api/v1/odd/encodings", old, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-10"})
    assert {"object": "order", "costs": 5, "customer": "Ada Park", "asked": []} == answer.json()
    problem(await changed.host.get("/api/v1/odd/compressed", old), 500, "internal_error")


async def test_at_the_newest_version_the_handler_gets_the_call_as_it_came(changed: Changed) -> None:
    headers = {"Accept-Encoding": "gzip", "Range": "bytes=0-10"}
    answer = await changed.host.get("/api/v1/odd/encodings", await changed.host.key(), headers=headers)
    assert ["accept-encoding", "range"] == answer.json()["asked"]
    sent = {"content": b'{ "price" : 5 }', "headers": {"Content-Type": "application/json"}}
    await changed.host.send("POST", PATH, await changed.host.key(), **sent)
    assert [b'{ "price" : 5 }'] == changed.seen.bodies


async def test_body_of_another_type_is_left_as_it_is(changed: Changed, old: str) -> None:
    answer = await changed.host.send("PATCH", f"{PATH}/o1", old, content=b'{"costs": 5}', headers={"Content-Type": "text/plain"})
    assert {"body": '{"costs": 5}', "length": "12"} == answer.json()


async def test_json_in_parts_is_turned_and_streams_of_lines_are_not(changed: Changed, old: str) -> None:
    turned = await changed.host.get("/api/v1/odd/json", old)
    assert OLD == turned.json()
    lines = await changed.host.get("/api/v1/odd/ndjson", old)
    assert '"price": 5' in lines.text


async def test_answer_that_is_too_large_to_be_turned_is_refused_rather_than_given_as_it_is(
    changed: Changed, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_versions, "ANSWER_BYTES_MAX", 1_000_000)
    problem(await changed.host.get("/api/v1/odd/large", old), 500, "internal_error")
    assert 200 == (await changed.host.get("/api/v1/odd/large", await changed.host.key())).status_code


async def test_what_is_no_json_passes(changed: Changed, old: str) -> None:
    assert '{"object": "order"' == (await changed.host.get("/api/v1/odd/broken", old)).text
    assert 204 == (await changed.host.get("/api/v1/odd/nothing", old)).status_code


async def test_change_that_breaks_on_an_answer_is_a_crash_that_tells_nothing(changed: Changed, old: str) -> None:
    problem(await changed.host.get("/api/v1/crash", old), 500, "internal_error")
    assert 200 == (await changed.host.get("/api/v1/crash", await changed.host.key())).status_code


async def test_our_own_operations_are_the_same_at_every_version_whatever_the_hosts_objects_are_called(changed: Changed) -> None:
    admin = await changed.host.key(ADMIN_RIGHTS, name="admin")
    for path in ("/api/v1/me", f"/api/v1/keys/{admin.key.id}"):
        old, new = [await changed.host.get(path, admin, headers={"Api-Version": version}) for version in (FIRST, NEWEST)]
        assert (200, old.json().keys()) == (old.status_code, new.json().keys())


async def test_size_of_the_body_is_bounded_at_every_version(changed: Changed, old: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 65536

    answer = await changed.host.send("POST", PATH, old, content=parts(), headers={"Content-Type": "application/json"})
    problem(answer, 413, "body_too_large")
