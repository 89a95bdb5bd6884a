"""What an operator does at the command line: in this process, on a real database, with the program's own entry point."""

import asyncio
import sys
from pathlib import Path

import pytest

from keyrack import Keyrack
from keyrack.manage import events
from keyrack.model.events import Event
from keyrack.model.refusals import INVALID_CREDENTIAL
from keyrack.model.request_logs import RequestLog, terms_of
from keyrack.store import request_logs
from keyrack.store.ids import RequestIds
from tests.commands import Command, command

__all__ = ["command"]

SHOP = """
from fastapi import FastAPI

from keyrack import Brand, Category, Keyrack, Plan, Settings

app = FastAPI()
rack = Keyrack(
    Settings(), brand=Brand("Shop", "shop"), categories=[Category("orders", "Orders"), Category("notes", "Notes", in_spaces=True)],
    plans=[Plan("standard", "Standard"), Plan("free", "Free", api_access=False)],
)
rack.install(app)
"""


@pytest.fixture
def keyrack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Command:
    """Runs a command in a folder that holds the module of a host, whose data is there."""
    module = f"shop_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEYRACK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KEYRACK_APP", f"{module}:app")
    monkeypatch.syspath_prepend(tmp_path)

    assert 0 == command("migrate").code
    return command


def rack_of(tmp_path: Path) -> Keyrack:
    """The rack that the commands of a test share."""
    (module,) = [name for name in sys.modules if name == f"shop_{tmp_path.name}".replace("-", "_")]
    rack: Keyrack = sys.modules[module].rack
    return rack


async def events_of(rack: Keyrack) -> list[Event]:
    """The events of the only workspace, oldest first."""
    (workspace,) = await rack.workspaces.list()
    actor = await rack.workspaces.operator(workspace.id)
    found = await events.page(rack.assembly.desk, actor, limit=100, after=0)
    await rack.assembly.store.close()
    return found


def test_version_is_printed(keyrack: Command) -> None:
    assert keyrack("--version").out.startswith("keyrack 0.")
    assert ["version"] == list(keyrack("--version", "--json").json)


def test_workspaces_are_made_renamed_planned_and_deleted(keyrack: Command) -> None:
    made = keyrack("workspaces", "create", "Corner Shop", "--owner-email", "ada@corner.example", "--json").json
    assert ("workspace", "corner-shop", "standard") == (made["object"], made["slug"], made["plan"])
    assert [made] == keyrack("workspaces", "list", "--json").json["data"]
    assert "Corner Shop" in keyrack("workspaces", "list").out
    assert "free" == keyrack("workspaces", "plan", "corner-shop", "free", "--json").json["plan"]
    assert "corner" == keyrack("workspaces", "rename", made["id"], "--slug", "corner", "--json").json["slug"]
    refused = keyrack("workspaces", "delete", "corner")
    assert (1, "") == (refused.code, refused.out)
    assert "--yes" in refused.err
    assert 0 == keyrack("workspaces", "delete", "corner", "--yes").code
    assert [] == keyrack("workspaces", "list", "--json").json["data"]


def test_what_commands_change_is_an_event_of_the_command_line(keyrack: Command, tmp_path: Path) -> None:
    keyrack("workspaces", "create", "Corner")
    key = keyrack("keys", "create", "till", "--json").json
    keyrack("keys", "revoke", key["id"])
    found = asyncio.run(events_of(rack_of(tmp_path)))
    assert ["workspace.created", "integration.created", "key.created", "key.revoked"] == [event.type for event in found]
    assert {("operator", "command line")} == {(event.actor.kind, event.actor.name) for event in found}


def test_integration_is_created_edited_and_deleted_with_its_rights(keyrack: Command) -> None:
    keyrack("workspaces", "create", "Corner")
    made = keyrack("integrations", "create", "Zapier", "--org-access", "reader", "--permission", "orders:write", "--json").json
    assert ("reader", {"orders": "write"}) == (made["org_access"], made["permissions"])
    edited = keyrack("integrations", "edit", made["id"], "--all", "--name", "Zap", "--json").json
    assert ("Zap", "reader", {"*": "write"}) == (edited["name"], edited["org_access"], edited["permissions"])
    assert "all" in keyrack("integrations", "list").out
    key = keyrack("keys", "create", "one", "--integration", made["id"], "--json").json
    rotated = keyrack("integrations", "rotate", made["id"], "--json").json
    assert made["id"] == key["integration_id"] == rotated["integration_id"]
    assert [rotated["id"]] == [one["id"] for one in keyrack("keys", "list", "--json").json["data"]]
    assert 0 == keyrack("integrations", "delete", made["id"]).code
    assert [] == keyrack("integrations", "list", "--json").json["data"]
    assert [] == keyrack("keys", "list", "--json").json["data"]


