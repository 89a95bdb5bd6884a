"""Named policies per workspace, integration and key: all-or-nothing, exact, chosen by the plan, told in both families of headers."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import http_sf
import pytest
from httpx import Response

from keyrack import Limit, Plan
from keyrack.model.limits import DAY_SECONDS, MONTH_SECONDS
from tests.limits.hosts import Mode, calls, limited, remaining, scarce, second_key, violated

PER_EACH = Plan("each", "Each", limits=(scarce("workspace", 10), scarce("integration", 6, per="integration"), scarce("key", 4, per="key")))
SMALLER = Plan("smaller", "Smaller", limits=(scarce("workspace", 7), scarce("key", 2, per="key")))
SEVERAL = Plan(
    "several",
    "Several",
    limits=(Limit("burst", 20, 3600), Limit("daily", 8, DAY_SECONDS), Limit("monthly", 50, MONTH_SECONDS), scarce("key", 30, per="key")),
)


async def test_each_integration_and_key_has_a_budget_of_its_own_within_that_of_the_workspace(
    tmp_path: Path, counters: dict[str, Any]
) -> None:
    async with limited(tmp_path, [PER_EACH], **counters) as host:
        first, other = await host.key(name="first"), await host.key(name="other")
        second = await second_key(host, first)
        assert [200] * 4 == await calls(host, first, 4)
        assert ["key"] == violated(await host.get("/api/v1/customers", first))
        assert [200] * 2 == await calls(host, second, 2)
        assert ["integration"] == violated(await host.get("/api/v1/customers", second))
        assert [200] * 4 == await calls(host, other, 4)
        assert ["workspace", "key"] == violated(await host.get("/api/v1/customers", other))


async def test_denied_calls_consume_nothing_of_any_policy(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PER_EACH], **counters) as host:
        first = await host.key()
        second = await second_key(host, first)
        await calls(host, first, 4)
        assert [429] * 20 == await calls(host, first, 20)
        assert {"workspace": 6, "integration": 2, "key": 0} == await remaining(host, first)
        assert {"workspace": 6, "integration": 2, "key": 4} == await remaining(host, second)


async def test_64_tasks_over_several_policies_admit_exactly_the_tightest(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PER_EACH], **counters) as host:
        some = [await host.key(name=f"key-{number}") for number in range(4)]
        answers = await asyncio.gather(*[host.get("/api/v1/customers", some[number % 4]) for number in range(64)])
        assert {200: 10, 429: 54} == Counter(answer.status_code for answer in answers)
        assert [0] * 4 == [(await remaining(host, key))["workspace"] for key in some]


async def test_live_and_test_calls_are_counted_apart(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PER_EACH], **counters) as host:
        live = await host.key()
        test = await second_key(host, live, Mode.TEST)
        assert [200] * 4 == await calls(host, test, 4)
        assert {"workspace": 10, "integration": 6, "key": 4} == await remaining(host, live)
        assert {"workspace": 6, "integration": 2, "key": 0} == await remaining(host, test)


async def test_another_plan_brings_its_own_policies_and_keeps_what_was_counted(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PER_EACH, SMALLER], **counters) as host:
        key = await host.key()
        assert [200] * 3 == await calls(host, key, 3)
        await host.rack.workspaces.set_plan(host.workspace.id, SMALLER.name)
        assert {"workspace": 4, "key": 0} == await remaining(host, key)
        assert 429 == (await host.get("/api/v1/customers", key)).status_code


async def test_workspaces_share_no_budget(tmp_path: Path) -> None:
    async with limited(tmp_path, [PER_EACH]) as host:
        neighbour = await host.other_workspace()
        key = await host.key()
        assert [200] * 4 == await calls(host, neighbour.key, 4)
        assert {"workspace": 10, "integration": 6, "key": 4} == await remaining(host, key)


@pytest.mark.parametrize("path", ["/api/v1/customers", "/api/v1/customers/missing", "/api/v1/crash", "/api/v1/me", "/api/v1/rate_limit"])
async def test_every_answer_tells_all_policies_in_both_families_of_headers(tmp_path: Path, path: str) -> None:
    async with limited(tmp_path, [SEVERAL]) as host:
        told = read(await host.get(path, await host.key()))
        taken = 0 if path.endswith("rate_limit") else 1
        assert {"burst": (20, 3600), "daily": (8, DAY_SECONDS), "monthly": (50, MONTH_SECONDS), "key": (1, 3600)} == told.policies
        assert {"burst": 20 - taken, "daily": 8 - taken, "monthly": 50 - taken, "key": 1} == told.left
        assert (1, 1) == (told.legacy_limit, told.legacy_remaining)


async def test_a_refusal_names_what_was_violated_and_when_to_come_again(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [SEVERAL], **counters) as host:
        key = await host.key()
        assert [200] * 8 == await calls(host, key, 8)
        answer = await host.get("/api/v1/customers", key)
        told = read(answer)
        assert ["daily"] == violated(answer) == list(told.left)
        assert ("rate_limited", True) == (answer.json()["code"], answer.json()["retryable"])
        assert {"burst", "daily", "monthly", "key"} == set(told.policies)
        assert 1 <= told.resets["daily"] <= int(answer.headers["retry-after"]) <= DAY_SECONDS
        assert (8, 0, told.resets["daily"]) == (told.legacy_limit, told.legacy_remaining, told.legacy_reset)
        assert {"burst": 12, "daily": 0, "monthly": 42, "key": 22} == await remaining(host, key)


async def test_the_limits_are_told_also_when_they_are_used_up_and_telling_takes_nothing(tmp_path: Path, counters: dict[str, Any]) -> None:
    async with limited(tmp_path, [PER_EACH], **counters) as host:
        key = await host.key()
        for _ in range(3):
            assert {"workspace": 10, "integration": 6, "key": 4} == await remaining(host, key)
        await calls(host, key, 5)
        for _ in range(3):
            answer = (await host.get("/api/v1/rate_limit", key)).json()
            assert ("rate_limit", key.key.id, "live") == (answer["object"], answer["id"], answer["mode"])
            last = answer["policies"][-1]
            assert 1 <= last.pop("reset_seconds") <= 3600
            assert last == {
                "name": "key", "per": "key", "quota": 1, "window_seconds": 3600, "burst": 4, "remaining": 0, "burst_remaining": 0,
            }  # fmt: skip


async def test_a_plan_without_limits_has_none_to_tell(tmp_path: Path) -> None:
    async with limited(tmp_path, [Plan("open", "Open", limits=())]) as host:
        answer = await host.get("/api/v1/rate_limit", await host.key())
        assert (200, []) == (answer.status_code, answer.json()["policies"])
        assert not [name for name in answer.headers if "ratelimit" in name]


class Told:
    """What the headers of an answer say, read by a parser of RFC 9651 that is not ours."""

    def __init__(self, answer: Response) -> None:
        policies: Any = http_sf.parse(answer.headers["ratelimit-policy"].encode(), tltype="list")
        left: Any = http_sf.parse(answer.headers["ratelimit"].encode(), tltype="list")
        self.policies = {name: (params["q"], params["w"]) for name, params in policies}
        self.left = {name: params["r"] for name, params in left}
        self.resets = {name: params["t"] for name, params in left}
        names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
        self.legacy_limit, self.legacy_remaining, self.legacy_reset = (int(answer.headers[name]) for name in names)


def read(answer: Response) -> Told:
    """Read the headers of an answer, each of which stands there once."""
    names = [name for name, _ in answer.headers.multi_items()]
    assert [] == [name for name in names if "ratelimit" in name and names.count(name) > 1]
    told = Told(answer)
    assert set(told.left) <= set(told.policies)
    assert all(told.left[name] <= told.policies[name][0] for name in told.left)
    return told
