"""The request log is found by what one remembers of a call, in one's own workspace, and kept for as long as the plan says."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from keyrack.model.orders import NEWEST, OLDEST, Order
from keyrack.model.principals import Mode
from keyrack.model.refusals import NOT_FOUND, Refused
from keyrack.model.request_logs import DAY_MS, Filter, Found, RequestLog, encode, segments, terms_of
from keyrack.store import request_log_days, request_logs
from keyrack.store.database import Duplicate, Store
from keyrack.store.ids import new_workspace_id
from keyrack.store.spool import Spool
from keyrack.work.request_logs import prune, prune_in_turn
from tests.spool.lines import NOW, a_line

HOUR_MS = 3_600_000


async def add(store: Store, *lines: RequestLog) -> None:
    """Add lines, as the mover does."""
    await request_log_days.make(store, {line.created_at // DAY_MS for line in lines})
    async with store.writing_traffic() as c:
        await request_logs.add(c, lines, terms_of(lines))


async def search(store: Store, wanted: Filter, workspace_id: str = "org_acme", order: Order = NEWEST) -> list[RequestLog]:
    """Search, and follow every continuation."""
    found: list[RequestLog] = []
    after = None
    async with store.reading_traffic() as c:
        while True:
            page = await request_logs.search(c, workspace_id, wanted, now=NOW, limit=7, after=after, order=order)
            found += page.lines
            assert page.searched_to is None or page.after is not None
            if page.after is None:
                return found
            assert after is None or (page.after < after if order.descending else page.after > after)
            after = page.after


PATHS = ["/api/v1/customers", "/api/v1/customers/C1", "/api/v1/customers-old", "/api/v1/me", "/API/v1/spaces/s_1/items", "/100%/x"]
ROUTES = ["/api/v1/customers", "/api/v1/customers/{customer_id}", "/api/v1/spaces/{space_id}/items", None]
LINES: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    at=st.sampled_from([NOW, NOW - 1, NOW - 9_999, NOW - 10_000, NOW - HOUR_MS, NOW - DAY_MS, NOW - DAY_MS + 1, NOW - 3 * DAY_MS]),
    path=st.sampled_from(PATHS),
    route=st.sampled_from(ROUTES),
    method=st.sampled_from(["GET", "POST"]),
    status=st.sampled_from([200, 201, 404, 409, 500]),
    credential_id=st.sampled_from(["key_1", "key_2", "key_3", None]),
    integration_id=st.sampled_from(["integration_1", "integration_2"]),
    member_id=st.sampled_from(["member_1", None]),
    mode=st.sampled_from(list(Mode)),
)
FILTERS = st.builds(
    Filter,
    path=st.none()
    | st.sampled_from(["/customers", "/customers/c1", "customers", "CUST", "/", "/nothing", "/spaces/{space_id}", "100%", "_1"]),
    route=st.none() | st.sampled_from(ROUTES),
    method=st.none() | st.just("GET"),
    status=st.none() | st.sampled_from([(404, 404), (400, 499), (200, 299)]),
    credential_id=st.none() | st.just("key_1"),
    integration_id=st.none() | st.just("integration_1"),
    member_id=st.none() | st.just("member_1"),
    mode=st.none() | st.just(Mode.TEST),
    since=st.none() | st.sampled_from([0, NOW - HOUR_MS, NOW - 9_999]),
    until=st.none() | st.sampled_from([NOW, NOW - 5_000]),
)


def plainly(lines: list[RequestLog], wanted: Filter) -> list[RequestLog]:
    """What a search finds, by reading every line slowly."""
    until = NOW + 1 if wanted.until is None else wanted.until
    since = until - DAY_MS if wanted.since is None else wanted.since
    fields = {name: value for name in ("route", "method", "credential_id", "integration_id", "member_id", "mode")
              if (value := getattr(wanted, name)) is not None}  # fmt: skip
    found = [
        line
        for line in lines
        if since <= line.created_at < until
        and all(getattr(line, name) == value for name, value in fields.items())
        and (wanted.status is None or wanted.status[0] <= line.status <= wanted.status[1])
    ]
    if wanted.path is not None:
        whole = f"/{'/'.join(segments(wanted.path))}/"
        exact = [line for line in found if any(whole in f"{path.lower()}/" for path in (line.path, line.route or ""))]
        part = [line for line in found if any(wanted.path.lower() in path.lower() for path in (line.path, line.route or ""))]
        found = exact if exact and wanted.path.startswith("/") and segments(wanted.path) else part
    return sorted(found, key=lambda line: (line.created_at, line.request_id), reverse=True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(LINES, min_size=1, max_size=25),
    wanted=FILTERS,
    small=st.booleans(),
    order=st.sampled_from([NEWEST, OLDEST]),
)
async def test_a_search_finds_what_reading_every_line_finds(
    store: Store, told: list[dict[str, Any]], wanted: Filter, small: bool, order: Order
) -> None:
    workspace_id = new_workspace_id()
    lines = [a_line(workspace_id, **fields) for fields in told]
    await add(store, *lines, a_line(new_workspace_id(), at=NOW))
    with pytest.MonkeyPatch.context() as patch:
        if small:
            # Budgets so small that every search is cut and continued.
            patch.setattr(request_logs, "ROWS_READ_MAX", 4)
            patch.setattr(request_logs, "SLOTS", (1, 2))
        expected = plainly(lines, wanted)
        assert await search(store, wanted, workspace_id, order) == (expected if order.descending else expected[::-1])


async def test_a_search_that_ends_at_its_budget_says_how_far_it_looked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_logs, "ROWS_READ_MAX", 10)
    wanted, others = a_line(at=NOW - HOUR_MS, path="/needle"), [a_line(at=NOW - number) for number in range(20)]
    await add(store, wanted, *others)
    async with store.reading_traffic() as c:
        first = await request_logs.search(c, "org_acme", Filter(path="eedl"), now=NOW, limit=25)
        assert (first.lines, first.searched_to) == ((), NOW - 9)
        second = await request_logs.search(c, "org_acme", Filter(path="eedl"), now=NOW, limit=25, after=first.after)
        assert (second.lines, second.searched_to) == ((), NOW - 19)
        assert await request_logs.search(c, "org_acme", Filter(path="eedl"), now=NOW, limit=25, after=second.after) == Found((wanted,))
        # Its segment is known, so only its ten seconds are read.
        assert (await request_logs.search(c, "org_acme", Filter(path="/needle"), now=NOW, limit=25)).lines == (wanted,)
        upwards = await request_logs.search(c, "org_acme", Filter(path="eedl"), now=NOW, limit=25, order=OLDEST)
        assert (upwards.lines, upwards.searched_to) == ((wanted,), NOW - 11)


async def test_lines_of_another_workspace_are_not_found(store: Store, tmp_path: Path) -> None:
    theirs, operators = a_line("org_theirs"), a_line(None, credential_id=None)
    await add(store, theirs, operators)
    spool = Spool(tmp_path / "spool", 65536)
    waiting = a_line("org_theirs")
    spool.reserve()
    spool.append(encode(waiting))
    assert await search(store, Filter()) == []
    async with store.reading_traffic() as c:
        for line in (theirs, operators):
            with pytest.raises(Refused) as refused:
                await request_logs.get(c, "org_acme", line.request_id)
            assert refused.value.refusal is NOT_FOUND
        assert (await request_logs.search_operators_log(c, Filter(), now=NOW, limit=25)).lines == (operators,)
    for line in (theirs, operators, waiting):
        with pytest.raises(Refused):
            await request_logs.find(store, spool, "org_acme", line.request_id)
    assert await request_logs.find(store, spool, "org_theirs", waiting.request_id) == waiting
    spool.close()


@pytest.mark.parametrize("request_id", ["", "req_", "req_x", "' OR 1=1", "req_" + "0" * 27])
async def test_what_is_no_request_id_of_ours_is_not_found(store: Store, tmp_path: Path, request_id: str) -> None:
    await add(store, a_line())
    with pytest.raises(Refused):
        await request_logs.find(store, Spool(tmp_path / "spool", 65536), "org_acme", request_id)


async def test_a_line_that_comes_twice_stays_one_line(store: Store) -> None:
    line = a_line()
    await add(store, line)
    with pytest.raises(Duplicate):
        await add(store, a_line(), line)
    assert await search(store, Filter()) == [line]
    async with store.reading_traffic() as c:
        new = a_line()
        assert await request_logs.missing(c, [line, new, new]) == [new]


async def test_each_workspace_keeps_its_log_as_long_as_its_plan_says(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_logs, "DELETED_AT_ONCE_MAX", 3)
    monkeypatch.setattr(request_logs, "WORKSPACES_AT_ONCE_MAX", 2)
    days = {"org_a": 7, "org_b": 90, "org_c": 1}
    ages = [0, 1, 5, 8, 29, 31, 60, 89, 91, 120]
    everyone = [*days, "org_unknown", None]
    await add(store, *[a_line(workspace_id, at=NOW - age * DAY_MS) for workspace_id in everyone for age in ages])

    async def keep_days(workspace_ids: Collection[str]) -> Mapping[str, int]:
        assert len(workspace_ids) <= 2
        return {workspace_id: days[workspace_id] for workspace_id in workspace_ids if workspace_id in days}

    assert await prune(store, keep_days, NOW) > 0
    for workspace_id, kept in {**days, "org_unknown": 30}.items():
        lines = await search(store, Filter(since=0), workspace_id)
        assert [(NOW - line.created_at) // DAY_MS for line in lines] == [age for age in ages if age <= kept]
    async with store.reading_traffic() as c:
        operators = await request_logs.search_operators_log(c, Filter(since=0), now=NOW, limit=25)
    assert len(operators.lines) == len([age for age in ages if age <= 30])
    assert await search(store, Filter(since=0, path="/customers"), "org_b") == await search(store, Filter(since=0), "org_b")


async def test_of_all_processes_one_prunes_in_an_hour(store: Store) -> None:
    asked: list[str] = []

    async def keep_days(workspace_ids: Collection[str]) -> Mapping[str, int]:
        asked.extend(workspace_ids)
        return {}

    await add(store, a_line(at=NOW))
    for at, turns in ((NOW, 1), (NOW + 1, 1), (NOW + HOUR_MS, 2), (NOW, 2)):
        await prune_in_turn(store, keep_days, at)
        assert asked == ["org_acme"] * turns


async def test_days_that_nobody_keeps_are_dropped_whole(store: Store) -> None:
    if store.dialect != "postgresql":
        pytest.skip("only PostgreSQL has partitions")
    await add(store, a_line(at=NOW - 40 * DAY_MS), a_line(at=NOW))

    async def keep_days(workspace_ids: Collection[str]) -> Mapping[str, int]:
        return {}

    await prune(store, keep_days, NOW)
    async with store.reading_traffic() as c:
        rows = await c.all(text("SELECT relname FROM pg_class WHERE relname ~ '^keyrack_request_logs_[0-9]+$'"))
    assert [row.relname for row in rows] == ["keyrack_request_logs_20231114"]
