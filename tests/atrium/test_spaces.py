"""What lies in spaces: reached through a role there, and nothing else."""

import pytest

from tests.atrium.host import Host


@pytest.fixture
async def space(host: Host) -> str:
    """A space's id."""
    return await host.create_space("Launch room")


async def test_message_is_posted_read_changed_and_deleted(host: Host, space: str) -> None:
    answer = await host.post(f"/spaces/{space}/messages", {"body": "Hello\n\tall"})
    message = answer.json()
    assert (201, "message", space, "Hello\n\tall") == (answer.status_code, message["object"], message["space_id"], message["body"])
    assert ("local-dev", "key") == (message["author"]["name"], message["author"]["kind"])
    path = f"/spaces/{space}/messages/{message['id']}"
    assert message == (await host.get(path)).json()
    assert [message] == (await host.get(f"/spaces/{space}/messages")).json()["data"]
    assert "Bye" == (await host.patch(path, {"body": "Bye"})).json()["body"]
    assert 204 == (await host.delete(path)).status_code
    assert 404 == (await host.get(path)).status_code


async def test_item_is_assigned_to_a_member_of_the_workspace_only(host: Host, space: str) -> None:
    item = (await host.post(f"/spaces/{space}/items", {"title": "Call", "assignee_id": host.member_id})).json()
    assert (host.member_id, "open") == (item["assignee_id"], item["state"])
    stranger = await host.stranger()
    for nobody in (stranger.member_id, "c" + "x" * 24, "nobody"):
        for answer in (
            await host.post(f"/spaces/{space}/items", {"title": "Call", "assignee_id": nobody}),
            await host.patch(f"/spaces/{space}/items/{item['id']}", {"assignee_id": nobody}),
        ):
            assert (400, "assignee_id") == (answer.status_code, answer.json()["param"])
    changed = (await host.patch(f"/spaces/{space}/items/{item['id']}", {"assignee_id": None, "state": "done"})).json()
    assert (None, "done") == (changed["assignee_id"], changed["state"])


async def test_items_are_filtered_by_state_and_assignee(host: Host, space: str) -> None:
    for body in ({"title": "A"}, {"title": "B", "state": "done"}, {"title": "C", "assignee_id": host.member_id}):
        await host.post(f"/spaces/{space}/items", body)
    for query, titles in (("", "CBA"), ("state=done", "B"), ("state=open", "CA"), (f"assignee_id={host.member_id}", "C")):
        assert titles == "".join(item["title"] for item in (await host.get(f"/spaces/{space}/items?{query}")).json()["data"])
    answer = await host.get(f"/spaces/{space}/items?state=x")
    assert (400, True) == (answer.status_code, "in_progress" in answer.json()["detail"])


async def test_other_space_does_not_have_it(host: Host, space: str) -> None:
    other = await host.create_space("Support")
    message = (await host.post(f"/spaces/{space}/messages", {"body": "Hello"})).json()
    assert 404 == (await host.get(f"/spaces/{other}/messages/{message['id']}")).status_code
    assert [] == (await host.get(f"/spaces/{other}/messages")).json()["data"]


async def test_space_of_another_workspace_looks_like_none(host: Host, space: str) -> None:
    stranger = await host.stranger()
    details = {(await stranger.get(f"/spaces/{name}/messages")).json()["detail"] for name in (space, "c" + "x" * 24, "x")}
    assert 1 == len(details)


@pytest.mark.parametrize(
    ("noun", "body"), [("messages", {"body": ""}), ("messages", {"body": "a" * 10_001}), ("items", {"title": "a\nb"}), ("items", {})]
)
async def test_bad_body_is_a_400(host: Host, space: str, noun: str, body: dict[str, object]) -> None:
    assert 400 == (await host.post(f"/spaces/{space}/{noun}", body)).status_code