def test_secret_is_printed_where_it_is_created_and_nowhere_else(keyrack: Command) -> None:
    keyrack("workspaces", "create", "Corner")
    words = keyrack("keys", "create", "till", "--mode", "test", "--all").out
    (secret,) = [word for word in words.split() if word.startswith("shop_test_")]
    (listed,) = keyrack("keys", "list", "--json").json["data"]
    assert secret.startswith(listed["prefix"])
    disabled = keyrack("keys", "edit", listed["id"], "--disable", "--ip-range", "192.0.2.0/24", "--json").json
    assert ("disabled", ["192.0.2.0/24"]) == (disabled["state"], disabled["ip_ranges"])
    assert "active" == keyrack("keys", "edit", listed["id"], "--enable", "--json").json["state"]
    rotated = keyrack("keys", "rotate", listed["id"], "--overlap-seconds", "60", "--json").json
    assert rotated["secret"] != secret
    both = keyrack("keys", "list", "--json")
    assert {"active", "ending"} == {one["state"] for one in both.json["data"]}
    assert secret not in both.out
    assert rotated["secret"] not in both.out


def test_long_list_is_continued_with_its_cursor(keyrack: Command) -> None:
    for number in range(3):
        keyrack("workspaces", "create", f"Shop {number}")
    first = keyrack("workspaces", "list", "--limit", "2", "--json").json
    assert (2, True) == (len(first["data"]), first["has_more"])
    second = keyrack("workspaces", "list", "--limit", "2", "--cursor", first["next_cursor"], "--json").json
    assert ["Shop 2", "Shop 1", "Shop 0"] == [one["name"] for one in first["data"] + second["data"]]
    assert (False, None) == (second["has_more"], second["next_cursor"])
    assert "--cursor" in keyrack("workspaces", "list", "--limit", "2").out
    several = keyrack("keys", "list")
    assert (1, True) == (several.code, "--workspace" in several.err)


async def add_lines(rack: Keyrack, *lines: RequestLog) -> None:
    """Put lines into the log, as the mover does."""
    async with rack.assembly.store.writing_traffic() as c:
        await request_logs.add(c, lines, terms_of(lines))
    await rack.assembly.store.close()


def test_log_is_searched_by_workspace_and_by_the_operator(keyrack: Command, tmp_path: Path) -> None:
    workspace = keyrack("workspaces", "create", "Corner", "--json").json["id"]
    rack, ids = rack_of(tmp_path), RequestIds()
    now = rack.assembly.now()
    times = [now, now + 1, now + 2]
    known = [RequestLog(ids.new(at), at, workspace, f"/api/v1/orders/{at}", None, "GET", 200 + at - now) for at in times]
    stranger = RequestLog(ids.new(now), now, None, "/api/v1/\x1b[2Jorders", None, "GET", 401, INVALID_CREDENTIAL.code)
    asyncio.run(add_lines(rack, *known, stranger))
    found = keyrack("logs", "list", "--since", "1h", "--limit", "2", "--json").json
    assert [202, 201] == [line["status"] for line in found["data"]]
    rest = keyrack("logs", "list", "--since", "1h", "--cursor", found["next_cursor"], "--json").json
    assert [200] == [line["status"] for line in rest["data"]]
    assert [201] == [line["status"] for line in keyrack("logs", "list", "--status", "201", "--json").json["data"]]
    operators = keyrack("logs", "list", "--operator")
    assert ("invalid_credential" in operators.out, "\x1b" in operators.out) == (True, False)
    assert known[0].request_id in keyrack("logs", "show", known[0].request_id).out
    assert "no such line" in keyrack("logs", "show", stranger.request_id).err


