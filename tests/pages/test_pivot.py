"""Pivot's page "Getting Started with the Pivot API", walked over HTTP: `keyrack demo --brand pivot`."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.pages.readers import Json, Reader, holding, reading


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody with admin-level access to the organization."""
    with reading(tmp_path_factory.mktemp("pivot"), "pivot") as one:
        yield one


@pytest.fixture(scope="module")
def spaces(reader: Reader) -> tuple[str, str]:
    """Two spaces of the organization."""
    first, second = [reader.done("POST", "/spaces", reader.admin_key, {"name": name})["id"] for name in ("Roadmap", "Incidents")]
    return first, second


def added(reader: Reader, name: str, org_access: str = "none", **roles: str) -> tuple[Json, str]:
    """Add an integration with its three settings, and return it with its key."""
    given = [{"space_id": space, "role": role} for space, role in roles.items()]
    integration = reader.done("POST", "/integrations", reader.admin_key, {"name": name, "org_access": org_access, "spaces": given})
    assert (name, org_access, given) == tuple(integration[field] for field in ("name", "org_access", "spaces"))
    key = reader.done("POST", "/keys", reader.admin_key, {"name": name, "integration_id": integration["id"]})
    assert re.fullmatch("pivot_[0-9A-Za-z]{36}", key["secret"])
    return integration, key["secret"]


@pytest.mark.parametrize(
    ("org_access", "statuses"),
    [("none", (403, 403, 403)), ("reader", (200, 403, 403)), ("admin", (200, 201, 200))],
)
def test_org_level_access_is_none_reader_or_admin(reader: Reader, org_access: str, statuses: tuple[int, ...]) -> None:
    """They read everywhere or not, write everywhere or not, and manage or not."""
    integration, key = added(reader, f"With {org_access}", org_access)
    calls = [("GET", "/customers", None), ("POST", "/customers", {"name": "Aurora"}), ("GET", "/integrations", None)]
    assert statuses == tuple(reader.call(method, path, key, body).status_code for method, path, body in calls)
    assert (integration["id"], org_access) == tuple(reader.done("GET", "/me", key)[name] for name in ("integration_id", "org_access"))


def test_only_admins_create_or_configure_integrations(reader: Reader, spaces: tuple[str, str]) -> None:
    integration, _ = added(reader, "Watched")
    _, curious = added(reader, "Curious", "reader", **{spaces[0]: "manager"})
    own = f"/integrations/{integration['id']}"
    for method, path, body in (
        ("GET", "/integrations", None),
        ("POST", "/integrations", {"name": "Mine"}),
        ("GET", own, None),
        ("PATCH", own, {"org_access": "admin"}),
        ("POST", f"{own}/rotate", None),
        ("PUT", f"{own}/spaces", {"spaces": []}),
        ("POST", "/keys", {"name": "Mine", "integration_id": integration["id"]}),
        ("DELETE", own, None),
    ):
        for key in (curious, reader.live_key):
            refused = reader.refused(403, "insufficient_permission", reader.call(method, path, key, body))
            assert "org-level Admin" in refused, path
    assert integration == reader.done("GET", own, reader.admin_key)


def test_as_many_integrations_as_needed_each_with_a_key_and_a_scope_of_its_own(reader: Reader, spaces: tuple[str, str]) -> None:
    keys = {}
    for number in range(12):
        keys[number] = added(reader, f"Bot {number}", ("none", "reader")[number % 2], **{spaces[number % 2]: "viewer"})[1]
    assert 12 == len(set(keys.values()))
    for number, key in keys.items():
        seen = reader.done("GET", "/me", key)
        assert (f"Bot {number}", ("none", "reader")[number % 2]) == (seen["key_name"], seen["org_access"])
        assert [200, 404][:: 1 if number % 2 == 0 else -1] == [
            reader.call("GET", f"/spaces/{space}/messages", key).status_code for space in spaces
        ]
    names = {one["name"] for one in reader.data("/integrations?limit=100&search=Bot", reader.admin_key)}
    assert {f"Bot {number}" for number in keys} == names


def test_integration_has_one_key_which_is_rotated(reader: Reader) -> None:
    integration, _ = added(reader, "Single")
    second = reader.call("POST", "/keys", reader.admin_key, {"name": "second", "integration_id": integration["id"]})
    assert "rotate that one" in reader.refused(409, "conflict", second)


