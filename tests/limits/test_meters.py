"""What a host counts by its meters is bounded by the plan, exactly, and shown as usage."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from keyrack import Keyrack, Meter, Plan, Refused, Settings
from keyrack.model.limits import DAY_SECONDS
from tests.hosts import BRAND
from tests.limits.hosts import EXPORTS, MESSAGES, Host, Mode, limited, scarce, second_key, usage_after_restart, violated
from tests.valkey import Server

BOTH = (MESSAGES, EXPORTS)
PLAN = Plan("metered", "Metered", meters={"messages": 25, "exports": None})
WIDER = Plan("wider", "Wider", meters={"messages": 40, "exports": None})


async def test_64_tasks_count_exactly_the_quota(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PLAN], BOTH, **counters) as host:
        key = await host.key()
        answers = await asyncio.gather(*[host.send("POST", "/api/v1/notes", key) for _ in range(64)])
        assert {200: 25, 429: 39} == Counter(answer.status_code for answer in answers)
        assert (25, 0) == await messages(host)


async def test_what_is_above_the_quota_is_refused_whole_until_the_month_ends(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PLAN], BOTH, **counters) as host:
        key = await host.key()
        assert 200 == (await host.send("POST", "/api/v1/notes?units=23", key)).status_code
        refused = await host.send("POST", "/api/v1/notes?units=3", key)
        assert (["messages"], "quota_exceeded", True) == (violated(refused), refused.json()["code"], refused.json()["retryable"])
        assert "25 messages in a month, and 2 are left" in refused.json()["detail"]
        assert 0 < int(refused.headers["retry-after"]) <= 31 * DAY_SECONDS
        assert (23, 2) == await messages(host)
        assert 200 == (await host.send("POST", "/api/v1/notes?units=2", key)).status_code
        assert "quota_exceeded" == (await host.send("POST", "/api/v1/notes", key)).json()["code"]


async def test_more_than_the_plan_ever_allows_is_refused_and_takes_nothing(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN], BOTH) as host:
        refused = await host.send("POST", "/api/v1/notes?units=26", await host.key())
        assert ["messages"] == violated(refused)
        assert "never possible" in refused.json()["detail"]
        assert "retry-after" not in refused.headers
        assert (0, 25) == await messages(host)


async def test_a_used_up_meter_bounds_nothing_else(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN], BOTH) as host:
        key = await host.key()
        await host.rack.count(MESSAGES, 25, workspace_id=host.workspace.id)
        assert 429 == (await host.send("POST", "/api/v1/notes", key)).status_code
        assert 200 == (await host.get("/api/v1/customers", key)).status_code
        await host.rack.count(EXPORTS, 10**6, workspace_id=host.workspace.id)


async def test_test_calls_and_other_workspaces_are_counted_apart(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PLAN], BOTH, **counters) as host:
        live = await host.key()
        test = await second_key(host, live, Mode.TEST)
        neighbour = await host.other_workspace()
        for key, units in ((live, 3), (test, 5), (neighbour.key, 7)):
            assert 200 == (await host.send("POST", f"/api/v1/notes?units={units}", key)).status_code
        for key, used in ((live, (3, 5)), (test, (3, 5)), (neighbour.key, (7, 0))):
            usage = (await host.get("/api/v1/usage", key)).json()
            assert used == (usage["live"]["meters"][0]["used"], usage["test"]["meters"][0]["used"])


async def test_a_greater_plan_goes_on_from_what_was_used(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN, WIDER], BOTH) as host:
        key = await host.key()
        await host.send("POST", "/api/v1/notes?units=25", key)
        await host.rack.workspaces.set_plan(host.workspace.id, WIDER.name)
        assert (25, 15) == await messages(host)
        assert 200 == (await host.send("POST", "/api/v1/notes?units=15", key)).status_code
        await host.rack.workspaces.set_plan(host.workspace.id, PLAN.name)
        assert 429 == (await host.send("POST", "/api/v1/notes", key)).status_code
        assert (25, 0) == await messages(host)


async def test_usage_tells_of_plan_limits_and_meters_what_was_used_and_when_it_ends(tmp_path: Path, counters: dict[str, Any]) -> None:
    plan = Plan("full", "Full", limits=(scarce("workspace", 50), scarce("key", 9, per="key")), meters={"messages": 25, "exports": None})
    async with limited(tmp_path, [plan], BOTH, **counters) as host:
        key = await host.key()
        for path in ("notes?units=4", "notes"):
            await host.send("POST", f"/api/v1/{path}", key)
        await host.rack.count(EXPORTS, 12, workspace_id=host.workspace.id)
        usage = (await host.get("/api/v1/usage", key)).json()
        assert ("usage", host.workspace.id, {"name": "full", "title": "Full"}) == (usage["object"], usage["id"], usage["plan"])
        today = datetime.fromtimestamp(host.clock.now() / 1000, UTC)
        month = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
        assert usage["live"]["meters"] == [
            {
                "name": "messages", "title": "Messages", "unit": "messages", "window": "month",
                "limit": 25, "used": 5, "remaining": 20, "reset_at": f"{month:%Y-%m-%dT00:00:00.000Z}",
            },
            {
                "name": "exports", "title": "Exports", "unit": "rows", "window": "day",
                "limit": None, "used": 12, "remaining": None, "reset_at": usage["live"]["meters"][1]["reset_at"],
            },
        ]  # fmt: skip
        told = [(one["name"], one["per"], one["limit"], one["used"], one["remaining"]) for one in usage["live"]["limits"]]
        assert [("workspace", "workspace", 50, 2, 48), ("key", "key", 9, 2, 7)] == told
        assert all(one["reset_at"] for one in usage["live"]["limits"])
        # The key is a live one: of its own nothing can be used in test mode.
        assert [("workspace", 0, None)] == [(one["name"], one["used"], one["reset_at"]) for one in usage["test"]["limits"]]
        assert [0, 0] == [one["used"] for one in usage["test"]["meters"]]


async def test_usage_needs_no_rights_and_takes_nothing(tmp_path: Path) -> None:
    plan = Plan("two", "Two", limits=(scarce("workspace", 2),))
    async with limited(tmp_path, [plan]) as host:
        key = await host.key()
        assert [200] * 4 == [(await host.get("/api/v1/usage", key)).status_code for _ in range(4)]
        assert [200, 200, 429] == [(await host.get("/api/v1/customers", key)).status_code for _ in range(3)]
        (told,) = (await host.get("/api/usage", key)).json()["live"]["limits"]
        assert (2, 2, 0) == (told["limit"], told["used"], told["remaining"])


async def test_usage_is_recalled_where_valkey_has_lost_it_and_another_process_asks(tmp_path: Path, valkey_server: Server) -> None:
    valkey_server.empty()
    options: dict[str, Any] = {"valkey_url": valkey_server.url, "valkey_wait_seconds": 5.0}
    async with limited(tmp_path, [PLAN], BOTH, **options) as host:
        await host.rack.count(MESSAGES, 8, workspace_id=host.workspace.id)
        key = await host.key()
    valkey_server.empty()
    usage = await usage_after_restart(key, tmp_path, [PLAN], BOTH, **options)
    assert (8, 17) == (usage["live"]["meters"][0]["used"], usage["live"]["meters"][0]["remaining"])


async def test_what_a_meter_counted_outlives_the_process(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN], BOTH) as host:
        await host.rack.count(MESSAGES, 8, workspace_id=host.workspace.id)
        key = await host.key()
    usage = await usage_after_restart(key, tmp_path, [PLAN], BOTH)
    assert 8 == usage["live"]["meters"][0]["used"]


async def test_a_copy_of_the_file_brings_back_what_was_counted(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN], BOTH) as host:
        await host.rack.count(MESSAGES, 8, workspace_id=host.workspace.id)
        key = await host.key()
        copy = (tmp_path / "counters").read_bytes()
    (tmp_path / "counters").unlink()
    for used in (0, 8):
        assert used == (await usage_after_restart(key, tmp_path, [PLAN], BOTH))["live"]["meters"][0]["used"]
        (tmp_path / "counters").write_bytes(copy)


async def test_a_job_counts_for_a_workspace_and_is_refused_by_exception(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN], BOTH) as host:
        await host.rack.count(MESSAGES, 25, workspace_id=host.workspace.id)
        with pytest.raises(Refused, match="quota_exceeded"):
            await host.rack.count(MESSAGES, workspace_id=host.workspace.id)
        await host.rack.count(MESSAGES, workspace_id=host.workspace.id, mode="test")
        with pytest.raises(Refused, match="not_found"):
            await host.rack.count(MESSAGES, workspace_id="org_nobody")


async def test_what_exists_is_counted_in_a_session_of_either_kind_and_shown_in_both_modes(tmp_path: Path) -> None:
    plan = Plan("seats", "Seats", meters={"seats": 3, "desks": None})
    seats = Meter("seats", "Seats", existing=lambda workspace_id: select(literal(4)).where(literal(workspace_id).startswith("org_")))
    desks = Meter("desks", "Desks", existing=lambda workspace_id: select(literal(7)))
    async with limited(tmp_path, [plan], [desks, seats]) as host:
        usage = (await host.get("/api/v1/usage", await host.key())).json()
        told = [
            (one["name"], one["window"], one["limit"], one["used"], one["remaining"], one["reset_at"]) for one in usage["live"]["meters"]
        ]
        assert [("desks", None, None, 7, None, None), ("seats", None, 3, 4, 0, None)] == told
        assert usage["live"]["meters"] == usage["test"]["meters"]
        with pytest.raises(ValueError, match="counted in a session"):
            await host.rack.count(seats, workspace_id=host.workspace.id)
        plain = create_engine(f"sqlite:///{tmp_path}/keyrack.db")
        with Session(plain) as session:
            await host.rack.count(desks, 10**6, workspace_id=host.workspace.id, session=session)
            with pytest.raises(Refused, match="quota_exceeded"):
                await host.rack.count(seats, workspace_id=host.workspace.id, session=session)
            with pytest.raises(ValueError, match="0 or more"):
                await host.rack.count(seats, -1, workspace_id=host.workspace.id, session=session)
            host.rack.assembly.plans.clear()
            with pytest.raises(Refused, match="plan_upgrade_required"):
                await host.rack.count(seats, workspace_id=host.workspace.id, session=session)
        plain.dispose()


async def test_counting_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    async with limited(tmp_path, [PLAN], BOTH) as host:
        with pytest.raises(ValueError, match="was not declared"):
            await host.rack.count(Meter("letters", "Letters"), workspace_id=host.workspace.id)
        with pytest.raises(ValueError, match="0 or more"):
            await host.rack.count(MESSAGES, -1, workspace_id=host.workspace.id)
        with pytest.raises(RuntimeError, match="there is no call here"):
            await host.rack.count(MESSAGES)
        async with AsyncSession(engine := host.rack.host_engine()) as session:
            with pytest.raises(ValueError, match="counted in a session"):
                await host.rack.count(MESSAGES, workspace_id=host.workspace.id, session=session)
        await engine.dispose()
        # In a public operation nobody is known: the handler's mistake is a crash, and nobody is charged.
        assert 500 == (await host.send("POST", "/api/v1/public-notes")).status_code
        assert (0, 25) == await messages(host)


@pytest.mark.parametrize(
    ("plans", "meters", "words"),
    [
        ([Plan("silent", "Silent")], [MESSAGES], "'silent' says nothing of the meter 'messages'"),
        ([PLAN], [MESSAGES], "a quota for 'exports', which is no meter"),
        ([PLAN], [MESSAGES, EXPORTS, MESSAGES], "'messages' stands twice"),
    ],
)
def test_plans_and_meters_that_do_not_fit_are_refused(tmp_path: Path, plans: list[Plan], meters: list[Meter], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Keyrack(Settings(data=tmp_path), brand=BRAND, plans=plans, meters=meters)


async def messages(host: Host) -> tuple[int, int]:
    """Return how many messages the API says were used and are left."""
    answer = (await host.get("/api/v1/usage", await host.key())).json()
    (meter,) = [one for one in answer["live"]["meters"] if one["name"] == "messages"]
    return meter["used"], meter["remaining"]