def test_doctor_finds_a_healthy_installation_and_what_is_wrong_with_another(
    keyrack: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyrack("workspaces", "list")
    healthy = keyrack("doctor", "--json")
    assert (0, True) == (healthy.code, healthy.json["ok"])
    assert {"ok"} == {one["state"] for one in healthy.json["checks"]}
    (tmp_path / "data" / "secret.key").chmod(0o644)
    monkeypatch.setenv("KEYRACK_DATABSE_URL", "")
    ill = keyrack("doctor")
    assert 1 == ill.code
    for words in ("chmod 600", "KEYRACK_DATABSE_URL"):
        assert words in ill.out
    monkeypatch.delenv("KEYRACK_APP")
    nothing = keyrack("doctor", "--data", str(tmp_path / "nowhere"), "--json")
    assert {"data folder", "database"} == {one["name"] for one in nothing.json["checks"] if one["state"] == "error"}
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keys", "list", "--data", "nowhere"], "There is no Keyrack data in"),
        (["keys", "list"], "There is no workspace yet"),
        (["keys", "list", "--workspace", "nobody"], "keyrack workspaces list"),
        (["keys", "list", "--limit", "0"], "--limit"),
        (["keys", "list", "--app", "nowhere:app"], "There is no module 'nowhere'"),
        (["keys", "list", "--app", "keyrack"], "module:app"),
        (["keys", "list", "--app", "keyrack:refusals"], "rack.install(app)"),
        (["integrations", "create", "x", "--permission", "orders"], "customers:write"),
        (["integrations", "create", "x", "--permission", "orders:all"], "permissions.orders"),
        (["integrations", "create", "", "--all"], "name"),
        (["keys", "revok"], "revoke"),
        (["logs", "list", "--status", "9xx"], "4xx"),
        (["serve"], "MODULE:APP"),
        (["serve", "keyrack:nothing"], "keyrack has no 'nothing'"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(keyrack: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str) -> None:
    if "--data" in arguments:
        monkeypatch.delenv("KEYRACK_APP")
    if "logs" in arguments:
        keyrack("workspaces", "create", "Corner")
    ended = keyrack(*arguments, *(["--json"] if "serve" not in arguments else []))
    assert ended.code in (1, 2)
    assert "" == ended.out
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_making_a_key_without_its_app_asks_for_it(keyrack: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    keyrack("workspaces", "create", "Corner")
    key = keyrack("keys", "create", "till", "--json").json
    monkeypatch.delenv("KEYRACK_APP")
    assert "--app module:app" in keyrack("keys", "create", "other").err
    assert "ended" == keyrack("keys", "revoke", key["id"], "--json").json["state"]


def test_setting_that_cannot_be_is_named_as_it_is_written(keyrack: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYRACK_APP")
    for name, value in (
        ("KEYRACK_BODY_BYTES_MAX", "1"),
        ("KEYRACK_BASE_URL", "example.com"),
        ("KEYRACK_DATABASE_URL", "mysql://host/name"),
    ):
        monkeypatch.setenv(name, value)
        ended = keyrack("workspaces", "list")
        monkeypatch.delenv(name)
        assert (1, "", True) == (ended.code, ended.out, f"{name}: " in ended.err)


def test_workspace_whose_last_owner_is_away_gets_another_as_an_event(keyrack: Command, tmp_path: Path) -> None:
    keyrack("workspaces", "create", "Corner", "--owner-email", "ada@corner.example")
    assert "last owner" in keyrack("members", "deactivate", "ada@corner.example").err
    narrow = ("--permission", "orders:read", "--org-access", "none", "--may-use-api")
    made = keyrack("members", "add", "bo@corner.example", "--name", "Bo", *narrow, "--json").json
    assert ("member", "Bo", "member", True) == (made["object"], made["name"], made["role"], made["may_use_api"])
    assert ("none", {"orders": "read"}) == (made["org_access"], made["permissions"])
    assert "owner" == keyrack("members", "role", made["id"], "owner", "--json").json["role"]
    assert "inactive" == keyrack("members", "deactivate", "ADA@corner.example", "--json").json["status"]
    assert "active" == keyrack("members", "activate", "ada@corner.example", "--json").json["status"]
    assert 0 == keyrack("members", "remove", "ada@corner.example").code
    assert ["bo@corner.example"] == [one["email"] for one in keyrack("members", "list", "--json").json["data"]]
    assert "Nobody with the email" in keyrack("members", "remove", "ada@corner.example").err
    found = asyncio.run(events_of(rack_of(tmp_path)))
    assert ["member.added", "member.updated", "member.updated", "member.updated", "member.removed"] == [one.type for one in found[2:]]
    assert {"command line"} == {one.actor.name for one in found}


def test_links_let_in_the_first_person_and_whoever_forgot_a_password(keyrack: Command) -> None:
    assert "--url" in keyrack("people", "set-up").err
    begun = keyrack("people", "set-up", "--url", "https://shop.example/", "--json").json
    assert begun["url"].startswith("https://shop.example/console/set-up?link=shop_setup_")
    assert 1 == keyrack("people", "reset-password", "ada@corner.example", "--url", "https://shop.example").code
    keyrack("workspaces", "create", "Corner", "--owner-email", "ada@corner.example", "--owner-name", "Ada")
    words = keyrack("people", "reset-password", " Ada@corner.example", "--url", "https://shop.example").out
    assert "https://shop.example/console/new-password?link=shop_reset_" in words
    assert "Ada alone" in words