def test_integration_posts_messages_and_assigns_items_as_a_virtual_user(reader: Reader, spaces: tuple[str, str]) -> None:
    space, _ = spaces
    member = reader.data("/members", reader.admin_key)[0]
    integration, key = added(reader, "Standup bot", **{space: "contributor"})
    message = reader.done("POST", f"/spaces/{space}/messages", key, {"body": "Standup in five minutes"})
    item = reader.done("POST", f"/spaces/{space}/items", key, {"title": "Write it down", "assignee_id": member["id"]})
    for made in (message, item):
        assert {"id": integration["id"], "name": "Standup bot", "kind": "key"} == made["author"]
    assert ("open", member["id"]) == (item["state"], item["assignee_id"])
    done = reader.done("PATCH", f"/spaces/{space}/items/{item['id']}", key, {"state": "done", "assignee_id": None})
    assert ("done", None) == (done["state"], done["assignee_id"])
    assert {"Standup bot"} == {event["actor"]["name"] for event in reader.data(f"/events?object_id={item['id']}", reader.live_key)}


def test_integration_reads_content_inside_its_spaces_and_no_other(reader: Reader, spaces: tuple[str, str]) -> None:
    theirs, other = spaces
    written = reader.done("POST", f"/spaces/{theirs}/messages", reader.live_key, {"body": "For the dashboard"})
    _, key = added(reader, "Dashboard", "reader", **{theirs: "viewer"})
    assert written in reader.data(f"/spaces/{theirs}/messages", key)
    assert [theirs] == [space["id"] for space in reader.data("/spaces", key)]
    reader.refused(403, "insufficient_permission", reader.call("POST", f"/spaces/{theirs}/messages", key, {"body": "x"}))
    assert "No such space." == reader.refused(404, "not_found", reader.call("GET", f"/spaces/{other}/messages", key))


def test_edit_changes_name_and_org_level_access_at_once(reader: Reader, spaces: tuple[str, str]) -> None:
    space, _ = spaces
    integration, key = added(reader, "Reporting", "reader", **{space: "contributor"})
    before = reader.done("POST", f"/spaces/{space}/messages", key, {"body": "Before"})
    assert 200 == reader.call("GET", "/customers", key).status_code
    body = {"name": "Automation", "org_access": "none"}
    edited = reader.done("PATCH", f"/integrations/{integration['id']}", reader.admin_key, body)
    assert (body, integration["spaces"]) == ({name: edited[name] for name in body}, edited["spaces"])
    reader.refused(403, "insufficient_permission", reader.call("GET", "/customers", key))
    after = reader.done("POST", f"/spaces/{space}/messages", key, {"body": "After"})
    assert ["Reporting", "Automation"] == [message["author"]["name"] for message in (before, after)]
    assert "Automation" == reader.done("GET", "/me", key)["key_name"]
    assert before in reader.data(f"/spaces/{space}/messages", reader.live_key)


def test_rotation_breaks_every_connection_with_the_previous_key_and_keeps_name_and_access(reader: Reader, spaces: tuple[str, str]) -> None:
    integration, old = added(reader, "Sync", "reader", **{spaces[0]: "viewer"})
    assert 200 == reader.call("GET", "/me", old).status_code
    rotated = reader.done("POST", f"/integrations/{integration['id']}/rotate", reader.admin_key)
    for _ in range(3):
        assert "Sync" in reader.refused(401, "key_revoked", reader.call("GET", "/me", old))
    assert ("Sync", "reader") == (rotated["name"], rotated["org_access"])
    identity = reader.done("GET", "/me", rotated["secret"])
    assert (integration["id"], integration["spaces"]) == (identity["integration_id"], identity["spaces"])
    assert integration == reader.done("GET", f"/integrations/{integration['id']}", reader.admin_key)
    (shown,) = reader.data(f"/keys?integration_id={integration['id']}", reader.admin_key)
    assert rotated["secret"].startswith(shown["prefix"])
    assert ["POST /api/v1/keys"] == holding(old, reader.calls)
    assert [f"POST /api/v1/integrations/{integration['id']}/rotate"] == holding(rotated["secret"], reader.calls)


def test_space_access_says_which_spaces_and_with_which_role_in_each(reader: Reader, spaces: tuple[str, str]) -> None:
    first, second = spaces
    integration, key = added(reader, "Mover", **{first: "viewer"})
    url = f"/integrations/{integration['id']}/spaces"

    def statuses(space: str) -> tuple[int, ...]:
        """Whether it may read, write, and say who is in the space."""
        path = f"/spaces/{space}"
        invited = reader.call("PUT", f"{path}/members/{integration['id']}", key, {"role": "manager"}).status_code
        return (
            reader.call("GET", f"{path}/messages", key).status_code,
            reader.call("POST", f"{path}/messages", key, {"body": "x"}).status_code,
            invited,
        )

    assert ((200, 403, 403), (404, 404, 404)) == (statuses(first), statuses(second))
    reader.done("PUT", f"{url}/{second}", reader.admin_key, {"role": "contributor"})
    assert ((200, 403, 403), (200, 201, 403)) == (statuses(first), statuses(second))
    reader.done("PUT", url, reader.admin_key, {"spaces": [{"space_id": second, "role": "manager"}]})
    assert ((404, 404, 404), (200, 201, 200)) == (statuses(first), statuses(second))
    assert [(second, "manager")] == [(one["space_id"], one["role"]) for one in reader.data(url, reader.admin_key)]
    assert 204 == reader.call("DELETE", f"{url}/{second}", reader.admin_key).status_code
    assert ((404, 404, 404), (404, 404, 404)) == (statuses(first), statuses(second))
    assert [] == reader.data(url, reader.admin_key)


def test_deleted_integration_is_gone_for_good_and_its_messages_keep_its_name(reader: Reader, spaces: tuple[str, str]) -> None:
    space, _ = spaces
    integration, key = added(reader, "Farewell", "admin", **{space: "contributor"})
    message = reader.done("POST", f"/spaces/{space}/messages", key, {"body": "Goodbye"})
    own = f"/integrations/{integration['id']}"
    assert 204 == reader.call("DELETE", own, reader.admin_key).status_code
    reader.refused(401, "key_revoked", reader.call("GET", "/me", key))
    for method, path in (("GET", own), ("PATCH", own), ("DELETE", own), ("POST", f"{own}/rotate")):
        reader.refused(404, "not_found", reader.call(method, path, reader.admin_key, {} if method == "PATCH" else None))
    assert "Farewell" not in [one["name"] for one in reader.data("/integrations?limit=100", reader.admin_key)]
    assert message in reader.data(f"/spaces/{space}/messages", reader.live_key)
    assert "Farewell" == message["author"]["name"]
    assert "Farewell" in [event["actor"]["name"] for event in reader.data(f"/events?object_id={message['id']}", reader.live_key)]


def test_whoever_builds_with_the_api_joins_the_dev_community(reader: Reader) -> None:
    """It is a dedicated space to share code, ask the Pivot team, hear of features and updates, and request support."""
    with httpx.Client(base_url=reader.url, timeout=30, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True) as robin:
        link = reader.printed["sign_in_url"].rpartition("link=")[2]
        assert "/community" in robin.post("/console/sign-in", data={"link": link}).text
        assert "Join the Pivot Dev. Community" in robin.get("/docs/guides/integrations").text
        assert "Join the Pivot Dev. Community" in robin.get("/community").text
        joined = robin.post("/community/join").text
        for what in (
            "Code, examples and ways to integrate",
            "Questions, answered",
            "New features and changes of the API",
            "Help with a case",
        ):
            assert what in joined
        assert "Which role lets an integration assign items?" in robin.get("/community/ask").text
        shared = robin.post("/community/share", data={"title": "Nightly sync", "body": "`updated_after` makes it cheap"})
        assert (200, True) == (shared.status_code, "<code>updated_after</code>" in shared.text)
        assert "What now?" in robin.post("/community/ask", data={"title": "What now?", "body": "Which role reads items?"}).text
        assert "Onboardings have phases" in robin.get("/community/updates").text
        support = robin.post("/community/support", data={"title": "Our case", "body": "Imports stop at row 7."}).text
        assert "Only you and the Pivot team see this." in support
